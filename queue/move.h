#pragma once
// A waiting item goes to another adapter: the fallback's way after failed attempts, and what operators do by
// hand. The item ends as `deleted`, its unresolved recipients stand in new items of the same message;
// recipients that were exported stay so. One transaction: a crash leaves the old item or the new ones, never
// both and never none (I2).
//
//   ready, held, failed --move--> deleted      each new item is ready, or held when it asks so
//
// A mail that was exported may be given out once more: replayItem() leaves the exported item as it is and
// makes a new one of the recipients that have the mail.
//
// Only from states in which nothing of the unresolved recipients is published and nobody holds the item: so
// an in_doubt item is resolved first, and a watcher's item waits until its attempt has ended.
//
// Thread rule: inside Store::write.

#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "queue/item.h"
#include "store/store.h"

namespace postern::queue {

struct MoveOrder {
    ItemId item;
    std::optional<Epoch> epoch;  // set: only if it is ready and nobody claimed it since that claim
    std::string adapter;         // where to; may be the item's own (a second try as a new item)
                                 // empty: regroup says so of each new item
    std::string who;             // "postern" or the operator; never empty
    std::string reason;          // "after 3 failed attempts"; for the histories
    Millis atLeast{0};           // the new items live so long from now at least
};

// Makes the new items from the recipients that have no end yet (of a failed item: those that failed), grouped
// as the other adapter asks, with its legacy names. Their groups are given by moveItem; an item lives at
// least as long as the old one.
using Regroup = std::function<Result<std::vector<NewItem>>(const std::vector<RecipientRow>& recipients,
                                                           WallTime received)>;

struct Moved {
    std::vector<ItemId> items;               // empty: not done, and nothing was changed
    std::string text;                        // "moved to adapter fax as item 9", or why not
    bool missing = false;                    // there is no such item
    std::vector<std::string> adapters = {};  // of the new items
};

// An Error rolls the caller's transaction back. Not done when the item is in another state, does not exist,
// or came in by that very adapter: mail never goes back the way it came (KB Q177862); and when regroup
// refuses with anything but Io and Internal: its text says why.
Result<Moved> moveItem(store::WriteSession& session, const MoveOrder& order, const Regroup& regroup,
                       WallTime now);

// An exported item's mail once more: a new item of the same adapter for the recipients that were exported,
// with the legacy names they had; due at once. The old one stays; both histories say who asked. Not done when
// the item is not exported or does not exist. `reason` may be empty. Nobody is told of its end a second time.
Result<Moved> replayItem(store::WriteSession& session, ItemId item, const std::string& who,
                         const std::string& reason, WallTime now);

// How a message says that an adapter brought it in: NewMessage.source is "adapter/NAME". No listener's name
// has a slash.
std::string sourceOfAdapter(std::string_view adapter);

}  // namespace postern::queue
