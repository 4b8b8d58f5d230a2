#pragma once
// A store that was brought back from a backup: what it holds may have been exported since the backup was
// made, by the store that is gone. Nothing of it goes out again by itself.

#include "queue/item.h"
#include "store/store.h"

namespace postern::queue {

// The epoch of each item that may be tried again rises by so much, so that no attempt of a restored store has
// the number of one that the lost store made: staged files, journals and results of commands are named by
// item and epoch. Takeovers raise an epoch by one, so the distance also tells an attempt that was begun
// before the backup.
inline constexpr std::int64_t kRestoredEpochs = 1'000'000;

// Whether an attempt in `publishing` is one of before the backup: its artifact was staged under `staged`, it
// is held under `now`. The lost store may have ended it and begun another.
inline bool isFromBackup(Epoch staged, Epoch now) {
    return now.value - staged.value >= kRestoredEpochs;
}

// Why such an item is held.
inline constexpr std::string_view kFromBackup = "restored from a backup: may have been exported since";

struct Restored {
    std::int64_t held = 0;        // were ready, claimed or held
    std::int64_t publishing = 0;  // are asked about as after a crash; NotPublished makes them held
    std::int64_t inDoubt = 0;
};

// Once, in the restored store, before any watcher looks at it. ready, claimed and held items become held,
// with a reason that says of when the backup is, and a row of history by `who`.
Result<Restored> markRestored(store::WriteSession& session, WallTime backupOf, const std::string& who,
                              WallTime now);

// "restored from a backup of 2026-11-22T01:00:00Z: may have been exported since".
std::string restoredReason(WallTime backupOf);

// Removes a message with its items from a copy of a store: the store has purged it since the copy was made.
Result<void> forgetMessage(store::WriteSession& session, MessageId message);

}  // namespace postern::queue
