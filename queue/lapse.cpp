// What nobody brings to an end by himself: claims whose holder is gone or stalled, and items past their age.

#include <utility>

#include "base/log.h"
#include "queue/history.h"
#include "queue/queue.h"
#include "queue/recipients.h"

namespace postern::queue {

namespace {

struct Held {
    ItemId item;
    Epoch epoch;
    int deaths = 0;  // this one included
    bool died = false;
    bool asked = false;  // publishing: somebody took it over before us, to ask the adapter
    std::string unanswered;
};

// Items in a state whose holder does not count any more, with whether that holder died: another process did
// (one process owns a store), a thread of ours only stalled. A lease that ends later than any given now was
// given before the clock was set back, and would never end.
constexpr char kLapsedClaimed[] = R"sql(
SELECT id, epoch, deaths + (owner <> ?2), owner <> ?2, 0, '' FROM item INDEXED BY item_held_by
 WHERE adapter = ?1 AND state IN ('claimed', 'publishing') AND state = 'claimed' AND ?7 <> ''
   AND (lease_ms <= ?3 OR lease_ms > ?4 OR (?5 <> 0 AND owner <> ?2))
 LIMIT ?6)sql";
// Whoever asked about an item and was told to come again (?7 is how such reasons begin) did not die of it,
// whatever its process came to since.
constexpr char kLapsedPublishing[] = R"sql(
SELECT id, epoch, deaths + (owner <> ?2 AND reason NOT LIKE ?7), owner <> ?2 AND reason NOT LIKE ?7,
       epoch > staged_epoch, reason
  FROM item INDEXED BY item_held_by
 WHERE adapter = ?1 AND state IN ('claimed', 'publishing') AND state = 'publishing' AND deaths = 0
   AND (lease_ms <= ?3 OR lease_ms > ?4 OR (?5 <> 0 AND owner <> ?2))
 LIMIT ?6)sql";
// Those that may kill whoever asks come alone, and only while no worker of ours has another such item: as
// suspects are claimed, and for the same reason (claim_sql.h). The least suspected first, so that the
// innocent are asked about before the guilty kills the next process.
constexpr char kLapsedSuspect[] = R"sql(
SELECT id, epoch, deaths + (owner <> ?2 AND reason NOT LIKE ?7), owner <> ?2 AND reason NOT LIKE ?7,
       epoch > staged_epoch, reason
  FROM item AS it INDEXED BY item_held_by
 WHERE adapter = ?1 AND state IN ('claimed', 'publishing') AND state = 'publishing' AND deaths > 0
   AND (lease_ms <= ?3 OR lease_ms > ?4 OR (?5 <> 0 AND owner <> ?2))
   AND NOT EXISTS (SELECT 1 FROM item AS other
                    WHERE other.state IN ('claimed', 'publishing') AND other.deaths > 1
                      AND other.owner = ?2 AND other.lease_ms > ?3 AND other.lease_ms <= ?4
                      AND other.id <> it.id AND other.reason NOT LIKE ?7)
 ORDER BY deaths, id LIMIT min(?6, 1))sql";

// The legacy side never heard of a claimed item, so it may simply be tried again. The epoch stays: the late
// holder is fenced by the state until the next claim raises it.
constexpr char kBackToReady[] = R"sql(
UPDATE item SET state = 'ready', owner = NULL, lease_ms = NULL, deaths = ?3
 WHERE id = ?1 AND epoch = ?2 AND state = 'claimed')sql";

// Poison: whoever took it died. It waits for a person, with its bytes and its reason (I7).
constexpr char kSetAside[] = R"sql(
UPDATE item SET state = 'held', owner = NULL, lease_ms = NULL, deaths = ?3, reason = ?4
 WHERE id = ?1 AND epoch = ?2 AND state = 'claimed')sql";

// A publishing item may or may not have reached the legacy side: it stays publishing until the adapter was
// asked (I5). The epoch rises, so that a late holder can not settle what we are asking about. That it could
// not be told last time is forgotten until the adapter says so again: who dies from now on dies of it.
constexpr char kTakeOver[] = R"sql(
UPDATE item SET epoch = epoch + 1, owner = ?3, lease_ms = ?4, deaths = ?5,
                reason = CASE WHEN reason LIKE ?6 THEN '' ELSE reason END
 WHERE id = ?1 AND epoch = ?2 AND state = 'publishing'
RETURNING epoch, message_id, grp, attempts, deaths, expires_ms, evidence, staged_epoch, doubted)sql";

// Asking itself kills: nobody asks any more. Its evidence stays for a person, who looks and resolves it.
constexpr char kSetInDoubt[] = R"sql(
UPDATE item SET state = 'in_doubt', owner = NULL, lease_ms = NULL, deaths = ?3, reason = ?4
 WHERE id = ?1 AND epoch = ?2 AND state = 'publishing')sql";

constexpr char kNote[] = R"sql(
UPDATE item SET reason = ?3 WHERE id = ?1 AND epoch = ?2 AND state = 'publishing')sql";

std::string unansweredPattern() {
    return std::string(kUnanswered) + "%";
}

