#include "queue/returned.h"

#include "queue/history.h"
#include "queue/operate.h"
#include "queue/recipients.h"

namespace postern::queue {

namespace {

struct Standing {
    State state = State::Ready;
    std::optional<Epoch> staged;  // the attempt that it rests on; none without evidence
};

Result<std::optional<Standing>> standingOf(store::WriteSession& session, const ReturnedAnswer& answer) {
    std::optional<Standing> standing;
    store::Statement row = session.query(
        "SELECT state, staged_epoch FROM item WHERE id = ?1 AND adapter = ?2", answer.item, answer.adapter);
    while (row.next()) {
        standing = Standing{stateOf(row.text(0)).value_or(State::Publishing), std::nullopt};
        if (!row.isNull(1)) standing->staged = Epoch{row.integer(1)};
    }
    POSTERN_TRY(row.finish());
    return standing;
}

// Nobody can tell which attempt it is about, and there may have been another one before.
bool isUnsure(const Standing& standing, const ReturnedAnswer& answer) {
    return !answer.epoch && standing.staged && *standing.staged != Epoch{1};
}

bool isOfAnother(const Standing& standing, const ReturnedAnswer& answer) {
    return answer.epoch && standing.staged && *standing.staged != *answer.epoch;
}

// Who is refused, as they stand in the item. In an item in doubt those that wait for a person count too.
Result<std::vector<RecipientRow>> refusedOf(store::WriteSession& session, const ReturnedAnswer& answer,
                                            bool inDoubt) {
    constexpr const char* kHave =
        "SELECT ordinal, address FROM recipient WHERE item_id = ?1"
        " AND (outcome = 'exported' OR (?2 AND outcome = 'pending')) ORDER BY ordinal";
    std::vector<RecipientRow> rows;
    store::Statement have = session.query(kHave, answer.item, inDoubt);
    while (have.next()) {
        RecipientRow row;
        row.ordinal = static_cast<int>(have.integer(0));
        row.address = have.text(1);
        bool refused = !answer.refused;
        if (answer.refused)
            for (const RecipientRow& each : *answer.refused)
                if (each.ordinal == row.ordinal) {
                    refused = true;
                    row.reason = each.reason;
                    row.status = each.status;
                }
        if (row.reason.empty()) row.reason = answer.text;
        if (refused) rows.push_back(std::move(row));
    }
    POSTERN_TRY(have.finish());
    return rows;
}

// What its recipients say of an item some of which were given back. Guarded by the state they were read in.
Result<void> endItem(store::WriteSession& session, const ReturnedAnswer& answer, State from, WallTime now) {
    POSTERN_LET(waiting, pendingRecipients(session, answer.item));
    if (!waiting.empty()) return {};
    POSTERN_LET(exported, anyExported(session, answer.item));
    const State to = exported ? State::Exported : State::Failed;
    if (to == from) return {};
    constexpr const char* kEnd =
        "UPDATE item SET state = ?3, reason = ?4, settled_ms = ?5,"
        " evidence = iif(?3 = 'exported', evidence, NULL),"
        " staged_epoch = iif(?3 = 'exported', staged_epoch, NULL) WHERE id = ?1 AND state = ?2";
    POSTERN_TRY(session.run(kEnd, answer.item, stateName(from), stateName(to), answer.text, toMillis(now)));
    return {};
}

Result<void> refuse(store::WriteSession& session, const ReturnedAnswer& answer, State from, WallTime now,
                    const Teller& tell) {
    POSTERN_LET(refused, refusedOf(session, answer, from == State::InDoubt));
    // A sender who was told that it was handed on is told of the failure all the same (RFC 3461 6.2).
    constexpr const char* kFail =
        "UPDATE recipient SET outcome = 'failed', reason = ?3, reported = iif(reported = 'final', '', "
        "reported) WHERE item_id = ?1 AND ordinal = ?2 AND outcome IN ('exported', 'pending')";
    for (const RecipientRow& row : refused) {
        POSTERN_TRY(session.run(kFail, answer.item, row.ordinal, row.reason));
        POSTERN_TRY(record(session, answer.item, now, history::kService, history::kRecipient,
                           row.address + ": given back, " + row.reason));
    }
    POSTERN_TRY(endItem(session, answer, from, now));
    return tellFailed(session, tell, answer.item, now, "", refused);
}

// Out of `exported`, so that a person, or the policy, can say what becomes of it.
Result<void> doubt(store::WriteSession& session, const ReturnedAnswer& answer, WallTime now) {
    constexpr const char* kDoubt =
        "UPDATE item SET state = ?2, reason = ?3, settled_ms = NULL, doubted = 1,"
        " due_ms = iif(?2 = 'ready', ?4, due_ms),"
        " expires_ms = iif(?2 = 'ready', max(expires_ms, ?5), expires_ms),"
        " evidence = iif(?2 = 'ready', NULL, evidence),"
        " staged_epoch = iif(?2 = 'ready', NULL, staged_epoch) WHERE id = ?1 AND state = 'exported'";
    constexpr const char* kPending =
        "UPDATE recipient SET outcome = 'pending', reported = iif(reported = 'final', '', reported)"
        " WHERE item_id = ?1 AND outcome = 'exported'";
    const State to = answer.resend ? State::Ready : State::InDoubt;
    POSTERN_TRY(session.run(kDoubt, answer.item, stateName(to), answer.text, toMillis(now),
                            toMillis(now + kSecondLife)));
    POSTERN_TRY(session.run(kPending, answer.item));
    return record(session, answer.item, now, history::kService,
                  answer.resend ? history::kDeferred : history::kInDoubt, answer.text);
}

}  // namespace

Result<Taken> takeReturned(store::WriteSession& session, const ReturnedAnswer& answer, WallTime now,
                           const Teller& tell) {
    POSTERN_LET(standing, standingOf(session, answer));
    if (!standing) return Taken::Nowhere;
    if (standing->state == State::Claimed || standing->state == State::Publishing) return Taken::Early;
    constexpr const char* kOnce =
        "INSERT INTO returned (adapter, token, item_id, at_ms) VALUES (?1, ?2, ?3, ?4)"
        " ON CONFLICT (adapter, token) DO NOTHING";
    POSTERN_LET(first, session.run(kOnce, answer.adapter, answer.token, answer.item, toMillis(now)));
    if (first == 0) return Taken::Before;
    const bool another = isOfAnother(*standing, answer), unsure = isUnsure(*standing, answer);
    POSTERN_TRY(record(session, answer.item, now, history::kService, history::kReturned,
                       answer.text + (another  ? " (of an earlier attempt)"
                                      : unsure ? " (of which attempt is not known)"
                                               : "")));
    const bool takes = standing->state == State::Exported || standing->state == State::InDoubt;
    if (another || !takes) return Taken::Past;
    if (answer.doubt || unsure) {
        if (standing->state != State::Exported || !standing->staged) return Taken::Past;
        POSTERN_TRY(doubt(session, answer, now));
        return Taken::Doubted;
    }
    POSTERN_TRY(refuse(session, answer, standing->state, now, tell));
    return Taken::Now;
}

}  // namespace postern::queue
