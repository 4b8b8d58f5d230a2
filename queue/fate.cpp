#include "queue/fate.h"

#include <algorithm>

namespace postern::queue {

namespace {

// Each UPDATE is the guard: two that would tell of the same recipient find one row between them.
constexpr char kTakeFailed[] = R"sql(
UPDATE recipient SET reported = 'final'
 WHERE item_id = ?1 AND outcome = 'failed' AND reported <> 'final'
RETURNING ordinal, address, legacy, outcome, reason, notify, original)sql";

constexpr char kTakeExported[] = R"sql(
UPDATE recipient SET reported = 'final'
 WHERE item_id = ?1 AND outcome = 'exported' AND reported <> 'final' AND instr(notify, 'success') > 0
RETURNING ordinal, address, legacy, outcome, reason, notify, original)sql";

constexpr char kTakeDelayed[] = R"sql(
UPDATE recipient SET reported = 'delayed'
 WHERE item_id = ?1 AND outcome = 'pending' AND reported = '' AND (notify = '' OR instr(notify, 'delay') > 0)
RETURNING ordinal, address, legacy, outcome, reason, notify, original)sql";

Result<std::vector<RecipientRow>> take(store::WriteSession& session, const char* sql, ItemId item) {
    std::vector<RecipientRow> rows;
    store::Statement taken = session.query(sql, item);
    while (taken.next()) {
        RecipientRow row;
        row.ordinal = static_cast<int>(taken.integer(0));
        row.address = taken.text(1);
        row.legacy = taken.text(2);
        row.outcome = taken.text(3);
        row.reason = taken.text(4);
        row.notify = taken.text(5);
        row.original = taken.text(6);
        rows.push_back(std::move(row));
    }
    POSTERN_TRY(taken.finish());
    // RETURNING promises no order.
    std::sort(rows.begin(), rows.end(),
              [](const RecipientRow& a, const RecipientRow& b) { return a.ordinal < b.ordinal; });
    return rows;
}

struct Facts {
    MessageId message;
    std::string adapter, reason;
    State state = State::Ready;
    WallTime expires;
    std::int64_t serial = 0;
};

Result<Facts> factsOf(store::WriteSession& session, ItemId item) {
    constexpr const char* kFacts =
        "SELECT message_id, adapter, reason, state, expires_ms,"
        " (SELECT coalesce(max(n), 0) FROM history WHERE item_id = ?1) FROM item WHERE id = ?1";
    Facts facts;
    store::Statement row = session.query(kFacts, item);
    while (row.next()) {
        facts.message = MessageId{row.integer(0)};
        facts.adapter = row.text(1);
        facts.reason = row.text(2);
        facts.state = stateOf(row.text(3)).value_or(State::Ready);
        facts.expires = fromMillis(row.integer(4));
        facts.serial = row.integer(5);
    }
    POSTERN_TRY(row.finish());
    return facts;
}

Result<void> tellOf(store::WriteSession& session, const Teller& tell, Fate fate) {
    POSTERN_LET(facts, factsOf(session, fate.item));
    fate.message = facts.message;
    fate.adapter = facts.adapter;
    fate.serial = facts.serial;
    if (fate.kind == Fate::Kind::Delayed) {
        const bool waitsForPerson = facts.state == State::Held || facts.state == State::InDoubt;
        if (!waitsForPerson) fate.until = facts.expires;
        for (RecipientRow& row : fate.recipients)
            if (row.reason.empty()) row.reason = facts.reason;
    }
    return tell(session, fate);
}

}  // namespace

Result<void> tellFailed(store::WriteSession& session, const Teller& tell, ItemId item, WallTime now,
                        const std::string& status, const std::vector<RecipientRow>& known) {
    if (!tell) return {};
    POSTERN_LET(rows, take(session, kTakeFailed, item));
    if (rows.empty()) return {};
    for (RecipientRow& row : rows) {
        row.status = status;
        for (const RecipientRow& each : known)
            if (each.ordinal == row.ordinal) row.status = each.status;
    }
    return tellOf(session, tell, {Fate::Kind::Failed, item, {}, {}, now, std::move(rows), {}, 0});
}

Result<void> tellExported(store::WriteSession& session, const Teller& tell, ItemId item, WallTime now) {
    if (!tell) return {};
    POSTERN_LET(rows, take(session, kTakeExported, item));
    if (rows.empty()) return {};
    return tellOf(session, tell, {Fate::Kind::Exported, item, {}, {}, now, std::move(rows), {}, 0});
}

Result<void> tellDelayed(store::WriteSession& session, const Teller& tell, ItemId item, WallTime now) {
    if (!tell) return {};
    // It may have ended since it was found.
    POSTERN_LET(facts, factsOf(session, item));
    if (isFinal(facts.state)) return {};
    POSTERN_LET(rows, take(session, kTakeDelayed, item));
    if (rows.empty()) return {};
    return tellOf(session, tell, {Fate::Kind::Delayed, item, {}, {}, now, std::move(rows), {}, 0});
}

}  // namespace postern::queue
