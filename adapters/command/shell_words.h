#pragma once
// The one way in which a list of arguments becomes a shell's business all the same: `sh -c TEXT`, whose TEXT
// is a program. A value of a mail in it is a stranger's program. Thread rule: pure.

#include <optional>
#include <string>
#include <vector>

namespace postern::adapters {

// `command` as configured, the program first; a shell counts wherever it stands, as in `env sh -c`. Set: what
// is wrong and how it is done right.
std::optional<std::string> valueInShellProgram(const std::vector<std::string>& command);

}  // namespace postern::adapters
