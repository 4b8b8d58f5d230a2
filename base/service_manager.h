#pragma once
// What the service manager and the process environment ask for: readiness, stop and reload requests.

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace postern {

// Tells systemd (sd_notify(3)): "READY=1", "STOPPING=1", "STATUS=...", "RELOADING=1". Does nothing without
// one. On Windows the manager that hosts us hears it (base/service_host.h).
void notifyServiceManager(const std::string& state);

// Within what time the manager's watchdog wants to hear "WATCHDOG=1" (sd_watchdog_enabled(3)); nothing when
// it does not watch this process.
std::optional<std::chrono::milliseconds> watchdogLimit();

// Handles of the listening stream sockets that the manager opened for this process (sd_listen_fds(3)); what
// else it passed is left alone. From now on no child inherits any. REQUIRES: called once, before any other
// thread starts.
std::vector<int> inheritedSockets();

// Turns SIGTERM, SIGINT and SIGHUP into requests that one thread waits for; ignores SIGPIPE and SIGXFSZ. On
// Windows: Ctrl-C, Ctrl-Break, the closing of the console's window, the end of the session and the system's
// shutdown ask to stop; whoever runs this process as a service hands its requests on by askToStop() and
// askToReload(). There no dialog waits for a person when something crashes.
// REQUIRES: create before any other thread starts, so that all of them inherit the signal mask.
class StopSignals {
  public:
    enum class Request { None, Stop, Reload };
    StopSignals();
    // The next request, or None when `timeout` passed. One thread.
    Request wait(std::chrono::milliseconds timeout);
};

// The same requests by a part of this process. Any thread.
void askToStop();
void askToReload();

// For programs that only write: a closed pipe is an error code, not a death.
void ignoreBrokenPipes();
// A file over the limit of this process (ulimit -f) is an error code too, EFBIG: handled like a full disk.
void ignoreFileLimits();
bool standardOutputIsTerminal();

// Every session, watcher and body needs a file handle: takes as many as the system lets this process have
// (the hard limit), and returns how many that are.
std::int64_t raiseHandleLimit();

}  // namespace postern
