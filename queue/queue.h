#pragma once
// The outbound queue: every change of state a watcher makes, each as one UPDATE guarded by id, old state and,
// for a holder, its epoch (I3). Zero rows changed means "no longer mine": the caller drops what it made and
// touches nothing.
//
//   ready      --claim-->           claimed      epoch + 1
//   claimed    --markPublishing-->  publishing
//   publishing --settle-->          exported | failed | ready | held | in_doubt
//   claimed    --settle-->          failed | ready | held      (never published)
//   claimed    --giveBack-->        ready                      (shutdown)
//   claimed    --takeLapsed-->      ready | held               (the legacy side never heard of it)
//   claimed    --freeClaimed-->     ready | held               (the same, where nobody can ask the adapter)
//   publishing --takeLapsed-->      publishing   epoch + 1     (then the adapter is asked)
//   publishing --takeLapsed-->      in_doubt                   (asking kills: nobody asks any more)
//   ready      --failExpired-->     failed
//
// Thread rule: any thread. No function holds a lock or a transaction after it returns (I4).

#include <span>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/guards.h"
#include "queue/fate.h"
#include "queue/item.h"
#include "store/store.h"

namespace postern::queue {

const std::vector<store::Migration>& queueMigrations();

// Inside the transaction that inserts the message (I1). Exists when an item of that (message, adapter, group)
// is there already or twice in `items`, Invalid when an item has no recipients; nothing is stored then. Due
// at once.
Result<std::vector<ItemId>> enqueue(store::WriteSession& session, MessageId message,
                                    std::span<const NewItem> items, WallTime now);

struct QueueOptions {
    std::string owner;  // this process; a fresh random name at each start
    Millis lease{60'000};
    int deathLimit = 5;  // holders that may die before the item is set aside (held)
    Guards guards{};     // tests only, see base/guards.h
    Teller tell{};       // makes the report in the transaction of the failure; empty: nobody is told
};

// What takeLapsed() found and did.
struct Lapsed {
    int backToReady = 0;                   // were claimed
    int setAside = 0;                      // were claimed and have killed deathLimit holders: held
    std::vector<Interrupted> interrupted;  // were publishing: ours now, to be asked about and settled
    // Were publishing and have killed deathLimit holders, the last ones while the adapter was asked: in doubt
    std::vector<ItemId> doubted;
};

class Queue {
  public:
    Queue(store::Store& store, Clock& clock, QueueOptions options);

    // Claims up to `most` due items of `adapter`, oldest due first, all in one UPDATE; sorted by id. A
    // suspect (an item whose holder died) is claimed alone, when it has been due for longer than every other
    // item: neither kind can starve the other. Attempts are counted here, before anything of the message is
    // read. Items past their expiry come too: the caller fails them.
    Result<std::vector<Claim>> claim(const std::string& adapter, int most);

    // When the next ready item of `adapter` is due; nothing when none waits. A read, no claim.
    Result<std::optional<WallTime>> nextDue(const std::string& adapter);

    // Extends the leases of those still ours, claimed or publishing; the others are missing from the result.
    Result<std::vector<ItemId>> renew(std::span<const Claim> claims);

    // claimed -> publishing, with the adapter's evidence and the epoch that staged it, in one commit; the
    // lease starts anew. Result: those that are ours to publish. Invalid, and nothing changed, when an
    // evidence is empty.
    struct Mark {
        ItemId item;
        Epoch epoch;
        std::string evidence;  // never empty
    };
    Result<std::vector<ItemId>> markPublishing(std::span<const Mark> marks);

    // Ends attempts, in one commit: the item, its recipients and a row of history each. Result: those that
    // were still ours. Exported, InDoubt and a recipient reported as exported apply to publishing only, the
    // others to claimed and publishing.
    //
    // The recipients decide where the item ends: while one is unresolved it is never final (an Exported or
    // Failed settlement that leaves one "pending" makes it ready again at `due`); when all are resolved it is
    // exported if any of them was, in this attempt or before, and failed otherwise. Ready with deathLimit
    // deaths counted is held instead (I7).
    Result<std::vector<ItemId>> settle(std::span<const Settlement> settlements);

    // claimed -> ready, still due, attempt not counted. For shutdown and for claims that were never begun.
    Result<void> giveBack(std::span<const Claim> claims);

    // Items of `adapter` whose lease is over (or can not be ours: it ends later than any lease given now, the
    // clock was set back), and with `atStart` all those of another owner, as the store's lock says that no
    // other process lives. At most `most` of them, so call it until it finds nothing. A death is counted only
    // when the holder was another process: a stall of ours is nobody's death.
    // Publishing items whose taking killed more than one holder are taken alone, as suspects are claimed.
    Result<Lapsed> takeLapsed(const std::string& adapter, bool atStart, int most);

    // The claimed ones of these alone, as at start: nobody has to be asked about them. For an adapter whose
    // watchers do not get so far, because it can not be used, or that is not configured any more: its items
    // reach their age, and operators can move them. Result: how many are not claimed any more.
    Result<int> freeClaimed(const std::string& adapter, int most);

    // The adapter can not tell now what became of this publishing item of ours, and is asked again when its
    // lease is over: why, for whoever looks at the item. `isNew`: a row of history too. Not ours any more:
    // nothing is written.
    Result<void> noteUnanswered(const Claim& claim, const std::string& why, bool isNew);

    // ready -> failed for items past their age, at most `most`, fewer of large mail (their reports are one
    // commit): for an adapter that is suspended and claims nothing (KB Q184051). Result: those that failed.
    Result<std::vector<ItemId>> failExpired(const std::string& adapter, int most);

    // Tells of items whose mail came in `after` ago or earlier and which are not final, whatever they wait
    // for and whoever has them; each is looked at once. `examined` is the caller's place in the walk: ids
    // grow with time, so it goes upwards from 0, and begins again at 0 with the process (who was told is
    // stored). At most `most` items are looked at. Result: whether more may be found at once.
    Result<bool> tellDelays(ItemId& examined, Millis after, int most);

    const QueueOptions& options() const { return options_; }
    Clock& clock() const { return clock_; }

  private:
    store::Store& store_;
    Clock& clock_;
    QueueOptions options_;
};

// Whether the artifact staged under `staged` may still be published or be the only evidence of having been:
// true while that very claim lives or that very artifact is publishing or in doubt. Everything else staged
// for the item is left over and may go.
Result<bool> needsArtifact(store::ReadSession& session, ItemId item, Epoch staged);

// Back-off: doubles from `first` up to `longest` with the number of attempts made; `jitter` adds up to one
// eighth, so that what failed together is not tried together.
struct RetryPolicy {
    Millis first{60'000};
    Millis longest{3'600'000};
    Millis maximumAge{5LL * 24 * 3'600'000};  // from acceptance to failure
    bool operator==(const RetryPolicy&) const = default;
};
Millis retryDelay(const RetryPolicy& policy, int attempts, double jitter /* 0..1 */);

}  // namespace postern::queue
