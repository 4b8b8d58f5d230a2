// The end of an attempt: what the holder reports becomes the state of the item and of each recipient.

#include <algorithm>
#include <utility>

#include "queue/history.h"
#include "queue/queue.h"
#include "queue/recipients.h"

namespace postern::queue {

namespace {

using Kind = Settlement::Kind;

// What a settlement means for this item, given the recipients that are still unresolved.
struct Ending {
    State state = State::Ready;
    std::string_view rest;    // the outcome of those that stay unlisted: pending, exported, failed
    bool published = false;   // something reached the legacy side, so the item must stand in publishing
    bool failedSome = false;  // a recipient ends as failed, so its sender is told
    std::vector<const RecipientRow*> resolved;  // the listed ones that end now
    std::vector<RecipientRow> apart;            // of an item in doubt: those that surely do not have it
};

State stateFor(Kind kind) {
    switch (kind) {
        case Kind::Exported: return State::Exported;
        case Kind::Deferred: return State::Ready;
        case Kind::Failed: return State::Failed;
        case Kind::Held: return State::Held;
        case Kind::InDoubt: return State::InDoubt;
    }
    return State::Ready;
}

std::string_view restFor(Kind kind) {
    if (kind == Kind::Exported) return "exported";
    return kind == Kind::Failed ? "failed" : "pending";
}

const RecipientRow* listedAs(const Settlement& settlement, int ordinal) {
    for (const RecipientRow& row : settlement.recipients)
        if (row.ordinal == ordinal) return &row;
    return nullptr;
}

Result<Ending> endingOf(store::WriteSession& session, const Settlement& settlement) {
    Ending ending;
    ending.state = stateFor(settlement.kind);
    ending.rest = restFor(settlement.kind);
    ending.published = settlement.kind == Kind::Exported || settlement.kind == Kind::InDoubt;
    // The usual case needs no look: all end alike, and nothing can contradict it.
    if (settlement.recipients.empty() && settlement.kind != Kind::Failed) return ending;
    ending.failedSome = settlement.kind == Kind::Failed;

    POSTERN_LET(pending, pendingRecipients(session, settlement.item));
    POSTERN_LET(exported, anyExported(session, settlement.item));
    bool waits = false, doubt = false;
    for (const RecipientRow& row : pending) {
        const RecipientRow* listed = listedAs(settlement, row.ordinal);
        const std::string_view outcome = listed != nullptr ? std::string_view(listed->outcome) : ending.rest;
        if (outcome != "exported" && outcome != "failed") {
            waits = true;
            doubt = doubt || listed == nullptr;
            if (listed != nullptr && settlement.kind == Kind::InDoubt) ending.apart.push_back(row);
            continue;
        }
        if (listed != nullptr) ending.resolved.push_back(listed);
        exported = exported || outcome == "exported";
        ending.failedSome = ending.failedSome || outcome == "failed";
        ending.published = ending.published || outcome == "exported";
    }
    if (!waits)
        ending.state = exported ? State::Exported : State::Failed;
    else if (isFinal(ending.state))
        ending.state = State::Ready;
    if (settlement.kind == Kind::InDoubt && !doubt && waits) {  // nobody is in doubt after all
        ending.state = State::Ready;
        ending.apart.clear();
    }
    return ending;
}

// The holder's last word, believed only while the item still is in its hands: the epoch says so. Evidence
// stays with what was or may have been published and goes with everything else. An item that would be ready
// once more, but whose holders died too often, is set aside instead (I7).
constexpr char kSettle[] = R"sql(
UPDATE item
   SET state = CASE WHEN ?4 = 'ready' AND deaths + ?10 >= ?11 THEN 'held' ELSE ?4 END,
       owner = NULL, lease_ms = NULL, due_ms = CASE WHEN ?4 = 'ready' THEN ?5 ELSE due_ms END,
       settled_ms = ?6, target = CASE WHEN ?7 = '' THEN target ELSE ?7 END,
       reason = CASE WHEN ?4 = 'ready' AND deaths + ?10 >= ?11
                     THEN 'its worker died ' || (deaths + ?10) || ' times while handling it; last: ' || ?8
                     ELSE ?8 END,
       attempts = max(attempts - ?9, 0), deaths = deaths + ?10, doubted = max(doubted, ?12),
       evidence = CASE WHEN ?4 IN ('exported', 'in_doubt') THEN evidence END,
       staged_epoch = CASE WHEN ?4 IN ('exported', 'in_doubt') THEN staged_epoch END
 WHERE id = ?1 AND epoch = ?2 AND (state = 'publishing' OR (state = 'claimed' AND ?3 = 0)))sql";
// Tests only: the last one to speak is right.
constexpr char kSettleUnguarded[] = R"sql(
UPDATE item
   SET state = CASE WHEN ?4 = 'ready' AND deaths + ?10 >= ?11 THEN 'held' ELSE ?4 END,
       owner = NULL, lease_ms = NULL, due_ms = CASE WHEN ?4 = 'ready' THEN ?5 ELSE due_ms END,
       settled_ms = ?6, target = CASE WHEN ?7 = '' THEN target ELSE ?7 END,
       reason = CASE WHEN ?4 = 'ready' AND deaths + ?10 >= ?11
                     THEN 'its worker died ' || (deaths + ?10) || ' times while handling it; last: ' || ?8
                     ELSE ?8 END,
       attempts = max(attempts - ?9, 0), deaths = deaths + ?10, doubted = max(doubted, ?12),
       evidence = CASE WHEN ?4 IN ('exported', 'in_doubt') THEN evidence END,
       staged_epoch = CASE WHEN ?4 IN ('exported', 'in_doubt') THEN staged_epoch END
 WHERE id = ?1)sql";

