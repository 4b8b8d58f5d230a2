#pragma once
// What a command answered, as lines for a person in the chat. Pure; any thread.

#include <string>
#include <string_view>
#include <vector>

#include "connector/admin/record.h"

namespace postern::chat {

// A line for each row, or several for its facts; without control characters, at most about 350 bytes each.
// `verb` as in a request.
std::vector<std::string> answerLines(std::string_view verb, const std::vector<admin::Record>& rows);

// The ids of the rows that a dry run would change.
std::vector<std::int64_t> wouldChange(const std::vector<admin::Record>& rows);

}  // namespace postern::chat
