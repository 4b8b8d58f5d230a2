#include "connector/export/settling.h"

#include <algorithm>
#include <optional>
#include <unordered_map>

#include "base/random.h"
#include "base/text.h"
#include "mail/address.h"

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
    // Known from the claim, so that an export nobody asked about costs no look.
    settlement.successAsked = std::any_of(
        claim.recipients.begin(), claim.recipients.end(),
        [](const queue::RecipientRow& row) { return row.notify.find("success") != std::string::npos; });
    return settlement;
}

// Back-off as the adapter's rules say for this class of error, else as the adapter itself.
struct BackOff {
    queue::RetryPolicy policy;
    std::optional<Millis> age;  // a rule's own limit
};

BackOff backOffFor(adapters::Cause cause, const config::Adapter& settings) {
    BackOff found{settings.retry, std::nullopt};
    if (const config::RetryRule* rule = config::ruleFor(settings.policy, cause)) {
        found.policy.first = rule->first;
        found.policy.longest = rule->longest;
        found.age = rule->age;
    }
    return found;
}

WallTime nextTry(const queue::Claim& claim, const queue::RetryPolicy& policy, WallTime now) {
    const double jitter = static_cast<double>(randomBelow(1000)) / 1000.0;
    return now + queue::retryDelay(policy, claim.attempts, jitter);
}

Settlement tooOld(const queue::Claim& claim, Millis age, const std::string& reason) {
    Settlement settlement =
        blank(claim, Settlement::Kind::Failed,
              "not delivered within " + formatDurationMillis(age.count()) + "; last: " + reason);
    settlement.status = "4.4.7";  // RFC 3463 3.5: delivery time expired
    return settlement;
}

// Ready again after the back-off, or failed when that would be past its age. The age of a rule counts from
// when the mail came in; an unknown time (0) has none.
Settlement later(const queue::Claim& claim, std::string reason, adapters::Cause cause, WallTime received,
                 const config::Adapter& settings, WallTime now) {
    const BackOff backOff = backOffFor(cause, settings);
    const WallTime due = nextTry(claim, backOff.policy, now);
    if (backOff.age && received != WallTime() && due >= received + *backOff.age)
        return tooOld(claim, *backOff.age, reason);
    if (due >= claim.expires) return tooOld(claim, settings.retry.maximumAge, reason);
    Settlement settlement = blank(claim, Settlement::Kind::Deferred, std::move(reason));
    settlement.due = due;
    return settlement;
}

// The ordinal of the recipient that stands for each one, by its own ordinal: the first of the same name.
std::unordered_map<int, int> spokesmen(const queue::Claim& claim) {
    std::unordered_map<int, int> standsFor;
    std::unordered_map<std::string, int> first;
    for (const queue::RecipientRow& recipient : claim.recipients) {
        const std::string name = mail::foldLegacyName(recipient.legacy);
        const int ordinal = recipient.ordinal;
        standsFor[ordinal] = name.empty() ? ordinal : first.try_emplace(name, ordinal).first->second;
    }
    return standsFor;
}

// The recipients whose end differs from their item's: an adapter may refuse one and take the others.
std::vector<queue::RecipientRow> resolved(const queue::Claim& claim, const adapters::Outcome& outcome) {
    std::vector<queue::RecipientRow> rows;
    if (outcome.recipients.empty()) return rows;
    const auto standsFor = spokesmen(claim);
    for (const adapters::RecipientVerdict& verdict : outcome.recipients) {
        for (const queue::RecipientRow& recipient : claim.recipients) {
            if (standsFor.at(recipient.ordinal) != verdict.ordinal) continue;
            if (verdict.verdict == Verdict::Unknown) continue;  // unlisted: as its item
            rows.push_back(recipient);
            rows.back().outcome = verdict.verdict == Verdict::Exported   ? "exported"
                                  : verdict.verdict == Verdict::Rejected ? "failed"
                                                                         : "pending";
            rows.back().reason = verdict.reason;
            rows.back().status = verdict.status;
        }
    }
    return rows;
}

// An item whose age is over waits for nobody: else it would fail anew each round.
void endWaiting(Settlement& settlement) {
    if (settlement.kind != Settlement::Kind::Failed) return;
    std::erase_if(settlement.recipients,
                  [](const queue::RecipientRow& row) { return row.outcome == "pending"; });
}

