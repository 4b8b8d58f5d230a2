#pragma once
// Where lines of the log go that no journal takes.

#include <string_view>

namespace postern {

// All of it, also when a signal cuts the writing off in between. A log that can not be written must not stop
// the mail: then the rest is left out, as there is nowhere to say so. Thread rule: any thread.
void writeToStandardError(std::string_view text);

}  // namespace postern
