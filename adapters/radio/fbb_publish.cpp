#include <algorithm>

#include "adapters/radio/fbb.h"
#include "adapters/spool/spool_evidence.h"
#include "adapters/spool/staging.h"
#include "base/folder_access.h"
#include "base/peer.h"
#include "base/text.h"

namespace postern::adapters {

namespace {

constexpr std::int64_t kPiece = 64 * 1024;

// `length` bytes of `from` to the end of `to`.
Result<void> copyPart(File& from, std::int64_t offset, std::int64_t length, std::string& piece, File& to) {
    while (length > 0) {
        piece.resize(static_cast<std::size_t>(std::min(length, kPiece)));
        POSTERN_LET(got, from.readAt(offset, piece.data(), piece.size()));
        if (got == 0) return fail(Errc::Corrupt, "a file is shorter than it was");
        piece.resize(got);
        POSTERN_TRY(to.write(piece));
        offset += static_cast<std::int64_t>(got);
        length -= static_cast<std::int64_t>(got);
    }
    return {};
}

// A last line without its end would swallow our first one.
Result<bool> endsInsideLine(File& file, std::int64_t size) {
    char last = '\n';
    if (size > 0) {
        POSTERN_LET(got, file.readAt(size - 1, &last, 1));
        if (got != 1) return fail(Errc::Io, "it can not be read to its end");
    }
    return last != '\n';
}

}  // namespace

Outcome Fbb::done() const {
    return exported(joinPath(plan_.spool.folder, plan_.file));
}

// There is one file for everybody: what is wrong with it is no mail's fault. Nor is a stop that could not
// wait.
Outcome Fbb::trouble(const Error& error) const {
    if (error.code == Errc::Busy && !hasty_) return deferred(error.text, Cause::Busy);
    return unusableBy(
        explainDenied(error, {plan_.spool.folder, done().target, stagePath(context_, plan_.spool)}));
}

Result<void> Fbb::syncBoth(const SpoolFolders& folders, const LiveFolder& board) const {
    POSTERN_TRY(board.folder.sync());
    return folders.stage().sync();
}

// By bundle, in the order given.
std::vector<std::pair<std::string, std::vector<std::pair<Job*, fbb::Evidence>>>> Fbb::sorted(
    std::span<Job> jobs, const SpoolFolders& folders) {
    std::vector<std::pair<std::string, std::vector<std::pair<Job*, fbb::Evidence>>>> bundles;
    for (Job& job : jobs) {
        if (job.outcome) continue;
        const auto evidence = fbb::parseEvidence(job.evidence);
        if (!evidence || evidence->token != folders.token()) {
            job.outcome = unknown(evidence ? "its stage folder was made anew since"
                                           : "the record of its staged message is damaged: " + job.evidence);
            continue;
        }
        if (bundles.empty() || bundles.back().first != evidence->bundle)
            bundles.push_back({evidence->bundle, {}});
        bundles.back().second.push_back({&job, *evidence});
    }
    return bundles;
}

void Fbb::publish(std::span<Job> jobs, const std::function<void()>& beat) {
    const auto held = folders();
    if (!held.ok()) return endAll(jobs, unknown(held.error().text));
    if (const auto ours = (*held)->stillOurs(); !ours.ok()) return endAll(jobs, unknown(ours.error().text));
    const auto board = (*held)->live("");
    if (!board.ok()) return endAll(jobs, unknown(board.error().text));
    for (auto& [bundle, members] : sorted(jobs, **held)) {
        Publishing publishing{**held, **board, beat, bundle, std::move(members)};
        publishBundle(publishing);
    }
}

// Waits for the locks, not longer than `lock_wait`.
void Fbb::publishBundle(Publishing& publishing) const {
    const SteadyTime deadline = Clock::system().steady() + plan_.lockWait;
    for (;;) {
        for (std::size_t i = 0; i < publishing.jobs.size(); ++i) publishing.beat();
        const auto published = publishUnderOwnLock(publishing);
        if (published.ok()) return;
        if (published.error().code == Errc::Busy && !hasty_ && Clock::system().steady() < deadline) {
            waitForLock(deadline);
            continue;
        }
        return giveUp(publishing, trouble(published.error()));
    }
}

// An Error: none of the jobs left was begun.
Result<void> Fbb::publishUnderOwnLock(Publishing& publishing) const {
    const auto own = takeOwnLock(publishing.folders.stage(), plan_.file);
    if (!own.ok()) return own.error();
    POSTERN_TRY(leaveOutDecided(publishing));
    if (publishing.jobs.empty()) return {};
    POSTERN_LET(lock, MailboxLock::take(publishing.board.folder, plan_.file, plan_.lock, false));
    return merge(publishing, *lock);
}

// Those that are published already, and those that a recovery has withdrawn.
Result<void> Fbb::leaveOutDecided(Publishing& publishing) const {
    POSTERN_LET(published, fbb::settle(publishing.folders.stage(), publishing.bundle));
    if (!context_.guards.noReplace) published.clear();  // tests only: as if nothing was written down
    std::vector<std::pair<Job*, fbb::Evidence>> left;
    for (auto& [job, evidence] : publishing.jobs) {
        POSTERN_LET(withdrawn, publishing.folders.withdrawn().has(evidence.key));
        if (std::find(published.begin(), published.end(), evidence.key) != published.end()) {
            job->outcome = done();
            job->notes.push_back("found published");
        } else if (withdrawn) {
            job->outcome = deferred("its staged message was withdrawn by a recovery");
        } else {
            POSTERN_TRY(fbb::withdrawEarlierKeys(publishing.folders, job->delivery.key));
            left.push_back({job, evidence});
        }
    }
    publishing.jobs = std::move(left);
    return {};
}

Result<void> Fbb::merge(Publishing& publishing, MailboxLock& lock) const {
    const Folder& stage = publishing.folders.stage();
    POSTERN_LET(round, fbb::nextRound(stage, publishing.bundle));
    auto prepared = writeMerged(publishing, lock, round.merged);
    if (prepared.ok() && context_.guards.noReplace) {
        prepared = [&]() -> Result<void> {
            std::vector<std::string> keys;
            for (const auto& [job, evidence] : publishing.jobs) keys.push_back(evidence.key);
            POSTERN_LET(journal, stage.create(round.journal, 0600));
            POSTERN_TRY(journal.write(fbb::keyLine(keys)));
            POSTERN_TRY(journal.sync());
            return stage.sync();
        }();
    }
    publishing.beat();
    if (!prepared.ok()) {
        POSTERN_TRY(fbb::undo(stage, round));
        return prepared;
    }
    // Our lock file keeps others away; a file that is open is replaced neither on FAT nor on a share of
    // Windows.
    lock.file() = File();
    return commit(publishing, round);
}

Result<void> Fbb::writeMerged(Publishing& publishing, MailboxLock& lock, const std::string& name) const {
    const Folder& stage = publishing.folders.stage();
    std::int64_t old = 0, added = 0;
    if (lock.exists()) {
        POSTERN_LET(size, lock.file().size());
        old = size;
    }
    for (const auto& [job, evidence] : publishing.jobs) added += evidence.length;
    if (old > 0 && old + added > plan_.fileLimit)
        return fail(Errc::Busy, "the board has not read " + done().target + " yet, " + formatSize(old));
    POSTERN_LET(merged, stage.create(name, plan_.spool.fileMode));
    if (publishing.board.group) POSTERN_TRY(setFileGroup(merged, *publishing.board.group));
    POSTERN_TRY(setOpenFileMode(merged.handle(), plan_.spool.fileMode));
    POSTERN_LET(bundle, stage.openRead(publishing.bundle));
    std::string piece;
    if (old > 0) {
        POSTERN_TRY(copyPart(lock.file(), 0, old, piece, merged));
        POSTERN_LET(open, endsInsideLine(lock.file(), old));
        if (open) POSTERN_TRY(merged.write("\n"));
    }
    // Neighbours in the bundle are copied together.
    for (std::size_t i = 0; i < publishing.jobs.size();) {
        const std::int64_t begin = publishing.jobs[i].second.offset;
        std::int64_t end = begin;
        for (; i < publishing.jobs.size() && publishing.jobs[i].second.offset == end; ++i)
            end += publishing.jobs[i].second.length;
        POSTERN_TRY(copyPart(bundle, begin, end - begin, piece, merged));
        publishing.beat();
    }
    return merged.sync();
}

// The one rename, under both locks. Behind it the jobs are published, whatever else fails.
Result<void> Fbb::commit(Publishing& publishing, const fbb::Round& round) const {
    const SpoolFolders& folders = publishing.folders;
    const auto renamed = folders.stage().moveReplacing(round.merged, publishing.board.folder, plan_.file);
    if (!renamed.ok()) {
        POSTERN_LET(still, folders.stage().has(round.merged));
        if (still) POSTERN_TRY(fbb::undo(folders.stage(), round));
        if (still) return renamed;
    }
    const auto synced = syncBoth(folders, publishing.board);
    for (const auto& [job, evidence] : publishing.jobs)
        job->outcome = synced.ok() ? done()
                                   : unknown("in " + done().target +
                                             ", but a power failure may undo it: " + synced.error().text);
    publishing.jobs.clear();
    return {};
}

// None of these is begun; a late worker must not begin one either (A2). Where that can not be made sure now,
// a recovery does it.
void Fbb::giveUp(Publishing& publishing, const Outcome& outcome) const {
    const auto decided = [&]() -> Result<void> {
        const auto own = takeOwnLock(publishing.folders.stage(), plan_.file);
        if (!own.ok()) return own.error();
        POSTERN_TRY(leaveOutDecided(publishing));
        for (const auto& [job, evidence] : publishing.jobs)
            POSTERN_TRY(fbb::withdrawKey(publishing.folders, evidence.key));
        return {};
    }();
    for (const auto& [job, evidence] : publishing.jobs)
        job->outcome = decided.ok() ? outcome : unknown(outcome.reason + "; " + decided.error().text);
}

}  // namespace postern::adapters
