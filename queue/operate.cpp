#include "queue/operate.h"

#include "queue/history.h"
#include "queue/recipients.h"

namespace postern::queue {

namespace {

// What a verb does, in one table: from which states, to which, and in which words.
struct Rule {
    Verb verb;
    const char* name;
    std::initializer_list<State> from;
    State to;
    const char* done;   // "held"
    const char* takes;  // "only ready items can be held"
    const char* rest;   // what becomes of unresolved recipients; nullptr: they stay pending
};

const Rule kRules[] = {
    {Verb::Hold, "hold", {State::Ready}, State::Held, "held", "only ready items can be held", nullptr},
    {Verb::Release,
     "release",
     {State::Held},
     State::Ready,
     "released, due now",
     "only held items can be released",
     nullptr},
    {Verb::Retry,
     "retry",
     {State::Ready, State::Failed},
     State::Ready,
     "due now",
     "only ready and failed items can be retried",
     nullptr},
    {Verb::Bounce,
     "bounce",
     {State::Ready, State::Held, State::Failed, State::InDoubt},
     State::Failed,
     "failed; its history says who was told",
     "only ready, held, failed and in_doubt items can be bounced",
     "failed"},
    {Verb::Delete,
     "delete",
     {State::Ready, State::Held, State::Failed, State::InDoubt},
     State::Deleted,
     "deleted",
     "only ready, held, failed and in_doubt items can be deleted",
     "deleted"},
    {Verb::ResolveExported,
     "resolve-exported",
     {State::InDoubt},
     State::Exported,
     "resolved as exported",
     "only in_doubt items can be resolved",
     "exported"},
    {Verb::ResolveResend,
     "resolve-resend",
     {State::InDoubt},
     State::Ready,
     "will be sent again, due now",
     "only in_doubt items can be resolved",
     nullptr},
    {Verb::ResolveFailed,
     "resolve-failed",
     {State::InDoubt},
     State::Failed,
     "resolved as failed",
     "only in_doubt items can be resolved",
     "failed"},
};

const Rule& ruleFor(Verb verb) {
    for (const Rule& rule : kRules)
        if (rule.verb == verb) return rule;
    return kRules[0];
}

bool takes(const Rule& rule, State state) {
    for (const State from : rule.from)
        if (from == state) return true;
    return false;
}

struct Found {
    State state;
    std::string adapter;
};

Result<std::optional<Found>> findItem(store::WriteSession& session, ItemId id) {
    std::optional<Found> found;
    store::Statement row = session.query("SELECT state, adapter FROM item WHERE id = ?1", id);
    while (row.next())
        found = Found{stateOf(row.text(0)).value_or(State::Publishing), std::string(row.text(1))};
    POSTERN_TRY(row.finish());
    return found;
}

// Guarded by the state the operator saw: a watcher that claimed it in between wins. A person's decision
// forgets the deaths, or the item would be set aside again at once; the evidence goes when it is decided that
// nothing was published, and stays for the books otherwise.
constexpr char kChange[] = R"sql(
UPDATE item
   SET state = ?3, reason = ?4, settled_ms = ?5,
       due_ms = CASE WHEN ?3 = 'ready' THEN ?6 ELSE due_ms END,
       expires_ms = CASE WHEN ?3 = 'ready' THEN max(expires_ms, ?7) ELSE expires_ms END,
       deaths = CASE WHEN ?3 = 'ready' AND ?2 <> 'ready' THEN 0 ELSE deaths END,
       evidence = CASE WHEN ?3 = 'ready' THEN NULL ELSE evidence END,
       staged_epoch = CASE WHEN ?3 = 'ready' THEN NULL ELSE staged_epoch END
 WHERE id = ?1 AND state = ?2)sql";

Result<void> changeRecipients(store::WriteSession& session, const Rule& rule, State from, ItemId id,
                              const std::string& reason) {
    if (rule.verb == Verb::Retry && from == State::Failed) {
        // Only those that failed: who has the mail must not get it again. It is a new attempt, whose end is
        // told of like any other.
        constexpr const char* kPendingAgain =
            "UPDATE recipient SET outcome = 'pending', reason = '', reported = ''"
            " WHERE item_id = ?1 AND outcome = 'failed'";
        POSTERN_TRY(session.run(kPendingAgain, id));
        return {};
    }
    if (rule.verb == Verb::Bounce && from == State::Failed) {
        // The operator asks for the report once more: the first one had nowhere to go, or was lost.
        constexpr const char* kTellAgain =
            "UPDATE recipient SET reported = '' WHERE item_id = ?1 AND outcome = 'failed'";
        POSTERN_TRY(session.run(kTellAgain, id));
        return {};
    }
    if (rule.rest == nullptr) return {};
    return endPendingRecipients(session, id, rule.rest, rule.to == State::Exported ? "" : reason);
}

Result<VerbResult> operateOne(store::WriteSession& session, const Rule& rule, ItemId id,
                              const std::string& who, const std::string& reason, WallTime now,
                              const Teller& tell) {
    VerbResult result;
    result.item = id;
    POSTERN_LET(found, findItem(session, id));
    if (!found) {
        result.missing = true;
        result.text = "there is no such item";
        return result;
    }
    if (!takes(rule, found->state)) {
        result.text = "is " + std::string(stateName(found->state)) + "; " + rule.takes;
        return result;
    }
    // Who has the mail keeps it, whatever becomes of the others: docs/STATES.md, "Recipients decide the end".
    State to = rule.to;
    POSTERN_LET(partly, anyExported(session, id));
    if (to == State::Failed && partly) to = State::Exported;
    std::optional<std::int64_t> settledAt;
    if (isFinal(to)) settledAt = toMillis(now);
    // A sender may read it: no operator's name. The history has that.
    const bool told = rule.verb == Verb::Bounce && reason.empty();
    const std::string why = told             ? "given up by the postmaster"
                            : reason.empty() ? std::string(rule.name) + " by " + who
                                             : reason;
    POSTERN_LET(changed, session.run(kChange, id, stateName(found->state), stateName(to), why, settledAt,
                                     toMillis(now), toMillis(now + kSecondLife)));
    if (changed != 1) {
        result.text = "changed in the meantime; look again";
        return result;
    }
    POSTERN_TRY(changeRecipients(session, rule, found->state, id, why));
    POSTERN_TRY(record(session, id, now, who, rule.name, reason));
    if (rule.to == State::Failed) POSTERN_TRY(tellFailed(session, tell, id, now, ""));
    if (rule.to == State::Exported) POSTERN_TRY(tellExported(session, tell, id, now));
    result.done = true;
    result.text = rule.done;
    if (rule.to == State::Ready) result.adapter = found->adapter;
    return result;
}

}  // namespace

