#include "adapters/spool.h"

#include <algorithm>
#include <map>
#include <vector>

#include "adapters/spool_evidence.h"
#include "base/log.h"

namespace postern::adapters {

namespace {

// From so many files on, one sync of the whole volume is cheaper than one for each file.
constexpr std::size_t kVolumeSyncFrom = 5;

// Where the witness of a staged delivery is.
enum class Witness { Staged, Withdrawn, Gone };

// Gone only after it is certain that we look into the right folders (RELIABILITY 1.4.1a).
Result<Witness> locate(const SpoolFolders& folders, const SpoolEvidence& evidence) {
    if (evidence.token != folders.token())
        return fail(Errc::Unavailable, folders.stage().path() + " is not the stage folder in which " +
                                           evidence.staged + " was written: it was made anew since");
    // In this order: a file that another thread withdraws meanwhile is seen in one of the two places.
    POSTERN_LET(staged, folders.stage().has(evidence.staged));
    if (staged) return Witness::Staged;
    POSTERN_LET(withdrawn, folders.withdrawn().has(evidence.staged));
    if (withdrawn) return Witness::Withdrawn;
    POSTERN_TRY(folders.stillOurs());
    return Witness::Gone;
}

// Makes sure that no publish() of it can succeed any more, and says where the witness was found then.
Result<Witness> withdraw(const SpoolFolders& folders, const SpoolEvidence& evidence) {
    if (evidence.token == folders.token()) {
        POSTERN_LET(moved,
                    folders.stage().moveNoReplace(evidence.staged, folders.withdrawn(), evidence.staged));
        if (moved == Moved::Done) return Witness::Withdrawn;
    }
    POSTERN_LET(witness, locate(folders, evidence));
    if (witness == Witness::Staged)
        return fail(Errc::Unavailable,
                    evidence.staged + " can not be moved to " + folders.withdrawn().path());
    return witness;
}

std::string livePath(const SpoolPlan& plan, const SpoolEvidence& evidence) {
    const std::string folder = evidence.folder.empty() ? plan.folder : joinPath(plan.folder, evidence.folder);
    return joinPath(folder, evidence.name);
}

void endAll(std::span<Job> jobs, const Outcome& outcome) {
    for (Job& job : jobs)
        if (!job.outcome) job.outcome = outcome;
}

Recovery cannotLook(const Error& error) {
    return {Found::CannotTell, error.text, error};
}

}  // namespace

// What one call of stage() shares between its jobs.
struct SpoolAdapter::Staging {
    struct Written {
        Job* job;
        std::string name;
        File file;  // open only when each file is synced for itself
    };
    const SpoolFolders& folders;
    const std::function<void()>& beat;
    std::optional<Folder> volume;  // set: one sync of the whole volume for all
    std::string buffer;
    std::vector<Written> written;
};

// What one call of publish() shares between its jobs.
struct SpoolAdapter::Publishing {
    struct Published {
        Job* job;
        std::shared_ptr<const LiveFolder> live;
    };
    const SpoolFolders& folders;
    // Live folders that were looked at in this call: still the ones we opened, or why not.
    std::map<std::string, Result<std::shared_ptr<const LiveFolder>>> live;
    std::vector<Published> published;