constexpr char kAsSettled[] = "SELECT state, attempts, deaths FROM item WHERE id = ?1";

struct Settled {
    State state = State::Ready;
    int attempts = 0, deaths = 0;
};

Result<std::optional<Settled>> changeItem(store::WriteSession& session, const QueueOptions& options,
                                          const Settlement& settlement, const Ending& ending, WallTime now) {
    std::optional<std::int64_t> settledAt;
    if (isFinal(ending.state)) settledAt = toMillis(now);
    const bool deferred = settlement.kind == Kind::Deferred;
    const bool again = deferred || (settlement.kind == Kind::Exported && ending.state == State::Ready);
    POSTERN_LET(
        changed,
        session.run(options.guards.epoch ? kSettle : kSettleUnguarded, settlement.item, settlement.epoch,
                    ending.published, stateName(ending.state), toMillis(settlement.due), settledAt,
                    settlement.target, settlement.reason, again && settlement.uncounted,
                    deferred && settlement.suspect, options.deathLimit, deferred && settlement.doubted));
    std::optional<Settled> settled;
    if (changed == 0) return settled;
    // Asked for apart: RETURNING would cost a table of its own for each item.
    store::Statement row = session.query(kAsSettled, settlement.item);
    while (row.next()) {
        settled = Settled{stateOf(row.text(0)).value_or(ending.state), static_cast<int>(row.integer(1)),
                          static_cast<int>(row.integer(2))};
    }
    POSTERN_TRY(row.finish());
    return settled;
}

// Those that wait each have the reason of this attempt: their own, or their item's.
Result<void> sayWhyTheyWait(store::WriteSession& session, const Settlement& settlement) {
    constexpr const char* kNoMore =
        "UPDATE recipient SET reason = '' WHERE item_id = ?1 AND outcome = 'pending' AND reason <> ''";
    constexpr const char* kWhy =
        "UPDATE recipient SET reason = ?3 WHERE item_id = ?1 AND ordinal = ?2 AND outcome = 'pending'";
    POSTERN_TRY(session.run(kNoMore, settlement.item));
    for (const RecipientRow& row : settlement.recipients)
        if (row.outcome == "pending")
            POSTERN_TRY(session.run(kWhy, settlement.item, row.ordinal, row.reason));
    return {};
}

Result<void> changeRecipients(store::WriteSession& session, const Settlement& settlement,
                              const Ending& ending, WallTime now) {
    // Only what is unresolved can be resolved: an end, once recorded, stays.
    constexpr const char* kEnd =
        "UPDATE recipient SET outcome = ?3, reason = ?4"
        " WHERE item_id = ?1 AND ordinal = ?2 AND outcome = 'pending'";
    for (const RecipientRow* row : ending.resolved) {
        POSTERN_TRY(session.run(kEnd, settlement.item, row->ordinal, row->outcome, row->reason));
        if (row->outcome == ending.rest) continue;
        const std::string detail =
            row->address + ": " + row->outcome + (row->reason.empty() ? "" : ", " + row->reason);
        POSTERN_TRY(record(session, settlement.item, now, history::kService, history::kRecipient, detail));
    }
    if (ending.rest == "pending") return sayWhyTheyWait(session, settlement);
    const std::string_view reason = ending.rest == "failed" ? std::string_view(settlement.reason) : "";
    if (settlement.recipients.empty())
        return endPendingRecipients(session, settlement.item, ending.rest, reason);
    // One by one: listed ones that wait are not to be swept along.
    POSTERN_LET(left, pendingRecipients(session, settlement.item));
    for (const RecipientRow& row : left) {
        if (listedAs(settlement, row.ordinal) != nullptr) continue;
        POSTERN_TRY(session.run(kEnd, settlement.item, row.ordinal, ending.rest, reason));
        if (ending.state == State::Ready)
            POSTERN_TRY(record(session, settlement.item, now, history::kService, history::kRecipient,
                               row.address + ": " + std::string(ending.rest)));
    }
    return sayWhyTheyWait(session, settlement);
}

