#pragma once
// A password that stands in a file of its own. Thread rule: any thread.

#include <string>

#include "base/result.h"

namespace postern {

// The first line of `path`, without its end. Errors name the file: as readFile()'s, and Invalid when the line
// is empty or the file is larger than a password can be (4096 bytes).
Result<std::string> readSecret(const std::string& path);

}  // namespace postern
