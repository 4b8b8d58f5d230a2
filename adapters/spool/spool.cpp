#include "adapters/spool/spool.h"

#include <algorithm>
#include <map>
#include <vector>

#include "base/log.h"

namespace postern::adapters {

namespace {

std::string liveFolder(const SpoolPlan& plan, const SpoolEvidence& evidence) {
    return evidence.folder.empty() ? plan.folder : joinPath(plan.folder, evidence.folder);
}

// Of a file that got its name when it was published only the folder is known.
std::string livePath(const SpoolPlan& plan, const SpoolEvidence& evidence) {
    const std::string folder = liveFolder(plan, evidence);
    return evidence.name == kNamedLate ? folder : joinPath(folder, evidence.name);
}

Recovery cannotLook(const Error& error) {
    return {Found::CannotTell, error.text, error};
}

// Whether trouble with a live folder is everybody's: one recipient's lost folder is not.
bool isShared(const SpoolFolders& folders, const std::string& folder, const Error& error) {
    return error.code == Errc::NoSpace || folders.isPlanned(folder) || !folders.stillOurs().ok();
}

Outcome trouble(const SpoolFolders& folders, const std::string& folder, const Error& error) {
    return isShared(folders, folder, error) ? unusable(error.text) : deferred(error);
}

Recovery cannotLookIn(const SpoolFolders& folders, const std::string& folder, const Error& error) {
    if (isShared(folders, folder, error)) return cannotLook(error);
    return {Found::CannotTell, error.text, std::nullopt, error};
}

}  // namespace

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
    std::map<std::string, std::string> lastNames;           // by folder: of the last file named late
    std::map<std::string, std::vector<std::string>> names;  // by folder: of what was published

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
        const std::string& path = (*folder)->folder.path();
        job.outcome = exported(evidence.name == kNamedLate ? path : joinPath(path, evidence.name));
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
    const auto writer = [this](Job& job, StagedFile& file) { return write(job, file); };
    auto staging = Staging::begin(**held, jobs.size(), plan_.fileMode, writer, beat);
    if (!staging.ok()) return endAll(jobs, unusable(staging.error().text));
    for (Job& job : jobs) {
        beat();
        if (!job.outcome) stageOne(job, **held, *staging);
    }
    staging->finish();
}

void SpoolAdapter::stageOne(Job& job, const SpoolFolders& folders, Staging& staging) const {
    job.outcome = refusalOf(*this, job.delivery);
    if (job.outcome) return;
    auto where = place(job.delivery);
    if (!where.ok()) {
        job.outcome = rejected(where.error().text);
        return;
    }
    // Opened now, so that publish() finds it; one recipient's spoilt folder is not everybody's.
    auto live = folders.live(where->folder);
    if (live.ok() && !folders.isPlanned(where->folder) && !(*live)->folder.stillThere().ok()) {
        folders.forget(where->folder);
        live = folders.live(where->folder);
    }
    if (!live.ok()) {
        job.outcome = trouble(folders, where->folder, live.error());
        return;
    }
    const auto size = staging.write(job);
    if (!size) return;
    job.evidence = formatEvidence({folders.token(), stagedName(job.delivery.key), where->folder,
                                   where->name.empty() ? kNamedLate : nameFor(*where, *size)});
}

void SpoolAdapter::publish(std::span<Job> jobs, const std::function<void()>& beat) {
    const auto held = folders();
    if (!held.ok()) return endAll(jobs, unknown(held.error().text));
    Publishing publishing{**held, {}, {}, {}, {}};
    for (Job& job : jobs) {
        beat();
        if (!job.outcome) publishOne(job, publishing);
    }
    syncPublished(publishing);
    for (const auto& [folder, names] : publishing.names)
        afterPublishing((*publishing.live.at(folder))->folder, names);
}

void SpoolAdapter::publishOne(Job& job, Publishing& publishing) const {
    auto evidence = parseEvidence(job.evidence);
    if (!evidence) {
        job.outcome = unknown("the record of its staged file is damaged: " + job.evidence);
        return;
    }
    const auto& live = publishing.checked(evidence->folder);
    if (!live.ok())
        return publishing.giveUp(job, *evidence, trouble(publishing.folders, evidence->folder, live.error()));
    if (!context_.guards.noReplace) return publishByCopy(job, publishing);
    if (evidence->token != publishing.folders.token())
        return publishing.giveUp(job, *evidence, deferred("its staged file was withdrawn by a recovery"));
    if (evidence->name == kNamedLate) withdrawEarlier(publishing.folders, job.delivery.key);
    const auto moved = rename(*evidence, (*live)->folder, publishing);
    if (!moved.ok())
        return publishing.giveUp(job, *evidence,
                                 trouble(publishing.folders, evidence->folder, moved.error()));
    const std::string target = joinPath(liveFolder(plan_, *evidence), moved->name);
    if (moved->end == Moved::SourceMissing)
        return publishing.giveUp(job, *evidence, deferred("its staged file was withdrawn by a recovery"));
    if (moved->end == Moved::TargetExists)
        return publishing.giveUp(job, *evidence,
                                 deferred("the name " + target + " is taken by another file", Cause::Busy));
    job.outcome = exported(target);
    publishing.published.push_back({&job, *live});
    publishing.names[evidence->folder].push_back(moved->name);
}

