#pragma once
#include <string>

namespace postern {

// Names the calling thread for debuggers, `top -H` and the fault suites; cut at 15 bytes.
void nameThisThread(const std::string& name);

}  // namespace postern
