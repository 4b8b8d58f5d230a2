#include "adapters/spool/staging.h"

#include "adapters/spool/spool_evidence.h"
#include "adapters/spool/witness.h"
#include "base/peer.h"

namespace postern::adapters {

namespace {

// From so many files on, one sync of the whole volume is cheaper than one for each file.
constexpr std::size_t kVolumeSyncFrom = 5;

}  // namespace

Result<Staging> Staging::begin(const SpoolFolders& folders, std::size_t jobs, unsigned fileMode,
                               Writer writer, const std::function<void()>& beat) {
    Staging staging(folders, fileMode, std::move(writer), beat);
    if (jobs >= kVolumeSyncFrom) {
        // A handle of this batch's own: the system reports a failed write once per handle, and another
        // thread's sync must not take our report (RELIABILITY 2.4).
        POSTERN_LET(volume, Folder::open(folders.stage().path()));
        staging.volume_ = std::move(volume);
    }
    POSTERN_TRY(folders.stillOurs());
    return staging;
}

// The companions of the job that is being written.
class Staging::Beside final : public Companions {
  public:
    Beside(const Staging& staging, const DeliveryKey& key, std::optional<GroupId> group)
        : staging_(staging), staged_(stagedName(key)), group_(group) {}

    Result<void> add(const std::function<Result<void>(StagedFile&)>& write) override {
        if (count() >= kMostCompanions)
            return fail(Errc::Invalid, "it has more than " + std::to_string(kMostCompanions) + " files");
        auto created = staging_.create(companionStagedName(staged_, count() + 1), group_);
        if (!created.ok()) {
            refused_ = refused_ || created.error().code != Errc::Exists;
            return created.error();
        }
        ++count_;
        StagedFile file(std::move(*created), buffer_, staging_.beat_);
        auto written = write(file);
        if (written.ok()) written = file.flush();
        refused_ = refused_ || file.refused();
        if (written.ok()) staging_.keep(file.takeFile(), files_);
        return written;
    }
    bool refused() const { return refused_; }
    std::vector<File> takeFiles() { return std::move(files_); }

  private:
    const Staging& staging_;
    const std::string staged_;
    const std::optional<GroupId> group_;
    std::string buffer_;
    std::vector<File> files_;
    bool refused_ = false;
};

// A file of the mode that is asked for, whatever the umask is. The group first: it takes bits away.
Result<File> Staging::create(const std::string& name, std::optional<GroupId> group) const {
    POSTERN_LET(file, folders_.stage().create(name, fileMode_));
    auto set = group ? setFileGroup(file, *group) : Result<void>();
    if (set.ok()) set = setOpenFileMode(file.handle(), fileMode_);
    if (set.ok()) return file;
    (void)folders_.stage().remove(name);  // empty; the error that matters is `set`
    return set.error().within(joinPath(folders_.stage().path(), name));
}

// Where each file is synced for itself it stays open until then.
void Staging::keep(File file, std::vector<File>& files) const {
    if (volume_) return;
    file.startWriteback();
    files.push_back(std::move(file));
}

std::optional<Staging::Written> Staging::write(Job& job, const Groups& groups) {
    const std::string name = stagedName(job.delivery.key);
    auto created = create(name, groups.artifact);
    if (!created.ok()) {
        const bool taken = created.error().code == Errc::Exists;
        job.outcome = taken ? deferred(created.error()) : unusableBy(folders_.explained(created.error()));
        return std::nullopt;
    }
    StagedFile file(std::move(*created), buffer_, beat_);
    Beside beside(*this, job.delivery.key, groups.companions);
    auto written = writer_(job, file, beside);
    if (written.ok() && !written->has_value()) {
        if (const auto flushed = file.flush(); !flushed.ok()) written = flushed.error();
    }
    if (!written.ok()) {
        job.outcome = file.refused() || beside.refused()
                          ? unusableBy(folders_.explained(written.error().within(folders_.stage().path())))
                          : deferred(written.error());
    } else if (written->has_value()) {
        job.outcome = std::move(**written);
    }
    if (job.outcome) {
        removeStaged(folders_, name, beside.count());
        return std::nullopt;
    }
    const Written done{file.position(), beside.count()};
    Kept kept{&job, beside.takeFiles(), done.companions};
    keep(file.takeFile(), kept.files);
    kept_.push_back(std::move(kept));
    return done;
}

void Staging::drop(const Kept& kept, const Error& error) const {
    removeStaged(folders_, stagedName(kept.job->delivery.key), kept.companions);
    kept.job->evidence.clear();
    kept.job->outcome = unusableBy(error);
}

void Staging::finish() {
    if (kept_.empty()) return;
    const Folder& stage = folders_.stage();
    for (Kept& kept : kept_) {
        for (File& file : kept.files) {
            if (const auto synced = file.sync(); !synced.ok() && !kept.job->outcome)
                drop(kept, synced.error().within(joinPath(stage.path(), stagedName(kept.job->delivery.key))));
            beat_();
        }
    }
    const auto synced = volume_ ? volume_->syncVolume() : stage.sync();
    beat_();
    if (synced.ok()) return;
    for (const Kept& kept : kept_)
        if (!kept.job->outcome) drop(kept, synced.error());
}

std::optional<Outcome> refusalOf(const Adapter& adapter, const Delivery& delivery) {
    std::vector<RecipientVerdict> refused;
    for (const Recipient& recipient : delivery.recipients)
        if (auto reason = adapter.refuses(recipient))
            refused.push_back({recipient.ordinal, Verdict::Rejected, std::move(*reason)});
    if (refused.empty()) return std::nullopt;
    if (refused.size() == delivery.recipients.size()) return rejected(refused.front().reason);
    Outcome outcome = deferred("some recipients are impossible here; the others are tried again");
    outcome.recipients = std::move(refused);
    return outcome;
}

Outcome rejectedOrDeferred(const Error& error) {
    return error.code == Errc::Invalid ? rejected(error.text) : deferred(error);
}

Outcome unusableBy(const Error& error) {
    Outcome outcome = unusable(error.text);
    outcome.cause = causeOf(error.code);
    return outcome;
}

void endAll(std::span<Job> jobs, const Outcome& outcome) {
    for (Job& job : jobs)
        if (!job.outcome) job.outcome = outcome;
}

}  // namespace postern::adapters