    const Result<std::shared_ptr<const LiveFolder>>& checked(const std::string& folder) {
        if (const auto found = live.find(folder); found != live.end()) return found->second;
        auto opened = folders.live(folder);
        if (opened.ok())
            if (const auto there = (*opened)->folder.stillThere(); !there.ok()) opened = there.error();
        return live.emplace(folder, std::move(opened)).first->second;
    }
    // Withdraws the job's file, then ends the job with `outcome`: a deferred job must not be published later
    // (A2).
    void giveUp(Job& job, const SpoolEvidence& evidence, Outcome outcome);
};

void SpoolAdapter::Publishing::giveUp(Job& job, const SpoolEvidence& evidence, Outcome outcome) {
    const auto witness = withdraw(folders, evidence);
    if (!witness.ok()) {
        job.outcome =
            unknown(outcome.reason + "; its staged file could not be withdrawn: " + witness.error().text);
    } else if (*witness == Witness::Withdrawn) {
        job.outcome = std::move(outcome);
    } else if (const auto& folder = checked(evidence.folder); folder.ok()) {
        // Somebody else renamed the one staged file: a late worker, or ourselves before a crash.
        job.outcome = exported(joinPath((*folder)->folder.path(), evidence.name));
        job.notes.push_back("found published");
        published.push_back({&job, *folder});
    } else {
        job.outcome =
            unknown("its staged file is gone, but the folder can not be looked at: " + folder.error().text);
    }
}

SpoolAdapter::SpoolAdapter(AdapterContext context, SpoolPlan plan)
    : context_(std::move(context)), plan_(std::move(plan)) {}

Result<void> SpoolAdapter::probe() {
    POSTERN_LET(opened, SpoolFolders::open(context_, plan_));
    if (!opened->durableRenames())
        LogLine(LogEvent::AdapterWeaker).with("adapter", context_.name).with("folder", plan_.folder);
    const MutexLock lock(mutex_);
    folders_ = std::move(opened);
    return {};
}

Result<std::shared_ptr<const SpoolFolders>> SpoolAdapter::folders() const {
    const MutexLock lock(mutex_);
    if (!folders_) return fail(Errc::Unavailable, plan_.folder + " was not opened yet");
    return folders_;
}

void SpoolAdapter::stage(std::span<Job> jobs, const std::function<void()>& beat) {
    const auto held = folders();
    if (!held.ok()) return endAll(jobs, unusable(held.error().text));
    Staging staging{**held, beat, std::nullopt, {}, {}};
    if (jobs.size() >= kVolumeSyncFrom) {
        // A handle of this batch's own: the system reports a failed write once per handle, and another
        // thread's sync must not take our report (RELIABILITY 2.4).
        auto volume = Folder::open((*held)->stage().path());
        if (!volume.ok()) return endAll(jobs, unusable(volume.error().text));
        staging.volume = std::move(*volume);
    }
    if (const auto ours = (*held)->stillOurs(); !ours.ok()) return endAll(jobs, unusable(ours.error().text));
    for (Job& job : jobs) {
        beat();
        if (!job.outcome) stageOne(job, staging);
    }
    makeDurable(staging);
}

// Recipients that became impossible since they were accepted (settings changed) are rejected alone; the
// others are tried again without them.
std::optional<Outcome> SpoolAdapter::refusal(const Delivery& delivery) const {
    std::vector<RecipientVerdict> refused;
    for (const Recipient& recipient : delivery.recipients)
        if (auto reason = refuses(recipient))
            refused.push_back({recipient.ordinal, Verdict::Rejected, std::move(*reason)});
    if (refused.empty()) return std::nullopt;
    if (refused.size() == delivery.recipients.size()) return rejected(refused.front().reason);
    Outcome outcome = deferred("some recipients are impossible here; the others are tried again");
    outcome.recipients = std::move(refused);
    return outcome;
}

void SpoolAdapter::stageOne(Job& job, Staging& staging) const {
    job.outcome = refusal(job.delivery);
    if (job.outcome) return;
    auto where = place(job.delivery);
    if (!where.ok()) {
        job.outcome = rejected(where.error().text);
        return;
    }
    // Opened now, so that publish() finds it; one recipient's spoilt folder is not everybody's.
    if (const auto live = staging.folders.live(where->folder); !live.ok()) {
        const bool shared =
            live.error().code == Errc::NoSpace || !staging.folders.stillOurs().ok() ||
            std::find(plan_.live.begin(), plan_.live.end(), where->folder) != plan_.live.end();
        job.outcome = shared ? unusable(live.error().text) : deferred(live.error());
        return;
    }
    const std::string name = stagedName(job.delivery.key);
    writeOne(job, name, staging);
    if (!job.outcome)
        job.evidence =
            formatEvidence({staging.folders.token(), name, std::move(where->folder), std::move(where->name)});
}

void SpoolAdapter::writeOne(Job& job, const std::string& name, Staging& staging) const {
    auto created = staging.folders.stage().create(name, plan_.fileMode);
    if (!created.ok()) {
        const bool taken = created.error().code == Errc::Exists;
        job.outcome = taken ? deferred(created.error()) : unusable(created.error().text);
        return;
    }
    StagedFile file(std::move(*created), staging.buffer, staging.beat);
    auto written = write(job, file);
    if (written.ok() && !written->has_value()) {
        if (const auto flushed = file.flush(); !flushed.ok()) written = flushed.error();
    }
    if (!written.ok()) {
        job.outcome = file.refused() ? unusable(written.error().within(staging.folders.stage().path()).text)
                                     : deferred(written.error());
    } else if (written->has_value()) {
        job.outcome = std::move(**written);
    }
    if (job.outcome) {
        (void)staging.folders.stage().remove(name);  // sweep() takes it otherwise
        return;
    }
    File done = file.takeFile();
    if (staging.volume) {
        done = File();
    } else {
        done.startWriteback();
    }
    staging.written.push_back({&job, name, std::move(done)});
}

void SpoolAdapter::makeDurable(Staging& staging) const {
    if (staging.written.empty()) return;
    const Folder& stage = staging.folders.stage();
    const auto drop = [&](const Staging::Written& written, const Error& error) {
        (void)stage.remove(written.name);  // sweep() takes it otherwise
        written.job->evidence.clear();
        written.job->outcome = unusable(error.text);
    };
    if (!staging.volume) {
        for (auto& written : staging.written) {
            if (const auto synced = written.file.sync(); !synced.ok())
                drop(written, synced.error().within(joinPath(stage.path(), written.name)));
            staging.beat();
        }
    }
    const auto synced = staging.volume ? staging.volume->syncVolume() : stage.sync();
    staging.beat();
    if (synced.ok()) return;
    for (const auto& written : staging.written)
        if (!written.job->outcome) drop(written, synced.error());
}

void SpoolAdapter::publish(std::span<Job> jobs, const std::function<void()>& beat) {
    const auto held = folders();
    if (!held.ok()) return endAll(jobs, unknown(held.error().text));
    Publishing publishing{**held, {}, {}};
    for (Job& job : jobs) {
        beat();
        if (!job.outcome) publishOne(job, publishing);
    }
    syncPublished(publishing);
}

void SpoolAdapter::publishOne(Job& job, Publishing& publishing) const {
    const auto evidence = parseEvidence(job.evidence);
    if (!evidence) {
        job.outcome = unknown("the record of its staged file is damaged: " + job.evidence);
        return;
    }
    const auto& live = publishing.checked(evidence->folder);
    if (!live.ok()) return publishing.giveUp(job, *evidence, unusable(live.error().text));
    if (!context_.guards.noReplace) return publishByCopy(job, publishing);
    const SpoolFolders& folders = publishing.folders;
    const auto moved = evidence->token == folders.token()
                           ? folders.stage().moveNoReplace(evidence->staged, (*live)->folder, evidence->name)
                           : Result<Moved>(Moved::SourceMissing);
    const std::string target = livePath(plan_, *evidence);
    if (!moved.ok()) return publishing.giveUp(job, *evidence, unusable(moved.error().text));
    if (*moved == Moved::SourceMissing)
        return publishing.giveUp(job, *evidence, deferred("its staged file was withdrawn by a recovery"));
    if (*moved == Moved::TargetExists)
        return publishing.giveUp(job, *evidence,
                                 deferred("the name " + target + " is taken by another file", Cause::Busy));
    job.outcome = exported(target);
    publishing.published.push_back({&job, *live});
}

// Guards::noReplace off: a copy that leaves the staged file where it is, as a naive exporter would. The
// staged file is no witness then, and the race tests must see a mail doubled.
void SpoolAdapter::publishByCopy(Job& job, Publishing& publishing) const {
    const auto evidence = parseEvidence(job.evidence);
    const Folder& live = (*publishing.checked(evidence->folder))->folder;
    const auto copied = [&]() -> Result<void> {
        const std::string path = joinPath(publishing.folders.stage().path(), evidence->staged);
        POSTERN_LET(bytes, readFile(path, std::size_t{1} << 30));
        if (const auto removed = live.remove(evidence->name);
            !removed.ok() && removed.error().code != Errc::NotFound)
            return removed;
        POSTERN_LET(file, live.create(evidence->name, plan_.fileMode));
        return file.write(bytes);
    }();
    job.outcome = copied.ok() ? exported(livePath(plan_, *evidence)) : unknown(copied.error().text);
}

// Exported may be recorded only when a power failure can not bring the staged file back.
void SpoolAdapter::syncPublished(Publishing& publishing) const {
    std::map<const LiveFolder*, Result<void>> synced;
    std::optional<Result<void>> stage;
    for (const auto& [job, live] : publishing.published) {
        if (live->durableRenames) continue;
        if (!stage) stage = publishing.folders.stage().sync();
        auto found = synced.find(live.get());
        if (found == synced.end()) found = synced.emplace(live.get(), live->folder.sync()).first;
        const Result<void>& result = found->second.ok() ? *stage : found->second;
        if (!result.ok())
            job->outcome = unknown("published as " + job->outcome->target +
                                   ", but a power failure may undo it: " + result.error().text);
    }
}

void SpoolAdapter::abandon(Job& job) {
    const auto held = folders();
    const auto evidence = parseEvidence(job.evidence);
    if (!held.ok() || !evidence || evidence->token != (*held)->token()) return;
    (void)(*held)->stage().remove(evidence->staged);  // sweep() takes it otherwise
}

Recovery SpoolAdapter::recover(const DeliveryKey& staged, std::string_view text) {
    const auto evidence = parseEvidence(text);
    if (!evidence || evidence->staged != stagedName(staged))
        return {Found::CannotTell, "the record of its staged file is damaged", std::nullopt};
    const auto held = folders();
    if (!held.ok()) return cannotLook(held.error());
    const SpoolFolders& folders = **held;
    if (const auto ours = folders.stillOurs(); !ours.ok()) return cannotLook(ours.error());
    if (evidence->token != folders.token())
        return {Found::CannotTell,
                folders.stage().path() + " was made anew since " + evidence->staged + " was staged in it",
                std::nullopt};
    const auto witness = withdraw(folders, *evidence);
    if (!witness.ok()) return cannotLook(witness.error());
    if (*witness == Witness::Withdrawn)
        return {Found::NotPublished, "its staged file was still there and is withdrawn now", std::nullopt};
    const auto live = folders.live(evidence->folder);
    if (!live.ok()) return cannotLook(live.error());
    if (const auto there = (*live)->folder.stillThere(); !there.ok()) return cannotLook(there.error());
    if (!(*live)->durableRenames) {
        // The one who published may have died before this: without it a power failure could bring the file
        // back.
        if (const auto synced = (*live)->folder.sync(); !synced.ok()) return cannotLook(synced.error());
        if (const auto synced = folders.stage().sync(); !synced.ok()) return cannotLook(synced.error());
    }
    return {Found::Published, "its staged file is gone: published as " + livePath(plan_, *evidence),
            std::nullopt};
}

Result<int> SpoolAdapter::sweep(const std::function<bool(const DeliveryKey&)>& isOver) {
    POSTERN_LET(held, folders());
    int removed = 0, unknownNames = 0;
    for (const Folder* folder : {&held->stage(), &held->withdrawn()}) {
        std::vector<std::string> names;
        POSTERN_TRY(folder->list([&](std::string_view name) {
            names.emplace_back(name);
            return true;
        }));
        for (const std::string& name : names) {
            const auto key = parseStagedName(name);
            if (!key) {
                if (!name.starts_with(".")) ++unknownNames;  // the marker is ours
                continue;
            }
            if (!isOver(*key)) continue;
            // Two sweeps at once, or the worker itself, may take it first.
            const auto gone = folder->remove(name);
            if (gone.ok()) ++removed;
            if (!gone.ok() && gone.error().code != Errc::NotFound) return gone.error();
        }
    }
    unknownFiles_ = unknownNames;
    return removed;
}

std::string SpoolAdapter::describe() const {
    std::string text = "files in " + plan_.folder + ", staged in " + stagePath(context_, plan_);
    const auto held = folders();
    if (!held.ok()) return text + "; not opened yet";
    text += (*held)->durableRenames()
                ? "; a file is durable before it is visible"
                : "; weaker promise: a power failure may repeat a file that was taken in its last moments";
    if (const int count = unknownFiles_; count > 0)
        text += "; " + std::to_string(count) + " files there are not ours and were left alone";
    return text;
}

std::vector<Setting> spoolSettings(std::vector<Setting> own) {
    std::vector<Setting> all = {
        {"folder", SettingType::Path, nullptr, "The folder from which the legacy side takes the files."},
        {"stage", SettingType::Path, "",
         "A folder on the same volume for files being written; needed when the consumer reads dot folders "
         "too. "
         "Empty: .postern-<adapter> inside the folder."},
        {"create", SettingType::Boolean, "true",
         "Make the folder when it is missing; false for a volume that may not be mounted."},
        {"file_mode", SettingType::Text, "0640",
         "Permission bits of the files, in octal, less those the service's umask takes away."},
        {"synchronous_renames", SettingType::Boolean, "true",
         "Ask the file system to make each file durable before the consumer can see it (ext4)."},
    };
    for (Setting& setting : own) all.push_back(std::move(setting));
    return all;
}

Result<SpoolPlan> spoolPlan(const Settings& settings) {
    SpoolPlan plan;
    plan.folder = settings.text("folder");
    plan.stage = settings.text("stage");
    plan.create = settings.boolean("create");
    plan.synchronousRenames = settings.boolean("synchronous_renames");
    if (!isAbsolutePath(plan.folder)) return fail(Errc::Invalid, "folder: must be an absolute path");
    if (!plan.stage.empty() && !isAbsolutePath(plan.stage))
        return fail(Errc::Invalid, "stage: must be an absolute path");
    if (plan.stage == plan.folder) return fail(Errc::Invalid, "stage: must be another folder than folder");
    const std::string& mode = settings.text("file_mode");
    if (mode.size() < 3 || mode.size() > 4 || mode.find_first_not_of("01234567") != std::string::npos)
        return fail(Errc::Invalid, "file_mode: '" + mode + "' is not octal, like 0640");
    plan.fileMode = static_cast<unsigned>(std::stoul(mode, nullptr, 8)) & 0777;
    return plan;
}

}  // namespace postern::adapters
