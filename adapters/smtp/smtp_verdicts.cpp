#include "adapters/smtp/smtp_verdicts.h"

#include <utility>

namespace postern::adapters {

namespace {

const RecipientVerdict* firstWith(const std::vector<RecipientVerdict>& list, Verdict verdict) {
    for (const RecipientVerdict& each : list)
        if (each.verdict == verdict) return &each;
    return nullptr;
}

}  // namespace

RecipientVerdict verdictOf(int ordinal, const SmtpReply& reply, const std::string& where) {
    if (reply.good()) return {ordinal, Verdict::Exported, where + ": " + reply.text(), reply.status};
    const Outcome outcome = outcomeOfReply(reply, where);
    return {ordinal, outcome.verdict, outcome.reason, outcome.status, outcome.cause};
}

Outcome combined(std::vector<RecipientVerdict> known, const std::string& doubt) {
    const RecipientVerdict* taken = firstWith(known, Verdict::Exported);
    const RecipientVerdict* waits = firstWith(known, Verdict::Deferred);
    Outcome outcome;
    if (!doubt.empty()) {
        outcome = unknown(doubt);
    } else if (taken != nullptr) {
        outcome = exported(taken->reason);
    } else if (waits != nullptr) {
        outcome = deferred(waits->reason, waits->cause);
        outcome.status = waits->status;
    } else {
        outcome = rejected(known.front().reason);
        outcome.status = known.front().status;
    }
    for (RecipientVerdict& each : known)
        if (!doubt.empty() || each.verdict != outcome.verdict || outcome.verdict == Verdict::Rejected)
            outcome.recipients.push_back(std::move(each));
    return outcome;
}

}  // namespace postern::adapters
