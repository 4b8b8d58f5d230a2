#pragma once
// The locks of one mailbox file, as its readers know them: the dotlock "<mailbox>.lock" and an fcntl() lock
// on the file. Both or none are held, so that we wait for nobody while somebody may wait for us.
//
// Our dotlock outlives a crash of ours, and so a reader that honours it never sees half a mail. Its content
// does not begin with a number: readers that take the lock of a dead process id for stale can not see ours as
// one. REQUIRES of the caller: its own lock on the mailbox (OwnLock), so that a dotlock with our name on it
// that we meet can only be left over, and is taken over.
//
// Thread rule: one thread.

#include <memory>
#include <string>

#include "adapters/spool/lock_file.h"
#include "base/clock.h"
#include "base/file.h"

namespace postern::adapters {

struct LockPlan {
    bool dotlock = true, range = true;
    Millis staleAfter{0};   // a dotlock of others that is older is removed; 0: never
    std::string signature;  // begins our dotlocks: "postern <store> <adapter>"
    unsigned fileMode = 0660;
    std::string fileOwner;         // of mailboxes that we make; empty: the service's own
    std::string dotlockName = {};  // where it is not "<mailbox>.lock"
    bool anyCase = false;          // one that is spelled in another case is the dotlock too
};

class MailboxLock {
  public:
    // Looks once and never waits. Busy: a reader has it, and which lock says so. Denied: the file is a link,
    // has several names, or is no file at all; nothing was touched. With `create` a missing mailbox is made.
    static Result<std::unique_ptr<MailboxLock>> take(const Folder& folder, const std::string& mailbox,
                                                     const LockPlan& plan, bool create);
    MailboxLock(const MailboxLock&) = delete;
    MailboxLock& operator=(const MailboxLock&) = delete;

    bool exists() const { return file_.isOpen(); }
    File& file() { return file_; }  // every write goes to its end
    // The same file through a handle of its own, writing where it is told to: it has no part in what an
    // earlier sync of file() came to. Busy: the name leads to another file now.
    Result<File> fresh() const;
    const std::string& mailbox() const { return mailbox_; }
    // A dotlock that a crash of ours left behind was still in its place.
    bool tookOver() const { return dotlock_ && dotlock_->tookOver(); }

    // Removes a dotlock that a crash of ours left behind.
    static Result<void> removeLeftover(const Folder& folder, const std::string& mailbox,
                                       const LockPlan& plan);

    // Where our dotlock is written before it is moved into its place.
    static std::string asideName(const LockPlan& plan, const std::string& mailbox);

  private:
    MailboxLock(const Folder& folder, std::string mailbox) : folder_(folder), mailbox_(std::move(mailbox)) {}
    Result<void> openFile(const LockPlan& plan, bool create);
    Result<void> checkFile() const;

    const Folder& folder_;
    const std::string mailbox_;
    File file_;
    std::unique_ptr<LockFile> dotlock_;  // goes before the file's own lock
};

}  // namespace postern::adapters
