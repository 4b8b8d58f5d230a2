#include "base/service_manager.h"

#include <algorithm>
#include <atomic>

#include "base/windows/service_status.h"
#include "base/windows/system.h"

namespace postern {

namespace {

// What was asked for and not yet told. There is one for the process, as there is one of each signal
// elsewhere.
class Requests {
  public:
    static Requests& all() {
        static Requests one;
        return one;
    }
    void ask(std::atomic<bool>& what) {
        what = true;
        ::SetEvent(asked_.get());
    }
    StopSignals::Request take() {
        if (stop.exchange(false)) return StopSignals::Request::Stop;
        if (reload.exchange(false)) return StopSignals::Request::Reload;
        return StopSignals::Request::None;
    }
    void wait(DWORD millis) { ::WaitForSingleObject(asked_.get(), millis); }

    std::atomic<bool> stop{false}, reload{false};

  private:
    windows::OwnHandle asked_{::CreateEventW(nullptr, FALSE, FALSE, nullptr)};
};

// Runs on a thread of the system's. Where the process ends as soon as this returns, it does not return: the
// system waits some seconds, and our own end comes before that or not at all.
BOOL WINAPI onConsole(DWORD event) {
    const bool service = ::GetConsoleWindow() == nullptr;
    if (event == CTRL_LOGOFF_EVENT && service) return TRUE;  // some user goes, and is none of ours
    askToStop();
    if (event != CTRL_C_EVENT && event != CTRL_BREAK_EVENT) ::Sleep(INFINITE);
    return TRUE;
}

}  // namespace

void notifyServiceManager(const std::string& state) {
    windows::tellHost(state);
}

std::optional<std::chrono::milliseconds> watchdogLimit() {
    return std::nullopt;
}

std::vector<int> inheritedSockets() {
    return {};
}

StopSignals::StopSignals() {
    (void)Requests::all();
    ::SetErrorMode(SEM_FAILCRITICALERRORS | SEM_NOGPFAULTERRORBOX);
    ::SetConsoleCtrlHandler(nullptr, FALSE);  // our starter may have had Ctrl-C ignored
    ::SetConsoleCtrlHandler(onConsole, TRUE);
}

StopSignals::Request StopSignals::wait(std::chrono::milliseconds timeout) {
    constexpr std::int64_t kLongest = 3'600'000;
    Requests& requests = Requests::all();
    const Request at = requests.take();
    if (at != Request::None) return at;
    requests.wait(static_cast<DWORD>(std::clamp<std::int64_t>(timeout.count(), 0, kLongest)));
    return requests.take();
}

void askToStop() {
    Requests::all().ask(Requests::all().stop);
}

void askToReload() {
    Requests::all().ask(Requests::all().reload);
}

// A pipe that nobody reads, and a file over a limit, are errors here and nothing else.
void ignoreBrokenPipes() {}
void ignoreFileLimits() {}

bool standardOutputIsTerminal() {
    DWORD mode = 0;
    return ::GetConsoleMode(::GetStdHandle(STD_OUTPUT_HANDLE), &mode) != 0;
}

// A process may have this many, and nobody can set less.
std::int64_t raiseHandleLimit() {
    return 1 << 24;
}

}  // namespace postern
