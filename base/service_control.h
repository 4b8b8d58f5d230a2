#pragma once
// The system's list of services: Postern put onto it, taken off, started, stopped, asked after. On Windows
// the Service Control Manager keeps the list; elsewhere the package's unit files stand for it, and all that
// changes something here answers Unavailable and says the command of systemd that does it.
//
// Thread rule: any thread. Errors: Denied for who is no administrator, NotFound without the service, Exists,
// Busy while the manager has it locked or takes it off, Unavailable past a deadline.

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"

namespace postern {

// The service's name, in the list, in the event log and as the name of its account.
inline constexpr const char* kServiceName = "posternd";

struct ServicePlan {
    std::string program;        // posternd's full path
    std::string configuration;  // its full path; the program finds it by installedConfiguration()
    std::string account;        // "": one of its own, NT SERVICE\posternd; "LocalSystem", "DOMAIN\user"
    enum class Start { Delayed, Automatic, Manual };
    Start start = Start::Delayed;
    // Made when missing. Administrators and the system may do all in them, the service's account reads, and
    // where it `writes` changes what is there; others may do nothing. What is below inherits that.
    struct Owned {
        std::string path;
        bool writes = false;
    };
    std::vector<Owned> folders;
};

struct ServiceFacts {
    std::string state;  // "running", "stopped", "starting", "stopping", "other"
    std::int64_t process = 0;
    std::string account, start, program, configuration;
    // Why it stopped the last time: 0 or the exit status of posternd; of a crash the system's error number.
    std::int64_t lastExit = 0;
};

// Puts it onto the list with its description, recovery actions, rights, event source; registers anew what is
// there already. Answers with what could not be set: the service works without it.
Result<std::vector<std::string>> installService(const ServicePlan& plan);
// Stops it first, if need be. Files stay.
Result<void> removeService(std::chrono::milliseconds limit);
// These two wait until it runs (is ready for mail), or is stopped: at most `limit`. Being so already is fine.
Result<void> startService(std::chrono::milliseconds limit);
Result<void> stopService(std::chrono::milliseconds limit);
Result<ServiceFacts> serviceFacts();

// What a person types to stop it.
const char* stopCommand();

// The configuration that the installed service was told; nothing without one, or elsewhere.
std::optional<std::string> installedConfiguration();

}  // namespace postern
