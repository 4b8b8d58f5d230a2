#pragma once
// The programs that a test runs, as postern_test_runs() of CMake says them.

#include <string>

#include "base/library_error.h"

namespace postern::tests {

// The build names them from the root on; Windows wants the drive too.
inline std::string builtProgram(const std::string& path) {
    return absolutePath(path).value();
}

}  // namespace postern::tests
