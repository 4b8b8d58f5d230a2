#include "adapters/mailbox/mbox_lock.h"

#include <algorithm>

#include "base/peer.h"
#include "base/random.h"
#include "base/sync.h"
#include "base/text.h"

namespace postern::adapters {

namespace {

std::string dotlockOf(const std::string& mailbox) {
    return mailbox + ".lock";
}

Result<bool> isOurs(const Folder& folder, const std::string& name, const LockPlan& plan) {
    POSTERN_LET(file, folder.openRead(name));
    char text[256];
    POSTERN_LET(got, file.readAt(0, text, sizeof text));
    return std::string_view(text, got).starts_with(plan.signature + " ");
}

Millis ageOf(const FileFacts& facts) {
    return std::chrono::duration_cast<Millis>(Clock::system().now() -
                                              fromMillis(facts.changedNanos / 1'000'000));
}

// Taken away under another name first: what another program put there meanwhile is put back.
Result<void> breakStale(const Folder& folder, const std::string& name, const FileFacts& judged) {
    const std::string aside = ".stale-" + randomName(8);
    POSTERN_LET(moved, folder.moveNoReplace(name, folder, aside));
    if (moved != Moved::Done) return {};
    POSTERN_LET(facts, folder.facts(aside));
    if (facts.number == judged.number) return folder.remove(aside);
    POSTERN_LET(back, folder.moveNoReplace(aside, folder, name));
    return back == Moved::Done ? Result<void>() : folder.remove(aside);
}

// Removes the dotlock there when it is left over, and says whether it was ours; or who has it.
Result<bool> judge(const Folder& folder, const std::string& name, const LockPlan& plan) {
    const auto facts = folder.facts(name);
    if (!facts.ok()) return facts.error().code == Errc::NotFound ? Result<bool>(false) : facts.error();
    const std::string path = joinPath(folder.path(), name);
    if (!facts->regular) return fail(Errc::Denied, path + " is no lock file");
    const auto read = isOurs(folder, name, plan);  // others' may be closed to us
    const bool ours = read.ok() && *read;
    const Millis age = ageOf(*facts);
    const bool stale = plan.staleAfter > Millis(0) && age > plan.staleAfter;
    if (ours || stale) {
        POSTERN_TRY(breakStale(folder, name, *facts));
        return ours;
    }
    return fail(Errc::Busy, "the mailbox is locked by its reader: " + path + " is there for " +
                                formatDurationMillis(std::max<std::int64_t>(age.count(), 0) / 1000 * 1000));
}

}  // namespace

Result<FileLock> takeOwnLock(const Folder& stage, const std::string& mailbox) {
    // A fixed number of files. Mailboxes that share one wait a moment for each other; none is held while a
    // reader is waited for.
    constexpr std::size_t kLocks = 64;
    std::uint32_t sum = 2166136261u;
    for (const char c : mailbox) sum = (sum ^ static_cast<unsigned char>(c)) * 16777619u;
    auto lock = FileLock::acquire(joinPath(stage.path(), ".lock-" + std::to_string(sum % kLocks)));
    if (lock.ok() || lock.error().code != Errc::Busy) return lock;
    return fail(Errc::Busy, "another worker of ours is writing to " + mailbox + ": " + lock.error().text);
}

void waitForLock(SteadyTime deadline) {
    constexpr Millis kLookAgain{20};
    Mutex mutex;
    Condition nobody;
    const SteadyTime until = std::min(deadline, Clock::system().steady() + kLookAgain);
    const MutexLock lock(mutex);
    while (Clock::system().steady() < until) nobody.waitUntil(mutex, until);
}

Result<std::unique_ptr<MailboxLock>> MailboxLock::take(const Folder& folder, const std::string& mailbox,
                                                       const LockPlan& plan, bool create) {
    std::unique_ptr<MailboxLock> lock(new MailboxLock(folder, mailbox));
    if (plan.dotlock) POSTERN_TRY(lock->takeDotlock(plan));
    POSTERN_TRY(lock->openFile(plan, create));
    if (lock->exists() && plan.range) {
        POSTERN_LET(locked, lock->file_.tryLock());
        if (!locked)
            return fail(Errc::Busy, "the mailbox is locked by its reader: " +
                                        joinPath(folder.path(), mailbox) + " has a lock on it");
    }
    // The name may lead to another file since we opened it.
    if (lock->exists()) POSTERN_TRY(lock->checkFile());
    return lock;
}

std::string MailboxLock::asideName(const LockPlan& plan, const std::string& mailbox) {
    std::uint64_t sum = 14695981039346656037u;
    for (const char c : plan.signature + "/" + mailbox)
        sum = (sum ^ static_cast<unsigned char>(c)) * 1099511628211u;
    return ".dotlock-" + std::to_string(sum);
}

// Written aside and then moved into its place, so that a crash never leaves one without our name in it: we
// would take that for a stranger's. The name aside is the mailbox's own, and under the caller's own lock what
// is there can only be left over.
Result<bool> MailboxLock::placeDotlock(const LockPlan& plan) {
    const std::string aside = asideName(plan, mailbox_);
    auto created = folder_.create(aside, 0644);
    if (!created.ok() && created.error().code == Errc::Exists) {
        POSTERN_TRY(folder_.remove(aside));
        created = folder_.create(aside, 0644);
    }
    if (!created.ok()) return created.error();
    const auto placed = [&]() -> Result<Moved> {
        POSTERN_TRY(created->write(plan.signature + " " + std::to_string(processId()) + "\n"));
        POSTERN_TRY(created->sync());
        return folder_.moveNoReplace(aside, folder_, dotlockOf(mailbox_), Folder::Namers::Others);
    }();
    if (placed.ok() && *placed == Moved::Done) {
        POSTERN_LET(facts, created->facts());
        dotlock_ = facts.number;
        return true;
    }
    (void)folder_.remove(aside);  // a hidden leftover is harmless, and the next one takes it
    if (!placed.ok()) return placed.error();
    if (*placed == Moved::TargetExists) return false;
    return fail(Errc::Busy, joinPath(folder_.path(), aside) + " was taken away");
}

Result<void> MailboxLock::takeDotlock(const LockPlan& plan) {
    POSTERN_LET(there, folder_.has(dotlockOf(mailbox_)));  // while we wait for it, nothing is written
    auto placed = there ? Result<bool>(false) : placeDotlock(plan);
    if (!placed.ok()) return placed.error();
    if (!*placed) {
        POSTERN_LET(ours, judge(folder_, dotlockOf(mailbox_), plan));
        tookOver_ = ours;
        POSTERN_LET(again, placeDotlock(plan));
        if (!again) return fail(Errc::Busy, "the mailbox was locked by its reader just now");
    }
    return folder_.sync();  // half a mail must never be there without it, not even after a power failure
}

Result<void> MailboxLock::openFile(const LockPlan& plan, bool create) {
    const auto facts = folder_.facts(mailbox_);
    if (!facts.ok() && facts.error().code != Errc::NotFound) return facts.error();
    if (!facts.ok()) {
        if (!create) return {};
        auto made = folder_.create(mailbox_, plan.fileMode);
        if (!made.ok()) return made.error();
        auto given =
            plan.fileOwner.empty() ? Result<void>() : setOpenFileOwner(made->handle(), plan.fileOwner);
        // Behind the owner, which takes bits away; whatever the umask is.
        if (given.ok()) given = setOpenFileMode(made->handle(), plan.fileMode);
        if (!given.ok()) (void)folder_.remove(mailbox_);  // empty, and made by us under the lock
        POSTERN_TRY(given);
        POSTERN_TRY(folder_.sync());  // or the bytes of a mail could be durable and their file not
    } else if (!facts->regular) {
        return fail(Errc::Denied, joinPath(folder_.path(), mailbox_) + " is no regular file: not written to");
    }
    POSTERN_LET(opened, folder_.openShared(mailbox_));
    file_ = std::move(opened);
    return {};
}

Result<void> MailboxLock::checkFile() const {
    POSTERN_LET(held, file_.facts());
    POSTERN_LET(named, folder_.facts(mailbox_));
    const std::string path = joinPath(folder_.path(), mailbox_);
    if (held.number != named.number || held.volume != named.volume)
        return fail(Errc::Busy, path + " was replaced by its reader just now");
    if (!held.regular || held.links != 1)
        return fail(Errc::Denied, path + " has another name somewhere, or is no file: not written to");
    return {};
}

MailboxLock::~MailboxLock() {
    if (!dotlock_) return;
    // A reader may have taken it for stale and put its own there.
    const std::string name = dotlockOf(mailbox_);
    const auto facts = folder_.facts(name);
    if (facts.ok() && facts->number == *dotlock_) (void)folder_.remove(name);
}

Result<void> MailboxLock::removeLeftover(const Folder& folder, const std::string& mailbox,
                                         const LockPlan& plan) {
    const std::string name = dotlockOf(mailbox);
    const auto facts = folder.facts(name);
    if (!facts.ok() || !facts->regular) return {};
    const auto ours = isOurs(folder, name, plan);
    if (!ours.ok() || !*ours) return {};
    return breakStale(folder, name, *facts);
}

}  // namespace postern::adapters
