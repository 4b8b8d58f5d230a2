#pragma once
// Header blocks brought under a limit. Internal to this room. Thread rule: pure.

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"

namespace postern::mail {

// Cuts `fields` (each with its line ends) until they have at most `limit` bytes together: "References" to
// its first and last ten (FORMATS.md 10), then trace and extension fields go from the last to the first, then
// the lists of recipients are cut with "and N more" (KB Q193035). What was done goes to `notes`.
// Errc::Invalid: what must stay is over the limit.
Result<void> cutHeader(std::vector<std::string>& fields, std::int64_t limit, std::vector<std::string>& notes);

// The value of References, or none when it has at most twenty ids.
std::string shortReferences(std::string_view value);

}  // namespace postern::mail
