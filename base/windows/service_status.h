#pragma once
// Between the host of the service and what notifyServiceManager() says on Windows. Thread rule: any thread.

#include <string>

namespace postern::windows {

// "READY=1", "STOPPING=1", ...: tells the service manager where it is one that hosts us.
void tellHost(const std::string& state);

}  // namespace postern::windows
