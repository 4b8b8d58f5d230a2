#pragma once
#include <string>

namespace postern {

// Names the calling thread for debuggers, `top -H` and the fault suites; cut at 15 bytes.
void nameThisThread(const std::string& name);

// Gives free memory back to the system, which the C library keeps otherwise. Milliseconds: after a crowd has
// gone, not after each client.
void returnFreeMemory();

}  // namespace postern
