#pragma once
// The import file of an FBB packet radio board, mail.in, which the board reads whole and removes once a
// minute. The format is in fbb_format.h, what is kept in the stage folder in fbb_journal.h.
//
// How a batch is handed over once. stage() writes the messages into one bundle in our own folder; the
// evidence names the bundle and the place in it. publish() takes our own lock and the board's, mail.lck, and
// writes what mail.in is to become, old and new, beside it; then a journal; then one rename puts it over
// mail.in. A board never sees half a message, and a crash leaves either the old file or the new one. Whether
// the merged file is still in the stage says which (fbb_journal.h), also when the board has taken mail.in
// long ago.
//
// The board refuses a bulletin id that it has seen, and ours is made of the item: where all of the above is
// lost, as when a power failure undoes a rename, a message that comes twice is dropped there.
//
// A board that keeps mail.lck (in any case: MAIL.LCK), or does not empty mail.in: the messages are deferred
// as Busy.

#include <atomic>
#include <memory>
#include <string>
#include <vector>

#include "adapters/adapter.h"
#include "adapters/mailbox/mbox_lock.h"
#include "adapters/radio/fbb_format.h"
#include "adapters/radio/fbb_journal.h"
#include "adapters/spool/spool_folders.h"
#include "base/sync.h"

namespace postern::adapters {

struct FbbPlan {
    SpoolPlan spool;
    LockPlan lock;
    fbb::Options format;
    std::string file = "mail.in";
    std::int64_t fileLimit = 4 << 20;  // bytes of mail.in, from which on the board is given time
    Millis lockWait{10'000};
};

class Fbb final : public Adapter {
  public:
    Fbb(AdapterContext context, FbbPlan plan);

    Grouping grouping() const override { return {1, 0, nullptr}; }
    int batchLimit() const override { return 512; }  // nine syncs a batch, whatever it holds
    std::optional<std::string> refuses(const Recipient& recipient) const override;
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
    // One bundle's jobs in one call of publish().
    struct Publishing {
        const SpoolFolders& folders;
        const LiveFolder& board;
        const std::function<void()>& beat;
        std::string bundle;
        std::vector<std::pair<Job*, fbb::Evidence>> jobs;
    };

    Result<std::shared_ptr<const SpoolFolders>> folders() const EXCLUDES(mutex_);
    Result<std::optional<Outcome>> render(Job& job, std::string& text) const;
    struct Rendered {
        Job* job;
        std::string text;
    };
    void stageAll(const SpoolFolders& folders, std::span<Rendered> rendered,
                  const std::function<void()>& beat) const;
    Result<void> stageBundle(const SpoolFolders& folders, std::span<Rendered> rendered,
                             const std::function<void()>& beat) const;
    static std::vector<std::pair<std::string, std::vector<std::pair<Job*, fbb::Evidence>>>> sorted(
        std::span<Job> jobs, const SpoolFolders& folders);
    void publishBundle(Publishing& publishing) const;
    Result<void> publishUnderOwnLock(Publishing& publishing) const;
    Result<void> leaveOutDecided(Publishing& publishing) const;
    Result<void> merge(Publishing& publishing, MailboxLock& lock) const;
    Result<void> writeMerged(Publishing& publishing, MailboxLock& lock, const std::string& name) const;
    Result<void> commit(Publishing& publishing, const fbb::Round& round) const;
    Result<void> syncBoth(const SpoolFolders& folders, const LiveFolder& board) const;
    void giveUp(Publishing& publishing, const Outcome& outcome) const;
    Recovery look(const SpoolFolders& folders, const fbb::Evidence& evidence) const;
    Result<Recovery> tell(const SpoolFolders& folders, const fbb::Evidence& evidence) const;
    Outcome done() const;
    Outcome trouble(const Error& error) const;

    const AdapterContext context_;
    const FbbPlan plan_;
    mutable Mutex mutex_;
    std::shared_ptr<const SpoolFolders> folders_ GUARDED_BY(mutex_);
    std::atomic<int> unknownFiles_{0};
    std::atomic<bool> hasty_{false};
};

}  // namespace postern::adapters
