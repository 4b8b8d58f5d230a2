#pragma once
// How a program is named, and its arguments and environment told, to CreateProcessW. Thread rule: any thread.

#include <string>
#include <vector>

#include "base/result.h"

namespace postern::windows {

// The file of the program `path` names: itself, or with ".exe" behind it. NotFound, Denied: it is none.
// Invalid: a batch file.
Result<std::string> programFile(const std::string& path);

// Taken apart by the program's C library (Microsoft: Parsing C command-line arguments) this gives `arguments`
// again. Invalid: no UTF-8, or longer than the system takes.
Result<std::wstring> commandLine(const std::vector<std::string>& arguments);

// Sorted by name as the system wants it, with SystemRoot. Invalid: no UTF-8.
Result<std::wstring> environmentBlock(const std::vector<std::string>& environment);

}  // namespace postern::windows
