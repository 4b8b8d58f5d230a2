#pragma once
// The mailbox file (mboxrd): mail is added to the end of a file that its reader empties (FORMATS 8;
// RELIABILITY 1.5). The format is in mbox_lines.h, the locks in mbox_lock.h.
//
// How an addition happens once. stage() writes the exact bytes to add into our own folder, like every spool;
// the evidence names that file. publish() takes our lock and the readers' locks on the mailbox, writes a
// journal (which file, which offset, which staged files), adds the bytes, syncs, removes the staged files,
// removes the journal, lets go. So:
//
//   staged file in its place, no journal    not published
//   staged file in its place, a journal     cut off: whoever takes the locks next settles it (mbox_journal.h)
//   staged file in `withdrawn`              not published and never will be
//   staged file set aside in `withdrawn`    nobody can tell
//   staged file gone                        published
//
// The offset stands in the journal and not in the queue's evidence, as RELIABILITY has it, so that no lock is
// held while the queue commits: a worker that stalls between stage() and publish() keeps nobody waiting, and
// many mails need one lock. A staged file is moved only under our lock on its mailbox: after recover() said
// NotPublished, a late publish() finds nothing to add (A2, A3).
//
// A reader that keeps a mailbox locked: its mails are deferred as Busy when `lock_wait` is over, once for all
// mailboxes of a batch. A worker that hangs inside publish(): the others defer as well, and say so.

#include <atomic>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "adapters/adapter.h"
#include "adapters/mailbox/mbox_journal.h"
#include "adapters/mailbox/mbox_lock.h"
#include "adapters/message_format.h"
#include "adapters/registry.h"
#include "adapters/spool/spool_evidence.h"
#include "adapters/spool/spool_folders.h"
#include "adapters/spool/staging.h"
#include "base/sync.h"

namespace postern::adapters {

struct MboxPlan {
    SpoolPlan spool;
    LockPlan locks;
    MessageFormat format;
    std::string file;  // name of the one mailbox; empty: one for each recipient
    Millis lockWait{10'000};
};

class Mbox final : public Adapter {
  public:
    Mbox(AdapterContext context, MboxPlan plan);

    Grouping grouping() const override { return {plan_.file.empty() ? 1 : 0, 0, nullptr}; }
    std::optional<std::string> refuses(const Recipient& recipient) const override;
    bool finalDelivery() const override { return true; }
    Result<void> probe() override;
    void stage(std::span<Job> jobs, const std::function<void()>& beat) override;
    void publish(std::span<Job> jobs, const std::function<void()>& beat) override;
    void abandon(Job& job) override;
    void hasten() override { hasty_ = true; }
    Result<std::optional<Outcome>> convert(Job& job, StagedFile& file) const override;
    Recovery recover(const DeliveryKey& staged, std::string_view evidence) override;
    Result<int> sweep(const std::function<bool(const DeliveryKey&)>& isOver) override;
    std::string describe() const override;

  private:
    // What one call of publish() shares between its mailboxes.
    struct Publishing {
        const SpoolFolders& folders;
        const Folder& boxes;
        const std::function<void()>& beat;
    };
    struct Pending {
        std::string mailbox;
        std::vector<Job*> jobs;
        Error busy;  // why it still waits
    };
    using ByMailbox = std::map<std::string, Pending>;

    Result<std::shared_ptr<const SpoolFolders>> folders() const EXCLUDES(mutex_);
    Result<std::string> mailboxFor(const Delivery& delivery) const;
    void tidy(const SpoolFolders& folders) const;
    Result<void> settleLeft(const SpoolFolders& folders, const Folder& boxes, const std::string& mailbox,
                            const std::function<void()>& beat) const;
    bool heldSince(const MailboxLock& lock) const;
    Recovery cannotLookAt(const SpoolFolders& folders, const Folder& boxes, const Error& error) const;
    Recovery look(const SpoolFolders& folders, const Folder& boxes, const SpoolEvidence& evidence) const;
    Result<Recovery> tell(const SpoolFolders& folders, const SpoolEvidence& evidence) const;
    static ByMailbox sorted(std::span<Job> jobs);
    bool addRounds(Publishing& publishing, ByMailbox& byMailbox) const;
    Result<void> addRound(Publishing& publishing, Pending& pending) const;
    Result<void> addUnderLocks(Publishing& publishing, Pending& pending) const;
    void add(Publishing& publishing, MailboxLock& mailbox, std::vector<Job*> jobs) const;
    void giveUpAll(Publishing& publishing, Pending& pending, const Outcome& outcome) const;
    void giveUp(Publishing& publishing, Job& job, Outcome outcome) const;
    Outcome trouble(const Error& error) const;
    Outcome locked(const Error& error) const;
    Outcome done(const std::string& mailbox) const;

    const AdapterContext context_;
    const MboxPlan plan_;
    mutable Mutex mutex_;
    std::shared_ptr<const SpoolFolders> folders_ GUARDED_BY(mutex_);
    std::atomic<int> unknownFiles_{0};
    std::atomic<bool> hasty_{false};
};

}  // namespace postern::adapters
