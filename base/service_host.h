#pragma once
// This process as the service manager's. On Windows a service has to meet its manager and to answer it all
// its life long; elsewhere a service is a program like any other, and base/service_manager.h is all of it.

#include <functional>
#include <optional>

namespace postern {

// When it was Windows' Service Control Manager that started this process: runs `body` as the service
// kServiceName, tells the manager how it ended, and returns what it returned. Nothing when somebody else
// started it: the caller runs the body itself.
//
// Meanwhile the manager hears "start pending" until notifyServiceManager("READY=1") and "stop pending" from
// "STOPPING=1" or its own request on, with signs of life for as long as the limits below. Its requests to
// stop (also before a shutdown) become askToStop(), PARAMCHANGE becomes askToReload(). A status other than 0
// is told as service-specific: a failure, which its recovery actions answer.
// REQUIRES: called once, by the main thread, before any other starts.
std::optional<int> hostService(const std::function<int()>& body);

// True inside such a body: nobody reads standard error, and the working folder is the system's own.
bool isHosted();

}  // namespace postern
