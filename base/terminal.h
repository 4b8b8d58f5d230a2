#pragma once
// The person at the terminal. Thread rule: one thread.

#include <string>

#include "base/result.h"

namespace postern {

bool standardInputIsTerminal();

// Writes `prompt` to the terminal and reads one line from it without showing it, whatever standard input and
// output are. The terminal's settings are put back, also when a signal ends the wait. Unavailable when there
// is no terminal; Stopped when the input ended instead.
Result<std::string> askSecret(const std::string& prompt);

}  // namespace postern
