#include "adapters/mailbox/mbox_lock.h"

#include "adapters/any_case.h"
#include "base/peer.h"

namespace postern::adapters {

namespace {

std::string dotlockOf(const std::string& mailbox, const LockPlan& plan) {
    return plan.dotlockName.empty() ? mailbox + ".lock" : plan.dotlockName;
}

LockFilePlan dotlockPlan(const LockPlan& plan) {
    return {plan.signature, plan.staleAfter, "the mailbox is locked by its reader"};
}

}  // namespace

Result<std::unique_ptr<MailboxLock>> MailboxLock::take(const Folder& folder, const std::string& mailbox,
                                                       const LockPlan& plan, bool create) {
    std::unique_ptr<MailboxLock> lock(new MailboxLock(folder, mailbox));
    if (plan.dotlock) {
        const auto take = plan.anyCase ? &takeLockInAnyCase : &LockFile::take;
        POSTERN_LET(dotlock, take(folder, dotlockOf(mailbox, plan), dotlockPlan(plan)));
        lock->dotlock_ = std::move(dotlock);
    }
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
    return LockFile::asideName(dotlockPlan(plan), dotlockOf(mailbox, plan));
}

Result<void> MailboxLock::removeLeftover(const Folder& folder, const std::string& mailbox,
                                         const LockPlan& plan) {
    return LockFile::removeLeftover(folder, dotlockOf(mailbox, plan), dotlockPlan(plan));
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
    const std::string path = joinPath(folder_.path(), mailbox_);
    // Many readers remove a mailbox that they emptied: the next look makes it anew.
    const auto named = folder_.facts(mailbox_);
    const bool gone = !named.ok() && named.error().code == Errc::NotFound;
    if (!named.ok() && !gone) return named.error();
    if (gone || held.number != named->number || held.volume != named->volume)
        return fail(Errc::Busy, path + " was " + (gone ? "removed" : "replaced") + " by its reader just now");
    if (!held.regular || held.links != 1)
        return fail(Errc::Denied, path + " has another name somewhere, or is no file: not written to");
    return {};
}

Result<File> MailboxLock::fresh() const {
    POSTERN_LET(opened, folder_.openShared(mailbox_, false));
    POSTERN_LET(held, file_.facts());
    POSTERN_LET(named, opened.facts());
    if (held.number == named.number && held.volume == named.volume) return opened;
    return fail(Errc::Busy, joinPath(folder_.path(), mailbox_) + " was replaced by its reader just now");
}

}  // namespace postern::adapters