// The one rename. A name that is chosen now is chosen again while others are quicker: the source is the same
// file each time, so it is published once whatever its name becomes.
Result<SpoolAdapter::Renamed> SpoolAdapter::rename(const SpoolEvidence& evidence, const Folder& live,
                                                   Publishing& publishing) const {
    if (evidence.name != kNamedLate) {
        POSTERN_LET(end, publishing.folders.stage().moveNoReplace(evidence.staged, live, evidence.name));
        return Renamed{end, evidence.name};
    }
    constexpr int kMostTries = 100;
    for (int attempt = 0; attempt < kMostTries; ++attempt) {
        std::string& last = publishing.lastNames[evidence.folder];
        POSTERN_LET(name, nextName(live, last));
        POSTERN_LET(end, publishing.folders.stage().moveNoReplace(evidence.staged, live, name,
                                                                  Folder::Namers::Others));
        if (end == Moved::Done) last = name;
        if (end == Moved::TargetExists) last.clear();  // somebody else adds files too: look again
        if (end != Moved::TargetExists) return Renamed{end, name};
    }
    return Renamed{Moved::TargetExists, "of the next file"};
}

// Guards::noReplace off: a copy that leaves the staged file where it is, as a naive exporter would. The
// staged file is no witness then, and the race tests must see a mail doubled.
void SpoolAdapter::publishByCopy(Job& job, Publishing& publishing) const {
    const auto evidence = parseEvidence(job.evidence);
    const Folder& live = (*publishing.checked(evidence->folder))->folder;
    const auto copied = [&]() -> Result<void> {
        const std::string path = joinPath(publishing.folders.stage().path(), evidence->staged);
        POSTERN_LET(bytes, readFile(path, std::size_t{1} << 30));
        const std::string name = evidence->name == kNamedLate ? *nextName(live, {}) : evidence->name;
        if (const auto removed = live.remove(name); !removed.ok() && removed.error().code != Errc::NotFound)
            return removed;
        POSTERN_LET(file, live.create(name, plan_.fileMode));
        POSTERN_TRY(file.write(bytes));
        job.outcome = exported(joinPath(liveFolder(plan_, *evidence), name));
        return {};
    }();
    if (!copied.ok()) job.outcome = unknown(copied.error().text);
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
    if (const auto held = folders(); held.ok()) dropStaged(**held, job);
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
    if (!live.ok()) return cannotLookIn(folders, evidence->folder, live.error());
    if (const auto there = (*live)->folder.stillThere(); !there.ok()) {
        folders.forget(evidence->folder);
        return cannotLookIn(folders, evidence->folder, there.error());
    }
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
    POSTERN_LET(swept, sweepFolders(*held, isOver));
    unknownFiles_ = swept.unknown;
    return swept.removed;
}

std::string SpoolAdapter::describe() const {
    std::string text = "files in " + plan_.folder + ", staged in " + stagePath(context_, plan_);
    const auto held = folders();
    if (!held.ok()) return text;  // what it can promise here is known when it was opened
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
        {"file_mode", SettingType::Text, "0640", "Permission bits of the files, in octal."},
        {"folder_mode", SettingType::Text, "0770", "Permission bits of the folders that it makes, in octal."},
        {"synchronous_renames", SettingType::Boolean, "true",
         "Ask the file system to make each file durable before the consumer can see it (ext4)."},
    };
    for (Setting& setting : own) all.push_back(std::move(setting));
    return all;
}

Result<unsigned> octalMode(const Settings& settings, const char* key) {
    const std::string& mode = settings.text(key);
    if (mode.size() < 3 || mode.size() > 4 || mode.find_first_not_of("01234567") != std::string::npos)
        return fail(Errc::Invalid, std::string(key) + ": '" + mode + "' is not octal, like 0640");
    return static_cast<unsigned>(std::stoul(mode, nullptr, 8));
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
    POSTERN_LET(fileMode, octalMode(settings, "file_mode"));
    plan.fileMode = fileMode & 0777;
    POSTERN_LET(folderMode, octalMode(settings, "folder_mode"));
    plan.folderMode = folderMode;
    return plan;
}

}  // namespace postern::adapters
