#include "base/service_manager.h"

#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "base/text.h"

namespace postern {

namespace {

constexpr int kFirstInherited = 3;  // SD_LISTEN_FDS_START

std::optional<std::int64_t> numberIn(const char* variable) {
    const char* text = std::getenv(variable);
    return text == nullptr ? std::nullopt : parseInt(text);
}

}  // namespace

void notifyServiceManager(const std::string& state) {
    const char* path = std::getenv("NOTIFY_SOCKET");
    sockaddr_un address{};
    if (path == nullptr || path[0] == '\0' || std::strlen(path) >= sizeof address.sun_path) return;
    address.sun_family = AF_UNIX;
    std::memcpy(address.sun_path, path, std::strlen(path));
    const auto length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + std::strlen(path));
    if (address.sun_path[0] == '@') address.sun_path[0] = '\0';  // abstract socket
    const int handle = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (handle < 0) return;
    // The manager may be gone or deaf; readiness is a courtesy and no reason to fail.
    (void)::sendto(handle, state.data(), state.size(), MSG_NOSIGNAL, reinterpret_cast<sockaddr*>(&address),
                   length);
    ::close(handle);
}

std::optional<std::chrono::milliseconds> watchdogLimit() {
    const auto micros = numberIn("WATCHDOG_USEC");
    const auto process = numberIn("WATCHDOG_PID");
    if (!micros || *micros <= 0 || (process && *process != ::getpid())) return std::nullopt;
    return std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::microseconds(*micros));
}

static bool listens(int handle) {
    int answer = 0, type = 0;
    socklen_t size = sizeof answer;
    if (::getsockopt(handle, SOL_SOCKET, SO_ACCEPTCONN, &answer, &size) != 0 || answer == 0) return false;
    size = sizeof type;
    return ::getsockopt(handle, SOL_SOCKET, SO_TYPE, &type, &size) == 0 && type == SOCK_STREAM;
}

std::vector<int> inheritedSockets() {
    std::vector<int> handles;
    const auto count = numberIn("LISTEN_FDS");
    const bool ours = numberIn("LISTEN_PID") == ::getpid();
    for (const char* variable : {"LISTEN_FDS", "LISTEN_PID", "LISTEN_FDNAMES"}) ::unsetenv(variable);
    if (!ours || !count) return handles;
    for (int handle = kFirstInherited; handle < kFirstInherited + *count; ++handle)
        if (::fcntl(handle, F_SETFD, FD_CLOEXEC) == 0 && listens(handle)) handles.push_back(handle);
    return handles;
}

static sigset_t requestSet() {
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGHUP);
    return set;
}

StopSignals::StopSignals() {
    const sigset_t set = requestSet();
    ::pthread_sigmask(SIG_BLOCK, &set, nullptr);
    ignoreFileLimits();
    ignoreBrokenPipes();
}

StopSignals::Request StopSignals::wait(std::chrono::milliseconds timeout) {
    const sigset_t set = requestSet();
    const timespec limit{static_cast<time_t>(timeout.count() / 1000),
                         static_cast<long>(timeout.count() % 1000) * 1'000'000};
    switch (::sigtimedwait(&set, nullptr, &limit)) {
        case SIGTERM:
        case SIGINT: return Request::Stop;
        case SIGHUP: return Request::Reload;
        default: return Request::None;
    }
}

void askToStop() {
    ::kill(::getpid(), SIGTERM);
}

void askToReload() {
    ::kill(::getpid(), SIGHUP);
}

void ignoreBrokenPipes() {
    ::signal(SIGPIPE, SIG_IGN);
}

void ignoreFileLimits() {
    ::signal(SIGXFSZ, SIG_IGN);
}

bool standardOutputIsTerminal() {
    return ::isatty(STDOUT_FILENO) == 1;
}

std::int64_t raiseHandleLimit() {
    rlimit limit{};
    if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return 0;
    rlimit wanted = limit;
    wanted.rlim_cur = limit.rlim_max;
    if (limit.rlim_cur != limit.rlim_max && ::setrlimit(RLIMIT_NOFILE, &wanted) == 0) limit = wanted;
    return static_cast<std::int64_t>(limit.rlim_cur);
}

}  // namespace postern
