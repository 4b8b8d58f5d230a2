#include <algorithm>

#include "adapters/mailbox/mbox.h"
#include "adapters/spool/witness.h"
#include "base/folder_access.h"
#include "base/text.h"

namespace postern::adapters {

namespace {

// What is added under one hold of the locks: a reader must get its turn.
constexpr std::int64_t kMostBytesAtOnce = 16 << 20;

// Line ends that are missing at the end of what is there already, up to an empty line.
Result<int> missingLineEnds(File& file, std::int64_t size) {
    if (size == 0) return 0;
    char last[2] = {'\n', '\n'};
    const std::int64_t from = std::max<std::int64_t>(0, size - 2);
    const auto wanted = static_cast<std::size_t>(size - from);
    POSTERN_LET(got, file.readAt(from, last + (2 - wanted), wanted));
    if (got != wanted) return fail(Errc::Io, "the mailbox can not be read to its end");
    if (last[1] != '\n') return 2;
    return last[0] == '\n' ? 0 : 1;
}

// Gathers bytes, so that the end of a mail is seldom the end of a write: a crash there leaves a mailbox of
// which nobody can tell whether a reader took the next mail.
class Gathering {
  public:
    explicit Gathering(File& mailbox) : mailbox_(mailbox) {}
    Result<void> add(std::string_view bytes) {
        bytes_ += bytes;
        return bytes_.size() < kPiece ? Result<void>() : flush();
    }
    Result<void> flush() {
        POSTERN_TRY(mailbox_.write(bytes_));
        bytes_.clear();
        return {};
    }
    static constexpr std::size_t kPiece = 65536;