std::string_view verbName(Verb verb) {
    return ruleFor(verb).name;
}

bool takesState(Verb verb, State from) {
    return takes(ruleFor(verb), from);
}

std::optional<Verb> verbOf(std::string_view name) {
    for (const Rule& rule : kRules)
        if (rule.name == name) return rule.verb;
    return std::nullopt;
}

Result<std::vector<VerbResult>> operate(store::WriteSession& session, Verb verb, std::span<const ItemId> ids,
                                        const std::string& who, const std::string& reason, WallTime now,
                                        const Teller& tell) {
    if (who.empty()) return fail(Errc::Invalid, "an operator has a name");
    std::vector<VerbResult> results;
    results.reserve(ids.size());
    for (const ItemId id : ids) {
        POSTERN_LET(result, operateOne(session, ruleFor(verb), id, who, reason, now, tell));
        results.push_back(std::move(result));
    }
    return results;
}

Result<std::vector<AdapterState>> readAdapterStates(store::ReadSession& session) {
    constexpr const char* kStates =
        "SELECT adapter, state, since_ms, who, reason, until_ms, probe_ms FROM adapter_state ORDER BY "
        "adapter";
    std::vector<AdapterState> states;
    store::Statement rows = session.query(kStates);
    while (rows.next()) {
        AdapterState state;
        state.adapter = rows.text(0);
        state.suspended = rows.text(1) == "suspended";
        state.since = fromMillis(rows.integer(2));
        state.who = rows.text(3);
        state.reason = rows.text(4);
        if (!rows.isNull(5)) state.until = fromMillis(rows.integer(5));
        if (!rows.isNull(6)) state.probe = fromMillis(rows.integer(6));
        states.push_back(std::move(state));
    }
    POSTERN_TRY(rows.finish());
    return states;
}

Result<void> writeAdapterState(store::WriteSession& session, const AdapterState& state) {
    // One row each, the last word counts: nobody but its runner and its operator writes it.
    constexpr const char* kWrite =
        "INSERT INTO adapter_state (adapter, state, since_ms, who, reason, until_ms, probe_ms)"
        " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)"
        " ON CONFLICT (adapter) DO UPDATE SET state = excluded.state, since_ms = excluded.since_ms,"
        " who = excluded.who, reason = excluded.reason, until_ms = excluded.until_ms,"
        " probe_ms = excluded.probe_ms";
    std::optional<std::int64_t> until, probe;
    if (state.until) until = toMillis(*state.until);
    if (state.probe) probe = toMillis(*state.probe);
    POSTERN_TRY(session.run(kWrite, state.adapter, state.suspended ? "suspended" : "running",
                            toMillis(state.since), state.who, state.reason, until, probe));
    return {};
}

}  // namespace postern::queue
