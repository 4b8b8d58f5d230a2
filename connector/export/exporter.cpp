#include "connector/export/exporter.h"

#include <algorithm>
#include <exception>
#include <unordered_set>

#include "base/log.h"
#include "connector/export/capture.h"
#include "connector/export/exporter_work.h"
#include "connector/export/settling.h"
#include "queue/move.h"

namespace postern::exporting {

Exporter::~Exporter() = default;

namespace {

constexpr const char* kNoAnswer = "the adapter gave no answer";

// Runs `step` on the jobs that are still under way, moved together as the contract's span asks.
template <class Works, class Step>
void withPendingJobs(Works& works, Step step) {
    std::vector<adapters::Job> jobs;
    std::vector<std::size_t> places;
    for (std::size_t i = 0; i < works.size(); ++i) {
        if (works[i].lost || works[i].job.outcome) continue;
        jobs.push_back(std::move(works[i].job));
        places.push_back(i);
    }
    if (!jobs.empty()) step(std::span<adapters::Job>(jobs));
    for (std::size_t i = 0; i < places.size(); ++i) works[places[i]].job = std::move(jobs[i]);
}

}  // namespace

int Exporter::batchSize() const {
    return std::min(post_.settings.batch, post_.adapter.batchLimit());
}

Result<Round> Exporter::exportBatch(const std::function<bool()>& stopping, int most) {
    const auto begun = std::chrono::steady_clock::now();
    POSTERN_LET(claims, post_.queue.claim(post_.settings.name, std::min(most, batchSize())));
    if (claims.empty()) return Round{};
    post_.counters.claimed += static_cast<std::int64_t>(claims.size());
    if (stopping()) {
        POSTERN_TRY(post_.queue.giveBack(claims));
        return Round{};
    }
    Works works(claims.size());
    for (std::size_t i = 0; i < claims.size(); ++i) {
        works[i].claim = claims[i];
        works[i].stagedEpoch = claims[i].epoch;
    }
    const auto beat = heartbeat(claims);
    load(works);
    stage(works, beat);
    if (post_.settings.capture > Millis{0}) capture(works, stopping, beat);
    if (stopping()) POSTERN_TRY(giveBackCutOff(works));
    if (post_.queue.options().guards.publishingMark) {
        POSTERN_TRY(mark(works));
        publish(works, beat);
    } else {  // tests only: the naive order, which doubles mail when we die or stall in between
        publish(works, beat);
        POSTERN_TRY(mark(works));
    }
    POSTERN_LET(round, settle(works));
    post_.counters.batchTimes.observe(std::chrono::steady_clock::now() - begun);
    round.claimed = static_cast<int>(claims.size());
    return round;
}

// What hasten() cut off is begun anew by the next start, as if it had not been.
Result<void> Exporter::giveBackCutOff(Works& works) {
    std::vector<queue::Claim> claims;
    for (Work& work : works) {
        if (!work.job.outcome || !work.job.outcome->adapterUnusable) continue;
        work.job.outcome.reset();
        work.lost = true;
        claims.push_back(work.claim);
    }
    return claims.empty() ? Result<void>() : post_.queue.giveBack(claims);
}

std::function<void()> Exporter::heartbeat(const std::vector<queue::Claim>& claims) {
    return [this, claims, last = post_.queue.clock().steady()]() mutable {
        post_.pulse.beat();
        const SteadyTime now = post_.queue.clock().steady();
        if (now - last < post_.queue.options().lease / 3) return;
        last = now;
        // A failure to renew needs no answer here: the lease lapses and the guards of mark and settle decide.
        if (const auto renewed = post_.queue.renew(claims); !renewed.ok())
            LogLine(LogEvent::StoreTrouble).with("step", "renew").with("reason", renewed.error().text);
    };
}

void Exporter::load(Works& works) {
    const auto read = post_.store.read([&](store::ReadSession& session) -> Result<void> {
        for (Work& work : works) loadOne(session, work);
        return {};
    });
    if (read.ok()) return;
    for (Work& work : works)
        if (!work.job.outcome) work.job.outcome = adapters::deferred(read.error().text);
}

void Exporter::loadOne(store::ReadSession& session, Work& work) {
    adapters::Delivery& delivery = work.job.delivery;
    delivery.key = {work.claim.item, work.claim.epoch};
    delivery.recipients = namedOnce(work.claim);
    if (work.claim.expires <= post_.queue.clock().now()) {
        work.job.outcome = adapters::rejected("it reached its maximum age before it could be delivered");
        work.job.outcome->status = "4.4.7";
        return;
    }
    const auto row = store::readMessage(session, work.claim.message);
    auto body = row.ok() ? store::openBody(session, post_.store.folder(), work.claim.message)
                         : Result<std::unique_ptr<ByteSource>>(row.error());
    if (!body.ok()) {
        // A row without its content can never be delivered; anything else may heal.
        work.job.outcome = body.error().code == Errc::NotFound ? adapters::rejected(body.error().text)
                                                               : adapters::deferred(body.error().text);
        return;
    }
    work.body = std::move(body).value();
    delivery.sender = row->sender;
    delivery.received = row->received;
    delivery.envelopeId = row->envelopeId;
    delivery.ret = row->ret;
    delivery.message = work.body.get();
}

// An adapter that throws broke its contract (A5), with one of these in hand: each is tried again alone, and
// set aside when it does so again and again (I7, KB Q176375). What it staged is swept later.
void Exporter::stage(Works& works, const std::function<void()>& beat) {
    std::string fault;
    withPendingJobs(works, [&](std::span<adapters::Job> jobs) {
        try {
            const Pulse::Away away(post_.pulse);
            post_.adapter.stage(jobs, beat);
        } catch (const std::exception& error) {
            fault = std::string("the adapter failed unexpectedly: ") + error.what();
            ++post_.counters.faults;
            LogLine(LogEvent::WorkerFailed, jobs.front().delivery.key.item)
                .with("adapter", post_.settings.name)
                .with("reason", fault);
        }
    });
    for (Work& work : works) {
        if (work.job.outcome) continue;
        if (!fault.empty()) {
            work.suspect = true;
            work.job.outcome = adapters::deferred(fault);
        } else if (work.job.evidence.empty()) {
            work.job.outcome = adapters::deferred("the adapter staged nothing and gave no reason");
        }
        if (work.job.outcome) work.job.evidence.clear();
    }
}

// After the stage, which is the attempt; nothing that happens here is the mail's fault.
void Exporter::capture(Works& works, const std::function<bool()>& stopping,
                       const std::function<void()>& beat) {
    for (Work& work : works) {
        if (work.job.evidence.empty()) continue;
        if (stopping()) return;
        const Pulse::Away away(post_.pulse);
        const auto kept = captureArtifact(post_.store.folder(), post_.settings, post_.adapter,
                                          work.job.delivery, post_.reserve ? post_.reserve() : 0, beat);
        if (kept.ok()) captured_ += *kept;
        if (kept.ok()) continue;
        work.job.notes.push_back("no copy of it was captured: " + kept.error().text);
        LogLine(LogEvent::StoreTrouble, work.claim.item)
            .with("step", "capture")
            .with("adapter", post_.settings.name)
            .with("reason", kept.error().text);
    }
    // The housekeeper looks each minute; a burst must not wait for it.
    if (captured_ < post_.settings.captureLimit / 8) return;
    captured_ = 0;
    const auto pruned = pruneCaptured(post_.store.folder(), post_.settings.name, post_.settings.capture,
                                      post_.settings.captureLimit, post_.queue.clock().now());
    if (!pruned.ok())
        LogLine(LogEvent::StoreTrouble).with("step", "capture").with("reason", pruned.error().text);
}

Result<void> Exporter::mark(Works& works) {
    std::vector<queue::Queue::Mark> marks;
    for (const Work& work : works)
        if (!work.job.evidence.empty() && !work.lost)
            marks.push_back({work.claim.item, work.claim.epoch, work.job.evidence});
    if (marks.empty()) return {};
    // On an error the staged files stay: the commit may yet surface, and then they are the evidence
    // (RELIABILITY 1.4.1).
    POSTERN_LET(ours, post_.queue.markPublishing(marks));
    const std::unordered_set<ItemId> mine(ours.begin(), ours.end());
    for (Work& work : works) {
        if (work.job.evidence.empty() || mine.count(work.claim.item) != 0) continue;
        if (!work.job.outcome) {
            const Pulse::Away away(post_.pulse);
            post_.adapter.abandon(work.job);
        }
        work.lost = true;
        ++post_.counters.fenced;
        LogLine(LogEvent::ItemFenced, work.claim.item)
            .with("adapter", post_.settings.name)
            .with("at", "publishing");
    }
    return {};
}

void Exporter::publish(Works& works, const std::function<void()>& beat) {
    withPendingJobs(works, [&](std::span<adapters::Job> jobs) {
        try {
            const Pulse::Away away(post_.pulse);
            post_.adapter.publish(jobs, beat);
        } catch (const std::exception& error) {
            ++post_.counters.faults;
            LogLine(LogEvent::WorkerFailed, jobs.front().delivery.key.item)
                .with("adapter", post_.settings.name)
                .with("reason", error.what());
        }
        for (adapters::Job& job : jobs)
            if (!job.outcome) job.outcome = adapters::unknown(kNoAnswer);
    });
    for (Work& work : works) {
        if (work.lost || work.job.outcome->verdict != adapters::Verdict::Unknown) continue;
        work.suspect = work.job.outcome->reason == kNoAnswer;
        askAbout(work);
    }
}

Result<Round> Exporter::settle(Works& works) {
    Round round;
    std::vector<queue::Settlement> settlements;
    for (Work& work : works) {
        if (work.job.outcome && work.job.outcome->adapterUnusable) round.unusable = work.job.outcome->reason;
        if (work.lost) continue;
        if (!work.settlement)
            work.settlement = settlementFor(work.claim, *work.job.outcome, work.job.delivery.received,
                                            post_.settings, post_.queue.clock().now());
        if (work.stagedEpoch) keepFromBackup(work);
        if (work.suspect) blame(work);
        const bool none = work.settlement->kind == queue::Settlement::Kind::Deferred;
        if (none && work.settlement->uncounted) ++round.uncounted;
        work.settlement->notes = std::move(work.job.notes);
        settlements.push_back(*work.settlement);
    }
    if (settlements.empty()) return round;
    POSTERN_LET(ours, post_.queue.settle(settlements));
    const std::unordered_set<ItemId> mine(ours.begin(), ours.end());
    for (const Work& work : works) {
        if (work.lost) continue;
        if (mine.count(work.claim.item) != 0) {
            report(*work.settlement, work);
            if (wantsFallback(work)) moveToFallback(work);
            continue;
        }
        ++post_.counters.fenced;
        LogLine(LogEvent::ItemFenced, work.claim.item)
            .with("adapter", post_.settings.name)
            .with("at", "settle");
    }
    return round;
}

void Exporter::blame(Work& work) {
    queue::Settlement& settlement = *work.settlement;
    if (settlement.kind != queue::Settlement::Kind::Deferred) return;
    if (work.claim.deaths + 1 >= post_.queue.options().deathLimit) {
        settlement.kind = queue::Settlement::Kind::Held;
        return;
    }
    settlement.suspect = true;
    settlement.due = post_.queue.clock().now();
}

// Nothing of it is published, the attempt counted, and the mail is not under suspicion. A mail that was ever
// in doubt and tried again (on_doubt other than "hold") stays here: to move it would put the doubt into two
// places.
bool Exporter::wantsFallback(const Work& work) const {
    const queue::Settlement& settlement = *work.settlement;
    return post_.settings.fallbackAfter > 0 && work.claim.attempts >= post_.settings.fallbackAfter &&
           settlement.kind == queue::Settlement::Kind::Deferred && !settlement.uncounted &&
           !settlement.suspect && !settlement.doubted && !work.claim.doubted && post_.elsewhere.regroup;
}

// The item is ready again and not due for a while. Dying before this commit leaves it so: its next failed
// attempt leads here.
void Exporter::moveToFallback(const Work& work) {
    const std::string& fallback = post_.settings.fallback;
    queue::MoveOrder order;
    order.item = work.claim.item;
    order.epoch = work.claim.epoch;
    order.adapter = fallback;
    order.who = "postern";
    order.reason = "after " + std::to_string(work.claim.attempts) + " failed attempts";
    const auto regroup = [&](const std::vector<queue::RecipientRow>& recipients, WallTime received) {
        return post_.elsewhere.regroup(fallback, recipients, received);
    };
    queue::Moved moved;
    const auto written = post_.store.write([&](store::WriteSession& session) -> Result<void> {
        POSTERN_LET(done, queue::moveItem(session, order, regroup, post_.queue.clock().now()));
        moved = std::move(done);
        return {};
    });
    LogLine line(written.ok() && !moved.items.empty() ? LogEvent::ItemMoved : LogEvent::StoreTrouble,
                 order.item);
    line.with("adapter", post_.settings.name).with("fallback", fallback);
    line.with("what", written.ok() ? moved.text : written.error().text);
    if (moved.items.empty()) return;
    ++post_.counters.moved;
    if (post_.elsewhere.hint) post_.elsewhere.hint(fallback);
}

namespace {

// Where an attempt led, as the log and the counters have it. One that leaves recipients waiting ends nothing.
struct Ending {
    LogEvent event;
    std::atomic<std::int64_t> Counters::*counter;
    bool waits;
};

Ending endingOf(const queue::Settlement& settlement) {
    using Kind = queue::Settlement::Kind;
    const bool some = std::any_of(settlement.recipients.begin(), settlement.recipients.end(),
                                  [](const queue::RecipientRow& row) { return row.outcome == "pending"; });
    switch (settlement.kind) {
        case Kind::Exported:
            if (some) return {LogEvent::ItemPartly, &Counters::deferred, true};
            return {LogEvent::ItemExported, &Counters::exported, false};
        case Kind::Failed:
            if (some) break;
            return {LogEvent::ItemFailed, &Counters::failed, false};
        case Kind::Held: return {LogEvent::ItemHeld, &Counters::held, false};
        case Kind::InDoubt: return {LogEvent::ItemInDoubt, &Counters::inDoubt, false};
        case Kind::Deferred: break;
    }
    return {LogEvent::ItemDeferred, &Counters::deferred, true};
}

// Up to five of them.
std::string named(const std::vector<std::string>& addresses) {
    constexpr std::size_t kNamed = 5;
    std::string all;
    for (std::size_t i = 0; i < std::min(kNamed, addresses.size()); ++i)
        all += (all.empty() ? "" : ",") + addresses[i];
    if (addresses.size() > kNamed) all += ",+" + std::to_string(addresses.size() - kNamed);
    return all;
}

void sayWho(LogLine& line, const queue::Claim& claim, const queue::Settlement& settlement) {
    std::vector<std::string> served, waiting;
    for (const queue::RecipientRow& each : claim.recipients) {
        const auto listed =
            std::find_if(settlement.recipients.begin(), settlement.recipients.end(),
                         [&](const queue::RecipientRow& row) { return row.ordinal == each.ordinal; });
        const std::string_view end =
            listed == settlement.recipients.end() ? std::string_view("exported") : listed->outcome;
        if (end == "exported") served.push_back(each.address);
        if (end == "pending") waiting.push_back(each.address);
    }
    line.with("exported", named(served)).with("waiting", named(waiting));
}

}  // namespace

void Exporter::report(const queue::Settlement& settlement, const Work& work) {
    const Ending ending = endingOf(settlement);
    ++(post_.counters.*ending.counter);
    const WallTime received = work.job.delivery.received;
    if (settlement.kind == queue::Settlement::Kind::Exported && toMillis(received) > 0)
        post_.counters.deliveryTimes.observe(post_.queue.clock().now() - received);
    if (!work.unanswered.empty())
        LogLine(LogEvent::ItemAnswered, settlement.item).with("adapter", post_.settings.name);
    LogLine line(ending.event, settlement.item);
    line.with("adapter", post_.settings.name).with("message", "m" + std::to_string(work.claim.message.value));
    if (ending.waits && settlement.uncounted)
        line.with("attempt", "not counted");
    else
        line.with("attempt", work.claim.attempts);
    if (!settlement.target.empty()) line.with("target", settlement.target);
    if (ending.event == LogEvent::ItemPartly) sayWho(line, work.claim, settlement);
    if (ending.waits) {
        line.with("until", formatUtc(settlement.due));
        if (work.job.outcome) line.with("class", adapters::causeName(causeOfWaiting(*work.job.outcome)));
    }
    if (!settlement.reason.empty()) line.with("reason", settlement.reason);
}

}  // namespace postern::exporting