// An item in doubt waits for a person, who says of all its unresolved recipients at once what became of them:
// those that surely do not have it must not be among them. They go on in an item of their own.
Result<void> setApart(store::WriteSession& session, const Settlement& settlement, const Ending& ending,
                      WallTime now) {
    if (ending.apart.empty()) return {};
    constexpr const char* kOf =
        "SELECT message_id, adapter, expires_ms, attempts, doubted FROM item WHERE id = ?1";
    NewItem item;
    MessageId message;
    std::int64_t attempts = 0, doubted = 0;
    {
        store::Statement row = session.query(kOf, settlement.item);
        while (row.next()) {
            message = MessageId{row.integer(0)};
            item.adapter = row.text(1);
            item.expires = fromMillis(row.integer(2));
            attempts = row.integer(3);
            doubted = row.integer(4);  // by an earlier attempt
        }
        POSTERN_TRY(row.finish());
    }
    // An epoch is settled once, so these names never meet.
    item.group =
        "from-" + std::to_string(settlement.item.value) + "-e" + std::to_string(settlement.epoch.value);
    item.recipients = ending.apart;
    POSTERN_LET(ids, enqueue(session, message, std::span(&item, 1), now));
    const std::string where = "goes on in item " + std::to_string(ids.front().value);
    constexpr const char* kLater = "UPDATE item SET due_ms = ?2, attempts = ?3, doubted = ?4 WHERE id = ?1";
    POSTERN_TRY(session.run(kLater, ids.front(), toMillis(settlement.due), attempts, doubted));
    constexpr const char* kGone =
        "UPDATE recipient SET outcome = 'deleted', reason = ?3"
        " WHERE item_id = ?1 AND ordinal = ?2 AND outcome = 'pending'";
    constexpr const char* kReported =
        "UPDATE recipient SET reported = 'delayed' WHERE item_id = ?2 AND address IN"
        " (SELECT address FROM recipient WHERE item_id = ?1 AND reported = 'delayed')";
    POSTERN_TRY(session.run(kReported, settlement.item, ids.front()));
    for (const RecipientRow& row : ending.apart) {
        POSTERN_TRY(session.run(kGone, settlement.item, row.ordinal, where));
        const RecipientRow* listed = listedAs(settlement, row.ordinal);
        POSTERN_TRY(record(session, settlement.item, now, history::kService, history::kRecipient,
                           row.address + ": " + where + ", " + listed->reason));
    }
    const std::string origin = "from item " + std::to_string(settlement.item.value) +
                               ", which is in doubt for others; these do not have it";
    return record(session, ids.front(), now, history::kService, history::kMoved, origin);
}

std::string_view wordFor(const Settlement& settlement, State state) {
    if (settlement.kind == Kind::Exported && state == State::Ready) return history::kPartly;
    switch (state) {
        case State::Exported: return history::kExported;
        case State::Failed: return history::kFailed;
        case State::Held: return history::kHeld;
        case State::InDoubt: return history::kInDoubt;
        default: return history::kDeferred;
    }
}

std::string detailOf(const Settlement& settlement, const Settled& settled) {
    std::string detail = "attempt " + std::to_string(settled.attempts);
    const bool again = settlement.kind == Kind::Deferred || settled.state == State::Ready;
    if (again && settlement.uncounted) detail = "not counted";
    if (settled.state == State::Held && settlement.kind == Kind::Deferred)
        detail += ", its worker died " + std::to_string(settled.deaths) + " times while handling it";
    if (!settlement.target.empty()) detail += ": " + settlement.target;
    if (!settlement.reason.empty()) detail += ": " + settlement.reason;
    if (settled.state == State::Ready) detail += "; again at " + formatUtc(settlement.due);
    return detail;
}

// False: not the holder's any more, and nothing was changed.
Result<bool> settleOne(store::WriteSession& session, const QueueOptions& options,
                       const Settlement& settlement, WallTime now) {
    POSTERN_LET(ending, endingOf(session, settlement));
    POSTERN_LET(settled, changeItem(session, options, settlement, ending, now));
    if (!settled) return false;
    POSTERN_TRY(changeRecipients(session, settlement, ending, now));
    POSTERN_TRY(setApart(session, settlement, ending, now));
    for (const std::string& note : settlement.notes)
        POSTERN_TRY(record(session, settlement.item, now, history::kService, history::kNote, note));
    POSTERN_TRY(record(session, settlement.item, now, history::kService, wordFor(settlement, settled->state),
                       detailOf(settlement, *settled)));
    if (ending.failedSome)
        POSTERN_TRY(tellFailed(session, options.tell, settlement.item, now, settlement.status,
                               settlement.recipients));
    if (settlement.successAsked) POSTERN_TRY(tellExported(session, options.tell, settlement.item, now));
    return true;
}

}  // namespace

Result<std::vector<ItemId>> Queue::settle(std::span<const Settlement> settlements) {
    std::vector<ItemId> ours;
    const auto work = [&](store::WriteSession& session) -> Result<void> {
        ours.clear();
        const WallTime now = clock_.now();
        for (const Settlement& settlement : settlements) {
            POSTERN_LET(mine, settleOne(session, options_, settlement, now));
            if (mine) ours.push_back(settlement.item);
        }
        return {};
    };
    POSTERN_TRY(store_.write(work));
    return ours;
}

}  // namespace postern::queue
