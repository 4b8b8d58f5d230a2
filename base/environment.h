#pragma once
// The environment of the process, in UTF-8 however the system keeps it. Thread rule: any thread.

#include <optional>
#include <string>

namespace postern {

// Nothing when the variable is not set, or empty.
std::optional<std::string> environmentVariable(const std::string& name);

}  // namespace postern
