#pragma once
// The outbound queue: every change of state a watcher makes, each as one UPDATE guarded by id, old state and,
// for a holder, its epoch (I3). Zero rows changed means "no longer mine": the caller drops what it made and
// touches nothing.
//
//   ready --claim--> claimed --markPublishing--> publishing --settle--> exported | failed | ready | held |
//   in_doubt
//                    claimed --settle----------> failed | ready | held         (never published)
//                    claimed --giveBack--------> ready                         (shutdown)
//                    claimed --takeLapsed------> ready                         (lease over; the legacy side
//                    never heard) publishing --takeLapsed---> publishing, epoch + 1         (then the adapter
//                    is asked)
//
// Thread rule: any thread. No function holds a lock or a transaction after it returns (I4).

#include <span>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/guards.h"
#include "queue/item.h"
#include "store/store.h"

namespace postern::queue {

const std::vector<store::Migration>& queueMigrations();

// Inside the transaction that inserts the message (I1). Exists when an item of that (message, adapter, group)
// is there already; nothing is stored then.
Result<std::vector<ItemId>> enqueue(store::WriteSession& session, MessageId message,
                                    std::span<const NewItem> items, WallTime now);

struct QueueOptions {
    std::string owner;  // this process; a fresh random name at each start
    Millis lease{60'000};
    int deathLimit = 5;  // holders that may die before the item is set aside (held)
    Guards guards{};  // tests only, see base/guards.h
};

// What takeLapsed() found and did.
struct Lapsed {
    int backToReady = 0;                   // were claimed
    int setAside = 0;                      // were claimed and have killed deathLimit holders: held
    std::vector<Interrupted> interrupted;  // were publishing: ours now, to be asked about and settled
};

class Queue {
  public:
    Queue(store::Store& store, Clock& clock, QueueOptions options);

    // Claims up to `most` due items of `adapter`, oldest due first, all in one UPDATE; an item whose holder
    // died is claimed alone. Attempts are counted here, before anything of the message is read. Items past
    // their expiry come too: the caller fails them.
    Result<std::vector<Claim>> claim(const std::string& adapter, int most);

    // When the next ready item of `adapter` is due; nothing when none waits. A read, no claim.
    Result<std::optional<WallTime>> nextDue(const std::string& adapter);

    // Extends the leases of those still ours; the others are missing from the result.
    Result<std::vector<ItemId>> renew(std::span<const Claim> claims);

    // claimed -> publishing, with the adapter's evidence, in one commit. Result: those that are ours to
    // publish.
    struct Mark {
        ItemId item;
        Epoch epoch;
        std::string evidence;  // never empty
    };
    Result<std::vector<ItemId>> markPublishing(std::span<const Mark> marks);

    // Ends attempts; in one commit. Result: those that were still ours. An Exported or InDoubt settlement
    // applies to publishing only; the others to claimed and publishing.
    Result<std::vector<ItemId>> settle(std::span<const Settlement> settlements);

    // claimed -> ready at once, attempt not counted. For shutdown and for claims that were never begun.
    Result<void> giveBack(std::span<const Claim> claims);

    // Items of `adapter` whose lease is over, or that belong to another owner (with `atStart`: the store's
    // lock says that no other process lives). At most `most`.
    Result<Lapsed> takeLapsed(const std::string& adapter, bool atStart, int most);

    const QueueOptions& options() const { return options_; }
    Clock& clock() const { return clock_; }

  private:
    store::Store& store_;
    Clock& clock_;
    QueueOptions options_;
};

// Back-off: doubles from `first` up to `longest`, with a jitter of one eighth, by the number of attempts
// made.
struct RetryPolicy {
    Millis first{60'000};
    Millis longest{3'600'000};
    Millis maximumAge{5LL * 24 * 3'600'000};  // from acceptance to failure
};
Millis retryDelay(const RetryPolicy& policy, int attempts, double jitter /* 0..1 */);

}  // namespace postern::queue
