#pragma once
// What a command answered, as lines for a person in the chat. Pure; any thread.

#include <string>
#include <vector>

#include "connector/admin/control.h"
#include "connector/admin/record.h"

namespace postern::chat {

// A line for each row, or several for its facts; without control characters, at most about 350 bytes each.
// Fifteen, and one more for what is left out: of a history the oldest, of a list the last, of several items'
// histories the oldest and then the last of all. `more`: rows of the same kind that are not here.
std::vector<std::string> answerLines(const admin::Request& request, const std::vector<admin::Record>& rows,
                                     std::size_t more = 0);

// The ids of the rows that a dry run would change.
std::vector<std::int64_t> wouldChange(const std::vector<admin::Record>& rows);

}  // namespace postern::chat
