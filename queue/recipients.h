#pragma once
// Recipients of an item as a claim carries them. Inside the room only.

#include <vector>

#include "queue/item.h"
#include "store/store.h"

namespace postern::queue {

// Those without an end yet, by ordinal: only these are tried again.
Result<std::vector<RecipientRow>> pendingRecipients(store::Session& session, ItemId item);

// Those with that outcome, by ordinal.
Result<std::vector<RecipientRow>> recipientsThat(store::Session& session, ItemId item,
                                                 std::string_view outcome);

// Ends all that are pending in the same way.
Result<void> endPendingRecipients(store::WriteSession& session, ItemId item, std::string_view outcome,
                                  std::string_view reason);

// Whether any recipient was exported, in whichever attempt.
Result<bool> anyExported(store::Session& session, ItemId item);

}  // namespace postern::queue