std::string unansweredIn(std::string_view reason) {
    if (!reason.starts_with(kUnanswered)) return {};
    return std::string(reason.substr(kUnanswered.size()));
}

Result<std::vector<Held>> lapsedItems(store::WriteSession& session, const char* sql,
                                      const QueueOptions& options, const std::string& adapter, WallTime now,
                                      bool atStart, int most) {
    std::vector<Held> found;
    const WallTime latestLease = now + options.lease;
    store::Statement rows = session.query(sql, adapter, options.owner, toMillis(now), toMillis(latestLease),
                                          atStart, most, unansweredPattern());
    while (rows.next()) {
        found.push_back({ItemId{rows.integer(0)}, Epoch{rows.integer(1)}, static_cast<int>(rows.integer(2)),
                         rows.integer(3) != 0, rows.integer(4) != 0, unansweredIn(rows.text(5))});
    }
    POSTERN_TRY(rows.finish());
    return found;
}

struct SetAside {
    ItemId item;
    std::string reason;
};

Result<void> freeOne(store::WriteSession& session, const QueueOptions& options, const Held& held,
                     WallTime now, Lapsed& lapsed, std::vector<SetAside>& aside) {
    if (held.died && held.deaths >= options.deathLimit) {
        const std::string reason =
            "its worker died " + std::to_string(held.deaths) + " times while handling it";
        POSTERN_LET(changed, session.run(kSetAside, held.item, held.epoch, held.deaths, reason));
        if (changed == 0) return {};
        ++lapsed.setAside;
        aside.push_back({held.item, reason});
        return record(session, held.item, now, history::kService, history::kHeld, reason);
    }
    POSTERN_LET(changed, session.run(kBackToReady, held.item, held.epoch, held.deaths));
    if (changed == 0) return {};
    ++lapsed.backToReady;
    const std::string why = held.died ? "its process is gone; deaths: " + std::to_string(held.deaths)
                                      : "its worker stalled past the lease";
    return record(session, held.item, now, history::kService, history::kLapsed, why);
}

Result<void> setInDoubt(store::WriteSession& session, const Held& held, WallTime now, Lapsed& lapsed) {
    const std::string reason = "its worker died " + std::to_string(held.deaths) +
                               " times while handling it, and asking whether it is out kills as well: look "
                               "at the legacy side";
    POSTERN_LET(changed, session.run(kSetInDoubt, held.item, held.epoch, held.deaths, reason));
    if (changed == 0) return {};
    lapsed.doubted.push_back(held.item);
    return record(session, held.item, now, history::kService, history::kInDoubt, reason);
}

Result<void> takeOver(store::WriteSession& session, const QueueOptions& options, const std::string& adapter,
                      const Held& held, WallTime now, Lapsed& lapsed) {
    if (held.died && held.asked && held.deaths >= options.deathLimit)
        return setInDoubt(session, held, now, lapsed);
    Interrupted taken;
    taken.unanswered = held.unanswered;
    Claim& claim = taken.claim;
    claim.item = held.item;
    claim.adapter = adapter;
    claim.leaseUntil = now + options.lease;
    {
        store::Statement row = session.query(kTakeOver, held.item, held.epoch, options.owner,
                                             toMillis(claim.leaseUntil), held.deaths, unansweredPattern());
        while (row.next()) {
            claim.epoch = Epoch{row.integer(0)};
            claim.message = MessageId{row.integer(1)};
            claim.group = row.text(2);
            claim.attempts = static_cast<int>(row.integer(3));
            claim.deaths = static_cast<int>(row.integer(4));
            claim.expires = fromMillis(row.integer(5));
            taken.evidence = row.text(6);
            taken.stagedEpoch = Epoch{row.integer(7)};
            claim.doubted = row.integer(8) != 0;
        }
        POSTERN_TRY(row.finish());
    }
    if (!claim.epoch) return {};
    POSTERN_LET(recipients, pendingRecipients(session, held.item));
    claim.recipients = std::move(recipients);
    const bool known = !taken.unanswered.empty();  // asked once a lease: the history has it already
    lapsed.interrupted.push_back(std::move(taken));
    if (known) return {};
    const std::string why =
        held.died ? "its process is gone while it was publishing; deaths: " + std::to_string(held.deaths)
                  : "its worker stalled past the lease while it was publishing";
    return record(session, held.item, now, history::kService, history::kInterrupted, why);
}

Result<void> freeLapsed(store::WriteSession& session, const QueueOptions& options, const std::string& adapter,
                        WallTime now, bool atStart, int most, Lapsed& lapsed, std::vector<SetAside>& aside) {
    POSTERN_LET(claimed, lapsedItems(session, kLapsedClaimed, options, adapter, now, atStart, most));
    for (const Held& held : claimed) POSTERN_TRY(freeOne(session, options, held, now, lapsed, aside));
    return {};
}

void sayWhatIsHeld(const std::string& adapter, const std::vector<SetAside>& aside) {
    for (const SetAside& each : aside)
        LogLine(LogEvent::ItemHeld, each.item).with("adapter", adapter).with("reason", each.reason);
}

}  // namespace

