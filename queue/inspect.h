#pragma once
// Looking at the queue. Read-only, streamed, oldest first: a list of a million items takes no memory to speak
// of (KB Q147051, Q185109).

#include <functional>
#include <string>
#include <vector>

#include "queue/item.h"
#include "store/store.h"

namespace postern::queue {

// Empty fields select everything; all given ones must match.
struct Filter {
    std::vector<ItemId> ids;
    std::optional<MessageId> message;
    std::string adapter;
    std::vector<State> states;  // any of them
    bool waiting = false;       // every state but the final ones
    std::string sender;         // substring, ASCII case ignored
    std::string recipient;      // substring of the Internet or the legacy address
    std::string reason;         // substring of why it, or one of its recipients, waits, was held or failed
    std::string headerId;       // the Message-ID, with or without its angle brackets
    std::optional<WallTime> receivedBefore;  // came in earlier than that
    ItemId after;                            // only higher ids: the next page
    std::int64_t limit = 0;                  // 0: no limit
};

// Calls `visit` with each item, oldest id first, until it returns false.
Result<void> listItems(store::ReadSession& session, const Filter& filter,
                       const std::function<bool(const ItemRow&)>& visit);
Result<ItemRow> readItem(store::ReadSession& session, ItemId id);  // NotFound
Result<std::vector<RecipientRow>> readRecipients(store::ReadSession& session, ItemId id);
Result<std::vector<HistoryRow>> readHistory(store::ReadSession& session, ItemId id);

// The highest id there is; 0 when there is none.
Result<ItemId> newestItem(store::ReadSession& session);

// Whether the artifact staged for `item` under `epoch` may still be needed: its attempt is under way, was
// interrupted or is in doubt. Anything else may be swept.
Result<bool> needsArtifact(store::ReadSession& session, ItemId item, Epoch epoch);

// When the last `most` items of `adapter` ended, exported or failed, after `since`: oldest first.
Result<std::vector<WallTime>> endedSince(store::ReadSession& session, const std::string& adapter,
                                         WallTime since, std::int64_t most);

// What came and went since `since`, for each adapter with any of it: items made of mail that came in since,
// and items that were exported since. Costs as much as there was in that time.
struct Flow {
    std::string adapter;
    std::int64_t in = 0, out = 0;
};
Result<std::vector<Flow>> flowSince(store::ReadSession& session, WallTime since);

// Why the item of `adapter` that is due last waits, or the last one failed that failed after `since`; "" when
// there is no such reason. What was tried and put off is due later than what is new.
Result<std::string> lastTrouble(store::ReadSession& session, const std::string& adapter, WallTime since);

struct StateCount {
    std::string adapter;
    State state;
    std::int64_t count;
    std::optional<WallTime> oldest;  // when the oldest of them came in
};
// Counts are queries, never a second bookkeeping (KB Q199258). Only items that are not final, unless `all`.
Result<std::vector<StateCount>> countItems(store::ReadSession& session, bool all);

}  // namespace postern::queue
