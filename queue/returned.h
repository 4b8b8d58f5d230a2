#pragma once
// What the legacy side says of an item long after it took it: recipients that it gave back, or that nobody
// can tell any more whether it has the item. Each answer takes effect once (table `returned`).

#include <optional>
#include <string>
#include <vector>

#include "queue/fate.h"
#include "queue/item.h"
#include "store/store.h"

namespace postern::queue {

struct ReturnedAnswer {
    std::string adapter;
    std::string token;  // the answer's own name, unlike any other of this adapter; 1 to 200 bytes
    ItemId item;
    std::string text;  // for the history; the reason of recipients that have none of their own
    // Those refused, by ordinal, with reason and status. Nothing: every recipient of the item.
    std::optional<std::vector<RecipientRow>> refused = std::nullopt;
    bool doubt = false;   // nobody is refused: the item is in doubt
    bool resend = false;  // with doubt, by policy: it is sent again instead of waiting for a person
};

enum class Taken {
    Now,      // done, and recorded
    Before,   // this answer was taken before; nothing was changed
    Early,    // its item's end is not recorded yet: give the answer again later
    Nowhere,  // the adapter has no such item (any more); nothing was changed
};

// Inside Store::write. A recipient given back that was exported, or in doubt, becomes failed, and `tell`
// makes the report. The item itself is failed when nobody is left who has it. An exported item in doubt
// becomes in_doubt (or ready with `resend`), all its exported recipients with it. Whatever else the item's
// state is, only the history gets the text.
Result<Taken> takeReturned(store::WriteSession& session, const ReturnedAnswer& answer, WallTime now,
                           const Teller& tell);

}  // namespace postern::queue
