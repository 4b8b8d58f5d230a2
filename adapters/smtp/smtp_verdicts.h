#pragma once
// What a host said to each recipient, and what that makes of the mail. Thread rule: pure.

#include <string>
#include <vector>

#include "adapters/outcome.h"
#include "adapters/smtp/smtp_reply.h"

namespace postern::adapters {

// What the recipient was told by `reply`; `where` is the host, and the command where that helps.
RecipientVerdict verdictOf(int ordinal, const SmtpReply& reply, const std::string& where);

// One outcome of what is known of each recipient: exported when somebody has it, deferred when somebody
// waits, else rejected; those whose end is another one keep theirs. Whoever is not in `known` is in doubt,
// for `doubt`. REQUIRES: `known` or `doubt` is not empty.
Outcome combined(std::vector<RecipientVerdict> known, const std::string& doubt);

}  // namespace postern::adapters