  private:
    File& mailbox_;
    std::string bytes_;
};

// Adds the entries to the mailbox; durable only when they are synced.
Result<void> addBytes(const Folder& stage, const Journal& journal, File& mailbox,
                      const std::function<void()>& beat) {
    Gathering gathering(mailbox);
    POSTERN_TRY(gathering.add(std::string(static_cast<std::size_t>(journal.lineEnds), '\n')));
    std::int64_t wanted = journal.offset + journal.lineEnds;
    std::vector<char> piece(Gathering::kPiece);
    for (const Journal::Entry& entry : journal.entries) {
        POSTERN_LET(staged, stage.openRead(entry.staged));
        for (std::int64_t at = 0; at < entry.length;) {
            beat();
            POSTERN_LET(got, staged.readAt(at, piece.data(), piece.size()));
            if (got == 0) return fail(Errc::Corrupt, entry.staged + " is shorter than it was");
            POSTERN_TRY(gathering.add(std::string_view(piece.data(), got)));
            at += static_cast<std::int64_t>(got);
        }
        wanted += entry.length;
    }
    POSTERN_TRY(gathering.flush());
    POSTERN_LET(size, mailbox.size());
    if (size == wanted) return {};
    return fail(Errc::Busy, "somebody wrote to the mailbox without a lock");
}

// Since the last touch of a file. Negative: the clock of its volume is another one.
Millis sinceTouch(std::int64_t touched) {
    return Millis(toMillis(Clock::system().now()) - touched / 1'000'000);
}

Result<std::int64_t> lastTouch(File& mailbox) {
    POSTERN_LET(touched, mailbox.touchedNanos());
    return sinceTouch(touched) < Millis(0) ? 0 : touched;
}

// The touch that our addition makes must have another time than the one before.
void waitForNextTouch(const Journal& journal) {
    constexpr Millis kClockStep{20};  // the system's, with room
    const Millis since = sinceTouch(journal.touched);
    if (since < kClockStep) waitForLock(Clock::system().steady() + std::min(kClockStep, kClockStep - since));
}

Result<Journal> journalFor(const Folder& stage, MailboxLock& mailbox, const std::vector<Job*>& jobs) {
    POSTERN_LET(facts, mailbox.file().facts());
    Journal journal{mailbox.mailbox(), facts.volume, facts.number, facts.size, 0, {}, 0};
    POSTERN_LET(touched, lastTouch(mailbox.file()));
    journal.touched = touched;
    POSTERN_LET(lineEnds, missingLineEnds(mailbox.file(), facts.size));
    journal.lineEnds = lineEnds;
    for (const Job* job : jobs) {
        const std::string staged = stagedName(job->delivery.key);
        POSTERN_LET(size, stage.facts(staged));
        journal.entries.push_back({staged, size.size});
    }
    return journal;
}

}  // namespace

Outcome Mbox::done(const std::string& mailbox) const {
    return exported(joinPath(plan_.spool.folder, mailbox));
}

// One recipient's spoilt mailbox is not everybody's.
Outcome Mbox::trouble(const Error& error) const {
    std::vector<std::string> paths{plan_.spool.folder};
    if (!plan_.file.empty()) paths.push_back(joinPath(plan_.spool.folder, plan_.file));
    const Error told = explainDenied(error, paths);
    return plan_.file.empty() || error.code == Errc::Busy || error.code == Errc::NoSpace ? deferred(told)
                                                                                         : unusableBy(told);
}

// That we could not wait is no attempt of the mail's.
Outcome Mbox::locked(const Error& error) const {
    return hasty_ ? unusable(error.text) : deferred(error.text, Cause::Busy);
}

// REQUIRES: our own lock on the mailbox, and no journal that names the job.
void Mbox::giveUp(Publishing& publishing, Job& job, Outcome outcome) const {
    const auto evidence = parseEvidence(job.evidence);
    const auto doubt = publishing.folders.withdrawn().has(doubtName(evidence->staged));
    const auto witness = withdraw(publishing.folders, *evidence);
    if (!doubt.ok() || !witness.ok())
        job.outcome = unknown(outcome.reason + "; its staged file could not be withdrawn: " +
                              (doubt.ok() ? witness.error().text : doubt.error().text));
    else if (*witness == Witness::Withdrawn)
        job.outcome = std::move(outcome);
    else if (*doubt)
        job.outcome = unknown("an earlier attempt was cut off, and nobody can tell how it ended");
    else
        job.outcome = done(evidence->name);
}

// The outcome for jobs of which nothing is begun; a late worker must not begin it either (A2). Without our
// own lock, or when a journal may name them, only a recovery can tell.
void Mbox::giveUpAll(Publishing& publishing, Pending& pending, const Outcome& outcome) const {
    const auto own = takeOwnLock(publishing.folders.stage(), pending.mailbox);
    const auto journal = readJournal(publishing.folders.stage(), pending.mailbox);
    for (Job* job : pending.jobs) {
        if (own.ok() && journal.ok() && !*journal)
            giveUp(publishing, *job, outcome);
        else
            job->outcome = unknown(outcome.reason);
    }
    pending.jobs.clear();
}

Mbox::ByMailbox Mbox::sorted(std::span<Job> jobs) {
    ByMailbox byMailbox;
    for (Job& job : jobs) {
        if (job.outcome) continue;
        const auto evidence = parseEvidence(job.evidence);
        if (!evidence) {
            job.outcome = unknown("the record of its staged file is damaged: " + job.evidence);
            continue;
        }
        Pending& pending = byMailbox[evidence->name];
        pending.mailbox = evidence->name;
        pending.jobs.push_back(&job);
    }
    return byMailbox;
}

void Mbox::publish(std::span<Job> jobs, const std::function<void()>& beat) {
    const auto held = folders();
    if (!held.ok()) return endAll(jobs, unknown(held.error().text));
    ByMailbox byMailbox = sorted(jobs);
    auto boxes = (*held)->live("");
    if (boxes.ok())
        if (const auto there = (*boxes)->folder.stillThere(); !there.ok()) boxes = there.error();
    if (!boxes.ok()) {
        Publishing publishing{**held, (*held)->stage(), beat};
        for (auto& [mailbox, pending] : byMailbox) giveUpAll(publishing, pending, unusableBy(boxes.error()));
        return;
    }
    Publishing publishing{**held, (*boxes)->folder, beat};
    const SteadyTime deadline = Clock::system().steady() + plan_.lockWait;
    while (addRounds(publishing, byMailbox) && !hasty_ && Clock::system().steady() < deadline)
        waitForLock(deadline);
    for (auto& [mailbox, pending] : byMailbox) giveUpAll(publishing, pending, locked(pending.busy));
}

// A turn for each mailbox, and further ones while they come to something. True: some are locked.
bool Mbox::addRounds(Publishing& publishing, ByMailbox& byMailbox) const {
    for (bool moved = true; moved && !byMailbox.empty();) {
        moved = false;
        for (auto it = byMailbox.begin(); it != byMailbox.end();) {
            publishing.beat();
            const auto round = addRound(publishing, it->second);
            moved = moved || round.ok();
            if (!round.ok()) it->second.busy = round.error();
            it = it->second.jobs.empty() ? byMailbox.erase(it) : std::next(it);
        }
    }
    return !byMailbox.empty();
}

// One hold of the locks on one mailbox. Busy: nothing was done. Otherwise some jobs have their outcome and
// are gone from `pending`.
Result<void> Mbox::addRound(Publishing& publishing, Pending& pending) const {
    const auto added = [&]() -> Result<void> {
        const auto own = takeOwnLock(publishing.folders.stage(), pending.mailbox);
        if (!own.ok()) return own.error();
        return addUnderLocks(publishing, pending);
    }();
    if (added.ok() || added.error().code == Errc::Busy) return added;
    giveUpAll(publishing, pending, trouble(added.error()));
    return {};
}

Result<void> Mbox::addUnderLocks(Publishing& publishing, Pending& pending) const {
    POSTERN_LET(lock, MailboxLock::take(publishing.boxes, pending.mailbox, plan_.locks, true));
    const SpoolFolders& folders = publishing.folders;
    const auto journal = readJournal(folders.stage(), pending.mailbox);
    const auto settled = !journal.ok() ? Result<void>(journal.error())
                         : *journal
                             ? settleJournal(folders, **journal, *lock, heldSince(*lock), publishing.beat)
                             : Result<void>();
    if (!settled.ok()) {
        // Some of these may be in it: nothing is withdrawn, a recovery asks again.
        for (Job* job : pending.jobs) job->outcome = unknown(settled.error().text);
        pending.jobs.clear();
        return {};
    }
    std::vector<Job*> now;
    std::int64_t bytes = 0;
    auto job = pending.jobs.begin();
    for (; job != pending.jobs.end() && bytes < kMostBytesAtOnce; ++job) {
        const auto evidence = parseEvidence((*job)->evidence);
        const auto facts = folders.stage().facts(evidence->staged);
        if (evidence->token != folders.token() || !facts.ok()) {
            giveUp(publishing, **job, deferred("its staged file was withdrawn by a recovery"));
            continue;
        }
        withdrawEarlier(folders, (*job)->delivery.key);
        bytes += facts->size;
        now.push_back(*job);
    }
    pending.jobs.erase(pending.jobs.begin(), job);
    add(publishing, *lock, std::move(now));
    return {};
}

void Mbox::add(Publishing& publishing, MailboxLock& mailbox, std::vector<Job*> jobs) const {
    if (jobs.empty()) return;
    const SpoolFolders& folders = publishing.folders;
    const auto endJobs = [&](const Outcome& outcome) {
        for (Job* job : jobs) giveUp(publishing, *job, outcome);
    };
    const auto journal = journalFor(folders.stage(), mailbox, jobs);
    if (!journal.ok()) return endJobs(deferred(journal.error()));
    if (!context_.guards.noReplace) {  // tests only: nothing is written down and the witness stays
        auto added = addBytes(folders.stage(), *journal, mailbox.file(), publishing.beat);
        if (added.ok()) added = mailbox.file().sync();
        for (Job* job : jobs)
            job->outcome = added.ok() ? done(mailbox.mailbox()) : unknown(added.error().text);
        return;
    }
    if (const auto written = writeJournal(folders.stage(), *journal); !written.ok())
        return endJobs(unusableBy(written.error()));
    waitForNextTouch(*journal);
    auto added = addBytes(folders.stage(), *journal, mailbox.file(), publishing.beat);
    // Those that are whole are published, the one that was cut off is cut back. After a failed sync nothing
    // that can be read there is known to be on the disk: all of it is taken back.
    Result<void> closed;
    if (!added.ok()) {
        closed = settleJournal(folders, *journal, mailbox, true, publishing.beat);
    } else if (added = mailbox.file().sync(); added.ok()) {
        closed = closeJournal(folders, *journal, true);
    } else {
        closed = takeBack(folders, *journal, mailbox);
    }
    for (Job* job : jobs) {
        if (!closed.ok())
            job->outcome = unknown(closed.error().text);
        else if (added.ok())
            job->outcome = done(mailbox.mailbox());
        else
            giveUp(publishing, *job,
                   deferred(added.error().within(joinPath(plan_.spool.folder, mailbox.mailbox()))));
    }
}

}  // namespace postern::adapters
