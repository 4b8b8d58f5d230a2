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
    // Which attempt it answers, by the epoch that staged it. Nothing: not known; then it is believed of an
    // item that was only ever claimed once, and anything else that it says makes a doubt.
    std::optional<Epoch> epoch = std::nullopt;
    std::string text;  // for the history; the reason of recipients that have none of their own
    // Those refused, by ordinal, with reason and status. Nothing: every recipient of the item.
    std::optional<std::vector<RecipientRow>> refused = std::nullopt;
    bool doubt = false;   // nobody is refused: the item is in doubt
    bool resend = false;  // where a doubt comes of it, by policy: sent again instead of waiting for a person
};

enum class Taken {
    Now,      // done, and recorded
    Doubted,  // done: the item is in doubt, or ready with `resend`
    Past,     // only the history has it: the item's state rests on another attempt, or on a person
    Before,   // this answer was taken before; nothing was changed
    Early,    // its item's end is not recorded yet: give the answer again later
    Nowhere,  // the adapter has no such item (any more); nothing was changed
};

// Inside Store::write. An answer to the attempt that the item's state rests on: a recipient given back that
// was exported, or in doubt, becomes failed, and `tell` makes the report. The item itself is failed when
// nobody is left who has it. An exported item in doubt becomes in_doubt (or ready with `resend`), all its
// exported recipients with it. Whatever else the item's state is, or of whichever other attempt it is, only
// the history gets the text: a mail that was sent again and arrived is not failed by what became of the first
// copy, nor does that end a doubt about the second.
Result<Taken> takeReturned(store::WriteSession& session, const ReturnedAnswer& answer, WallTime now,
                           const Teller& tell);

}  // namespace postern::queue
