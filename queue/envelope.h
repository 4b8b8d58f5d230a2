#pragma once
// To whom a mail went, over all of its items.

#include <set>
#include <string>

#include "base/ids.h"
#include "base/result.h"
#include "store/database.h"

namespace postern::queue {

// The addresses of the envelope as they were given, also of recipients that have their end; empty when the
// items are gone.
Result<std::set<std::string>> addressesOf(store::Session& session, MessageId message);

}  // namespace postern::queue
