#include "connector/export/settling.h"

#include "base/random.h"
#include "base/text.h"

namespace postern::exporting {

namespace {

using adapters::Found;
using adapters::Verdict;
using queue::Settlement;

Settlement blank(const queue::Claim& claim, Settlement::Kind kind, std::string reason) {
    Settlement settlement;
    settlement.kind = kind;
    settlement.item = claim.item;
    settlement.epoch = claim.epoch;
    settlement.reason = std::move(reason);
    return settlement;
}

WallTime nextTry(const queue::Claim& claim, const config::Adapter& settings, WallTime now) {
    const double jitter = static_cast<double>(randomBelow(1000)) / 1000.0;
    return now + queue::retryDelay(settings.retry, claim.attempts, jitter);
}

// Ready again after the back-off, or failed when that would be past its age.
Settlement later(const queue::Claim& claim, std::string reason, const config::Adapter& settings,
                 WallTime now) {
    const WallTime due = nextTry(claim, settings, now);
    if (due >= claim.expires) {
        const std::string age = formatDurationMillis(settings.retry.maximumAge.count());
        return blank(claim, Settlement::Kind::Failed, "not delivered within " + age + "; last: " + reason);
    }
    Settlement settlement = blank(claim, Settlement::Kind::Deferred, std::move(reason));
    settlement.due = due;
    return settlement;
}

// The recipients whose end differs from their item's: an adapter may refuse one and take the others.
std::vector<queue::RecipientRow> resolved(const queue::Claim& claim, const adapters::Outcome& outcome) {
    std::vector<queue::RecipientRow> rows;
    for (const adapters::RecipientVerdict& verdict : outcome.recipients) {
        for (const queue::RecipientRow& recipient : claim.recipients) {
            if (recipient.ordinal != verdict.ordinal) continue;
            rows.push_back(recipient);
            rows.back().outcome = verdict.verdict == Verdict::Exported   ? "exported"
                                  : verdict.verdict == Verdict::Rejected ? "failed"
                                                                         : "pending";
            rows.back().reason = verdict.reason;
        }
    }
    return rows;
}

}  // namespace

Settlement settlementFor(const queue::Claim& claim, const adapters::Outcome& outcome,
                         const config::Adapter& settings, WallTime now) {
    Settlement settlement;
    if (outcome.adapterUnusable) {
        // The mail is not to blame: due at once, for the moment the adapter works again.
        settlement = blank(claim, Settlement::Kind::Deferred, outcome.reason);
        settlement.due = now;
        settlement.uncounted = true;
    } else if (outcome.verdict == Verdict::Exported) {
        settlement = blank(claim, Settlement::Kind::Exported, outcome.reason);
        settlement.target = outcome.target;
    } else if (outcome.verdict == Verdict::Rejected) {
        settlement = blank(claim, Settlement::Kind::Failed, outcome.reason);
    } else {
        settlement = later(claim, outcome.reason, settings, now);
    }
    settlement.recipients = resolved(claim, outcome);
    if (settlement.due == WallTime())
        settlement.due = nextTry(claim, settings, now);  // for recipients still pending
    return settlement;
}

Settlement settlementForRecovery(const queue::Claim& claim, const adapters::Recovery& recovery,
                                 const config::Adapter& settings, WallTime now) {
    switch (recovery.found) {
        case Found::Published: {
            Settlement settlement =
                blank(claim, Settlement::Kind::Exported, "found published: " + recovery.text);
            settlement.target = recovery.text;
            return settlement;
        }
        case Found::NotPublished: {
            Settlement settlement =
                blank(claim, Settlement::Kind::Deferred, "found not published: " + recovery.text);
            settlement.due = now;
            return settlement;
        }
        case Found::CannotTell: break;
    }
    if (settings.onDoubt == config::OnDoubt::Hold)
        return blank(claim, Settlement::Kind::InDoubt, recovery.text);
    Settlement settlement =
        later(claim, "in doubt, sent again as configured: " + recovery.text, settings, now);
    return settlement;
}

}  // namespace postern::exporting