Result<Lapsed> Queue::takeLapsed(const std::string& adapter, bool atStart, int most) {
    Lapsed lapsed;
    std::vector<SetAside> aside;
    const auto work = [&](store::WriteSession& session) -> Result<void> {
        lapsed = {};
        aside.clear();
        const WallTime now = clock_.now();
        POSTERN_LET(publishing,
                    lapsedItems(session, kLapsedPublishing, options_, adapter, now, atStart, most));
        if (publishing.empty()) {
            POSTERN_LET(suspect, lapsedItems(session, kLapsedSuspect, options_, adapter, now, atStart, most));
            publishing = std::move(suspect);
        }
        for (const Held& held : publishing)
            POSTERN_TRY(takeOver(session, options_, adapter, held, now, lapsed));
        const int left = most - static_cast<int>(publishing.size());
        return freeLapsed(session, options_, adapter, now, atStart, left, lapsed, aside);
    };
    POSTERN_TRY(store_.write(work));
    sayWhatIsHeld(adapter, aside);
    return lapsed;
}

Result<int> Queue::freeClaimed(const std::string& adapter, int most) {
    Lapsed lapsed;
    std::vector<SetAside> aside;
    POSTERN_TRY(store_.write([&](store::WriteSession& session) -> Result<void> {
        lapsed = {};
        aside.clear();
        return freeLapsed(session, options_, adapter, clock_.now(), true, most, lapsed, aside);
    }));
    sayWhatIsHeld(adapter, aside);
    return lapsed.backToReady + lapsed.setAside;
}

Result<void> Queue::noteUnanswered(const Claim& claim, const std::string& why, bool isNew) {
    return store_.write([&](store::WriteSession& session) -> Result<void> {
        POSTERN_LET(changed, session.run(kNote, claim.item, claim.epoch, std::string(kUnanswered) + why));
        if (changed == 0 || !isNew) return {};
        return record(session, claim.item, clock_.now(), history::kService, history::kUnanswered, why);
    });
}

namespace {

// A walk over the two small indexes of what waits, outside of the writer: a million take some 100 ms, once a
// minute.
constexpr char kExpired[] = R"sql(
SELECT id, (SELECT size FROM message WHERE id = message_id) FROM item INDEXED BY item_ready
 WHERE adapter = ?1 AND state = 'ready' AND deaths = 0 AND expires_ms <= ?2
UNION ALL
SELECT id, (SELECT size FROM message WHERE id = message_id) FROM item INDEXED BY item_suspect
 WHERE adapter = ?1 AND state = 'ready' AND deaths > 0 AND expires_ms <= ?2
 LIMIT ?3)sql";

// Of mail that may come back to its senders in one transaction: each report holds its mail in memory.
constexpr std::int64_t kMostReturned = 16LL << 20;

// Only from ready: what a watcher holds it ends itself.
constexpr char kFailExpired[] = R"sql(
UPDATE item SET state = ?2, settled_ms = ?3, reason = ?4 WHERE id = ?1 AND state = 'ready')sql";

constexpr char kLastReason[] = "SELECT reason FROM item WHERE id = ?1";

Result<std::string> whyExpired(store::WriteSession& session, ItemId item) {
    store::Statement row = session.query(kLastReason, item);
    std::string reason = "it reached its maximum age before it could be delivered";
    if (row.next() && !row.text(0).empty()) reason += "; last: " + std::string(row.text(0));
    POSTERN_TRY(row.finish());
    return reason;
}

Result<bool> failOne(store::WriteSession& session, const Teller& tell, ItemId item, WallTime now) {
    POSTERN_LET(reason, whyExpired(session, item));
    POSTERN_LET(exported, anyExported(session, item));
    const State state = exported ? State::Exported : State::Failed;
    POSTERN_LET(changed, session.run(kFailExpired, item, stateName(state), toMillis(now), reason));
    if (changed == 0) return false;
    POSTERN_TRY(endPendingRecipients(session, item, "failed", reason));
    POSTERN_TRY(record(session, item, now, history::kService, history::kFailed, reason));
    POSTERN_TRY(tellFailed(session, tell, item, now, "4.4.7"));
    return true;
}

}  // namespace

Result<std::vector<ItemId>> Queue::failExpired(const std::string& adapter, int most) {
    const WallTime now = clock_.now();
    std::vector<ItemId> expired, failed;
    POSTERN_TRY(store_.read([&](store::ReadSession& session) -> Result<void> {
        store::Statement rows = session.query(kExpired, adapter, toMillis(now), most);
        std::int64_t bytes = 0;
        while ((expired.empty() || bytes < kMostReturned) && rows.next()) {
            expired.push_back(ItemId{rows.integer(0)});
            bytes += rows.integer(1);
        }
        return rows.finish();
    }));
    if (expired.empty()) return failed;
    const auto work = [&](store::WriteSession& session) -> Result<void> {
        failed.clear();
        for (const ItemId item : expired) {
            POSTERN_LET(done, failOne(session, options_.tell, item, now));
            if (done) failed.push_back(item);
        }
        return {};
    };
    POSTERN_TRY(store_.write(work));
    return failed;
}

}  // namespace postern::queue
