// What became of attempts whose end nobody saw: the adapter is asked.

#include <exception>

#include "base/log.h"
#include "connector/export/exporter_work.h"
#include "connector/export/settling.h"
#include "queue/restored.h"

namespace postern::exporting {

// A recovery that fails unexpectedly knows nothing: then a person decides, and the process lives.
adapters::Recovery Exporter::ask(const Work& work) {
    try {
        const Pulse::Away away(post_.pulse);
        return post_.adapter.recover({work.claim.item, work.stagedEpoch}, work.job.evidence);
    } catch (const std::exception& error) {
        ++post_.counters.faults;
        LogLine(LogEvent::WorkerFailed, work.claim.item)
            .with("adapter", post_.settings.name)
            .with("reason", error.what());
        return {adapters::Found::CannotTell, std::string("the adapter failed when asked: ") + error.what(),
                std::nullopt};
    }
}

// The adapter is asked what became of a staged artifact; when it can not even look, the item stays as it is
// and is asked about again when its lease is over.
void Exporter::askAbout(Work& work) {
    adapters::Recovery recovery{adapters::Found::NotPublished, "not asked", std::nullopt};
    if (post_.queue.options().guards.askAdapter) recovery = ask(work);
    if (recovery.busy) {
        work.lost = true;
        return noteUnanswered(work, recovery.busy->text);
    }
    if (recovery.unusable) {
        work.lost = true;
        work.job.outcome = adapters::unusable(recovery.unusable->text);
        return;
    }
    if (recovery.known) work.job.outcome = std::move(recovery.known);
    if (work.job.outcome && work.job.outcome->verdict != adapters::Verdict::Unknown) {
        work.suspect = false;
        return;  // every end is known after all: settled as any attempt
    }
    work.settlement = settlementForRecovery(work.claim, recovery, post_.settings, post_.queue.clock().now(),
                                            work.job.outcome ? &*work.job.outcome : nullptr);
}

// An attempt of before the backup that the store was restored from. Not published: the lost store may have
// made another one that was. Published: that is known from the staged file being gone, and the lost store may
// have withdrawn it and swept it away. Nothing of it goes on by itself: a person decides.
void Exporter::keepFromBackup(Work& work) {
    queue::Settlement& settlement = *work.settlement;
    if (!queue::isFromBackup(work.stagedEpoch, work.claim.epoch)) return;
    using Kind = queue::Settlement::Kind;
    if (settlement.kind == Kind::Deferred) settlement.kind = Kind::Held;
    if (settlement.kind == Kind::Exported) settlement.kind = Kind::InDoubt;
    if (settlement.kind != Kind::Held && settlement.kind != Kind::InDoubt) return;
    settlement.reason = std::string(queue::kFromBackup) + "; " + settlement.reason;
    std::erase_if(settlement.recipients,
                  [](const queue::RecipientRow& row) { return row.outcome == "pending"; });
}

// Said once for each reason, however often it is asked again.
void Exporter::noteUnanswered(const Work& work, const std::string& why) {
    const bool isNew = work.unanswered != why;
    const auto noted = post_.queue.noteUnanswered(work.claim, why, isNew);
    if (!noted.ok()) LogLine(LogEvent::StoreTrouble).with("step", "note").with("reason", noted.error().text);
    if (isNew)
        LogLine(LogEvent::ItemUnanswered, work.claim.item)
            .with("adapter", post_.settings.name)
            .with("reason", why);
}

void Exporter::reportDoubted(const queue::Lapsed& lapsed) {
    for (const ItemId item : lapsed.doubted) {
        ++post_.counters.inDoubt;
        LogLine(LogEvent::ItemInDoubt, item)
            .with("adapter", post_.settings.name)
            .with("reason", "its workers died while it was asked about");
    }
}

Result<Round> Exporter::recover(bool atStart) {
    Round total;
    for (;;) {
        POSTERN_LET(lapsed, post_.queue.takeLapsed(post_.settings.name, atStart, 64));
        post_.counters.lapsed += lapsed.backToReady + lapsed.setAside +
                                 static_cast<std::int64_t>(lapsed.doubted.size() + lapsed.interrupted.size());
        const int settled = lapsed.backToReady + lapsed.setAside + static_cast<int>(lapsed.doubted.size());
        total.claimed += settled;
        reportDoubted(lapsed);
        if (lapsed.interrupted.empty()) {
            if (settled == 0) return total;
            continue;
        }
        Works works(lapsed.interrupted.size());
        for (std::size_t i = 0; i < works.size(); ++i) {
            works[i].claim = lapsed.interrupted[i].claim;
            works[i].stagedEpoch = lapsed.interrupted[i].stagedEpoch;
            works[i].job.evidence = lapsed.interrupted[i].evidence;
            works[i].unanswered = lapsed.interrupted[i].unanswered;
            askAbout(works[i]);
            total.claimed += works[i].lost ? 0 : 1;
            post_.counters.recovered += works[i].lost ? 0 : 1;
        }
        POSTERN_LET(round, settle(works));
        if (!round.unusable.empty()) {
            total.unusable = round.unusable;
            return total;
        }
    }
}

}  // namespace postern::exporting
