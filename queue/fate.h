#pragma once
// What became of recipients, for whoever tells the sender (connector/reports): the queue says it in the very
// transaction of the change, so that a failure and its report are both there or neither is.

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "queue/item.h"
#include "store/store.h"

namespace postern::queue {

struct Fate {
    enum class Kind { Failed, Exported, Delayed };
    Kind kind = Kind::Failed;
    ItemId item;
    MessageId message;
    std::string adapter;
    WallTime at;
    std::vector<RecipientRow> recipients;  // by ordinal; those it is about and no others, never empty
    std::optional<WallTime> until;  // Delayed: when it is given up; nothing while it waits for a person
    std::int64_t serial = 0;        // unlike any other of the item; stable when the change is repeated
};

// Called inside the transaction, on the writer thread: it must not block. An Error undoes the change that it
// was to tell of.
using Teller = std::function<Result<void>(store::WriteSession&, const Fate&)>;

// What is told, once each: recipient.reported goes from '' to 'delayed' to 'final' and never back, but for an
// operator's retry. Inside Store::write, behind the change itself; nothing happens when nobody is left to be
// told of, or `tell` is empty.

// All recipients of `item` that failed. Those with an equal ordinal in `known` take its status, the others
// `status`.
Result<void> tellFailed(store::WriteSession& session, const Teller& tell, ItemId item, WallTime now,
                        const std::string& status, const std::vector<RecipientRow>& known = {});
// The exported ones that asked for it (NOTIFY=SUCCESS).
Result<void> tellExported(store::WriteSession& session, const Teller& tell, ItemId item, WallTime now);
// The pending ones that do not refuse it (NOTIFY absent or with DELAY), unless the item is final.
Result<void> tellDelayed(store::WriteSession& session, const Teller& tell, ItemId item, WallTime now);

}  // namespace postern::queue
