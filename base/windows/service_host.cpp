#include "base/service_host.h"

#include <chrono>
#include <cstdint>
#include <thread>

#include "base/service_control.h"
#include "base/service_manager.h"
#include "base/sync.h"
#include "base/windows/service_status.h"
#include "base/windows/system.h"

namespace postern {
namespace {

using std::chrono::seconds;
using std::chrono::steady_clock;

// The manager gives up on a service whose checkpoint stands still for longer than its hint.
constexpr DWORD kHintMillis = 10'000;
constexpr seconds kBeat{2};
// What is longer than this has hung: then the manager shall see it. A store of many gigabytes is opened well
// within the first, and stop_limit ends well within the second.
constexpr seconds kLongestStart{600}, kLongestStop{180};
constexpr DWORD kControls =
    SERVICE_ACCEPT_STOP | SERVICE_ACCEPT_SHUTDOWN | SERVICE_ACCEPT_PRESHUTDOWN | SERVICE_ACCEPT_PARAMCHANGE;

// What the manager knows of us, and the only one who tells it.
class Host {
  public:
    void run(const std::function<int()>& body) EXCLUDES(mutex_);
    void enter(DWORD state) EXCLUDES(mutex_);
    void end(int exit) EXCLUDES(mutex_);
    bool entered() EXCLUDES(mutex_);
    int exit() EXCLUDES(mutex_);

  private:
    void beat() EXCLUDES(mutex_);
    void say() REQUIRES(mutex_);
    bool pending() REQUIRES(mutex_);

    Mutex mutex_;
    Condition changed_;
    SERVICE_STATUS_HANDLE manager_ GUARDED_BY(mutex_) = nullptr;
    DWORD state_ GUARDED_BY(mutex_) = SERVICE_STOPPED, checkpoint_ GUARDED_BY(mutex_) = 0;
    steady_clock::time_point since_ GUARDED_BY(mutex_);
    int exit_ GUARDED_BY(mutex_) = 0;
};

// The manager's callbacks carry nothing that leads back to us.
Host theHost;
const std::function<int()>* theBody = nullptr;

bool Host::pending() {
    return state_ == SERVICE_START_PENDING || state_ == SERVICE_STOP_PENDING;
}

void Host::say() {
    SERVICE_STATUS status{};
    status.dwServiceType = SERVICE_WIN32_OWN_PROCESS;
    status.dwCurrentState = state_;
    status.dwControlsAccepted = state_ == SERVICE_RUNNING ? kControls : 0;
    status.dwCheckPoint = pending() ? checkpoint_ : 0;
    status.dwWaitHint = pending() ? kHintMillis : 0;
    if (state_ == SERVICE_STOPPED && exit_ != 0) {
        status.dwWin32ExitCode = ERROR_SERVICE_SPECIFIC_ERROR;
        status.dwServiceSpecificExitCode = static_cast<DWORD>(exit_);
    }
    // A manager that does not listen can not be told so.
    (void)::SetServiceStatus(manager_, &status);
}

// Never back: a stop that is asked for while it starts stays a stop.
void Host::enter(DWORD state) {
    MutexLock lock(mutex_);
    if (manager_ == nullptr || state_ == state || state_ == SERVICE_STOPPED) return;
    if (state_ == SERVICE_STOP_PENDING) return;
    state_ = state;
    since_ = steady_clock::now();
    checkpoint_ = 1;
    say();
    changed_.notifyAll();
}

void Host::end(int exit) {
    MutexLock lock(mutex_);
    exit_ = exit;
    state_ = SERVICE_STOPPED;
    say();
    changed_.notifyAll();
}

bool Host::entered() {
    MutexLock lock(mutex_);
    return manager_ != nullptr;
}

int Host::exit() {
    MutexLock lock(mutex_);
    return exit_;
}

// Signs of life while it starts or stops.
void Host::beat() {
    MutexLock lock(mutex_);
    while (state_ != SERVICE_STOPPED) {
        (void)changed_.waitUntil(mutex_, steady_clock::now() + kBeat);
        const auto longest = state_ == SERVICE_START_PENDING ? kLongestStart : kLongestStop;
        if (!pending() || steady_clock::now() - since_ > longest) continue;
        ++checkpoint_;
        say();
    }
}

DWORD WINAPI answer(DWORD control, DWORD, LPVOID, LPVOID) {
    switch (control) {
        case SERVICE_CONTROL_STOP:
        case SERVICE_CONTROL_SHUTDOWN:
        case SERVICE_CONTROL_PRESHUTDOWN:
            theHost.enter(SERVICE_STOP_PENDING);
            askToStop();
            return NO_ERROR;
        case SERVICE_CONTROL_PARAMCHANGE: askToReload(); return NO_ERROR;
        case SERVICE_CONTROL_INTERROGATE: return NO_ERROR;
        default: return ERROR_CALL_NOT_IMPLEMENTED;
    }
}

void Host::run(const std::function<int()>& body) {
    {
        MutexLock lock(mutex_);
        manager_ = ::RegisterServiceCtrlHandlerExW(windows::wide(kServiceName).c_str(), answer, nullptr);
        if (manager_ == nullptr) return;
        state_ = SERVICE_START_PENDING;
        since_ = steady_clock::now();
        checkpoint_ = 1;
        say();
    }
    const std::jthread beating([this] { beat(); });
    end(body());
}

void WINAPI serviceMain(DWORD, LPWSTR*) {
    theHost.run(*theBody);
}

}  // namespace

std::optional<int> hostService(const std::function<int()>& body) {
    theBody = &body;
    std::wstring name = windows::wide(kServiceName);
    const SERVICE_TABLE_ENTRYW table[] = {{name.data(), serviceMain}, {nullptr, nullptr}};
    // Comes back when the service has stopped; at once when no manager waits for us.
    if (!::StartServiceCtrlDispatcherW(table)) return std::nullopt;
    return theHost.exit();
}

bool isHosted() {
    return theHost.entered();
}

namespace windows {

void tellHost(const std::string& state) {
    if (state.starts_with("READY=1")) theHost.enter(SERVICE_RUNNING);
    if (state.starts_with("STOPPING=1")) theHost.enter(SERVICE_STOP_PENDING);
}

}  // namespace windows
}  // namespace postern
