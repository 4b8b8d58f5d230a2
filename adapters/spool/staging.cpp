#include "adapters/spool/staging.h"

#include "adapters/spool/spool_evidence.h"
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

std::optional<std::int64_t> Staging::write(Job& job) {
    const std::string name = stagedName(job.delivery.key);
    auto created = folders_.stage().create(name, fileMode_);
    // Whatever the umask is.
    const auto set = created.ok() ? setOpenFileMode(created->handle(), fileMode_) : Result<void>();
    if (!set.ok()) {
        (void)folders_.stage().remove(name);  // empty; the error that matters is `set`
        created = set.error();
    }
    if (!created.ok()) {
        const bool taken = created.error().code == Errc::Exists;
        job.outcome = taken ? deferred(created.error()) : unusable(created.error().text);
        return std::nullopt;
    }
    StagedFile file(std::move(*created), buffer_, beat_);
    auto written = writer_(job, file);
    if (written.ok() && !written->has_value()) {
        if (const auto flushed = file.flush(); !flushed.ok()) written = flushed.error();
    }
    if (!written.ok()) {
        job.outcome = file.refused() ? unusable(written.error().within(folders_.stage().path()).text)
                                     : deferred(written.error());
    } else if (written->has_value()) {
        job.outcome = std::move(**written);
    }
    if (job.outcome) {
        (void)folders_.stage().remove(name);  // sweep() takes it otherwise
        return std::nullopt;
    }
    const std::int64_t size = file.position();
    File done = file.takeFile();
    if (volume_) {
        done = File();
    } else {
        done.startWriteback();
    }
    written_.push_back({&job, name, std::move(done)});
    return size;
}

void Staging::drop(const Written& written, const Error& error) const {
    (void)folders_.stage().remove(written.name);  // sweep() takes it otherwise
    written.job->evidence.clear();
    written.job->outcome = unusable(error.text);
}

void Staging::finish() {
    if (written_.empty()) return;
    const Folder& stage = folders_.stage();
    if (!volume_) {
        for (auto& written : written_) {
            if (const auto synced = written.file.sync(); !synced.ok())
                drop(written, synced.error().within(joinPath(stage.path(), written.name)));
            beat_();
        }
    }
    const auto synced = volume_ ? volume_->syncVolume() : stage.sync();
    beat_();
    if (synced.ok()) return;
    for (const auto& written : written_)
        if (!written.job->outcome) drop(written, synced.error());
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

void endAll(std::span<Job> jobs, const Outcome& outcome) {
    for (Job& job : jobs)
        if (!job.outcome) job.outcome = outcome;
}

}  // namespace postern::adapters