// "2 of 3 recipients wait: a@x, b@x: 452 ...": of those left behind the first speaks for all, and their own
// reasons stand with them. Empty: none is left.
std::string whoWaits(const queue::Claim& claim, const std::vector<queue::RecipientRow>& ends) {
    constexpr std::size_t kNamed = 3;
    std::string names, reason;
    std::size_t count = 0;
    for (const queue::RecipientRow& row : ends) {
        if (row.outcome != "pending") continue;
        if (++count == 1) reason = row.reason;
        if (count <= kNamed) names += (count == 1 ? "" : ", ") + row.address;
    }
    if (count == 0) return {};
    if (count > kNamed) names += " and " + std::to_string(count - kNamed) + " more";
    return std::to_string(count) + " of " + std::to_string(claim.recipients.size()) +
           (count == 1 ? " recipients waits: " : " recipients wait: ") + names +
           (reason.empty() ? "" : ": " + reason);
}

}  // namespace

adapters::Cause causeOfWaiting(const adapters::Outcome& outcome) {
    if (outcome.verdict == Verdict::Deferred) return outcome.cause;
    for (const adapters::RecipientVerdict& each : outcome.recipients)
        if (each.verdict == Verdict::Deferred) return each.cause;
    return outcome.cause;
}

std::vector<adapters::Recipient> namedOnce(const queue::Claim& claim) {
    const auto standsFor = spokesmen(claim);
    std::vector<adapters::Recipient> named;
    for (const queue::RecipientRow& row : claim.recipients)
        if (standsFor.at(row.ordinal) == row.ordinal)
            named.push_back({row.ordinal, row.address, row.legacy, row.notify, row.original});
    return named;
}

Settlement settlementFor(const queue::Claim& claim, const adapters::Outcome& outcome, WallTime received,
                         const config::Adapter& settings, WallTime now) {
    Settlement settlement;
    if (outcome.adapterUnusable || (outcome.verdict == Verdict::Deferred && outcome.again)) {
        // The mail is not to blame: due at once, or for the moment the adapter works again.
        settlement = blank(claim, Settlement::Kind::Deferred, outcome.reason);
        settlement.due = now;
        settlement.uncounted = true;
    } else if (outcome.verdict == Verdict::Exported) {
        settlement = blank(claim, Settlement::Kind::Exported, outcome.reason);
        settlement.target = outcome.target;
        // Each round delivers to some, so this ends, and it was no attempt of those whose turn had not come.
        settlement.uncounted = outcome.again;
        if (outcome.again)
            settlement.due = now;
        else
            settlement.due = nextTry(claim, backOffFor(causeOfWaiting(outcome), settings).policy, now);
    } else if (outcome.verdict == Verdict::Rejected) {
        settlement = blank(claim, Settlement::Kind::Failed, outcome.reason);
        settlement.status = outcome.status;
    } else {
        settlement = later(claim, outcome.reason, outcome.cause, received, settings, now);
    }
    settlement.recipients = resolved(claim, outcome);
    if (outcome.verdict == Verdict::Deferred) endWaiting(settlement);
    if (outcome.verdict == Verdict::Exported)
        if (std::string waits = whoWaits(claim, settlement.recipients); !waits.empty())
            settlement.reason = std::move(waits);
    if (settlement.due == WallTime())
        settlement.due = nextTry(claim, settings.retry, now);  // for recipients still pending
    return settlement;
}

namespace {

// Nobody can tell, of those recipients at least whose end is not known.
Settlement doubtful(const queue::Claim& claim, const std::string& text, const config::Adapter& settings,
                    WallTime now) {
    switch (settings.onDoubt) {
        case config::OnDoubt::Resend:
            return later(claim, "in doubt, sent again as configured: " + text, adapters::Cause::Other,
                         WallTime(), settings, now);
        case config::OnDoubt::ReceiverDedupes:
            return later(claim,
                         "in doubt, sent again: its receiver is configured to drop the second by its "
                         "Message-ID: " +
                             text,
                         adapters::Cause::Other, WallTime(), settings, now);
        case config::OnDoubt::Hold: break;
    }
    Settlement settlement = blank(claim, Settlement::Kind::InDoubt, text);
    settlement.due = nextTry(claim, settings.retry, now);  // for recipients that surely do not have it
    return settlement;
}

}  // namespace

Settlement settlementForRecovery(const queue::Claim& claim, const adapters::Recovery& recovery,
                                 const config::Adapter& settings, WallTime now,
                                 const adapters::Outcome* told) {
    Settlement settlement;
    switch (recovery.found) {
        case Found::Published:
            settlement = blank(claim, Settlement::Kind::Exported, "found published: " + recovery.text);
            settlement.target = recovery.text;
            break;
        case Found::NotPublished:
            settlement = blank(claim, Settlement::Kind::Deferred, "found not published: " + recovery.text);
            break;
        case Found::CannotTell: settlement = doubtful(claim, recovery.text, settings, now); break;
    }
    settlement.doubted = recovery.found == Found::CannotTell;
    if (settlement.due == WallTime()) settlement.due = now;
    if (told != nullptr) settlement.recipients = resolved(claim, *told);
    endWaiting(settlement);
    return settlement;
}

}  // namespace postern::exporting
