#pragma once
// The program `postern`, callable in-process: tests run whole command lines without a process each.

#include <string>
#include <vector>

#include "connector/cli/console.h"

namespace postern::cli {

// `arguments` without the program's name. Returns the exit status (exits.h). Reads POSTERN_CONFIG.
// Thread rule: any thread, one run per Console at a time. Does not throw.
int runCli(const std::vector<std::string>& arguments, Console& console);

}  // namespace postern::cli
