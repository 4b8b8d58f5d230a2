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
    const Error told = folders.explained(error, folder);
    return isShared(folders, folder, error) ? unusableBy(told) : deferred(told);
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
    const CompanionNames companionNames;
    // Live folders that were looked at in this call: still the ones we opened, or why not.
    std::map<std::string, Result<std::shared_ptr<const LiveFolder>>> live;
    std::vector<Published> published;
    std::vector<Published> beside;                          // jobs whose companions are in their places
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
    Result<void> takeBackBeside(const SpoolEvidence& evidence) {
        if (evidence.companions == 0) return {};
        const auto& place = checked(evidence.besideFolder);
        return place.ok() ? takeBackCompanions(folders, evidence, **place, companionNames) : place.error();
    }
};

void SpoolAdapter::Publishing::giveUp(Job& job, const SpoolEvidence& evidence, Outcome outcome) {
    const auto witness = withdraw(folders, evidence);
    if (!witness.ok()) {
        job.outcome =
            unknown(outcome.reason + "; its staged file could not be withdrawn: " + witness.error().text);
    } else if (*witness == Witness::Withdrawn) {
        const auto taken = takeBackBeside(evidence);  // otherwise a recovery takes them
        job.outcome = taken.ok() ? std::move(outcome)
                                 : unknown(outcome.reason +
                                           "; the files that go with it could not be taken "
                                           "back: " +
                                           taken.error().text);
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
    const auto before = folders();
    POSTERN_LET(opened, SpoolFolders::open(context_, plan_, before.ok() ? before->get() : nullptr));
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
    if (!held.ok()) return endAll(jobs, unusableBy(held.error()));
    const auto writer = [this](Job& job, StagedFile& file, Companions& beside) {
        return write(job, file, beside);
    };
    auto staging = Staging::begin(**held, jobs.size(), plan_.fileMode, writer, beat);
    if (!staging.ok()) return endAll(jobs, unusableBy(staging.error()));
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
        job.outcome = rejectedOrDeferred(where.error());
        return;
    }
    job.outcome = notNow(job.delivery);
    if (job.outcome) return;
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
    Staging::Groups groups{(*live)->group};
    if (!where->besideFolder.empty())
        if (const auto beside = folders.live(where->besideFolder); beside.ok())
            groups.companions = (*beside)->group;  // otherwise publish() says what is wrong there
    const auto written = staging.write(job, groups);
    if (!written) return;
    job.evidence = formatEvidence({folders.token(), stagedName(job.delivery.key), where->folder,
                                   where->name.empty() ? kNamedLate : nameFor(*where, written->bytes),
                                   where->besideFolder, written->companions});
}

void SpoolAdapter::publish(std::span<Job> jobs, const std::function<void()>& beat) {
    const auto held = folders();
    if (!held.ok()) return endAll(jobs, unknown(held.error().text));
    const auto beside = [this](ItemId item, int number) { return companionName(item, number); };
    Publishing publishing{**held, beside, {}, {}, {}, {}, {}};
    for (Job& job : jobs) {
        beat();
        if (!job.outcome) publishBeside(job, publishing);
    }
    syncBeside(publishing);
    for (Job& job : jobs) {
        beat();
        if (!job.outcome) publishOne(job, publishing);
    }
    syncPublished(publishing);
    for (const auto& [folder, names] : publishing.names)
        afterPublishing((*publishing.live.at(folder))->folder, names);
}

// What the artifact will name is there before it is. What is wrong with the job otherwise is publishOne()'s.
void SpoolAdapter::publishBeside(Job& job, Publishing& publishing) const {
    const auto evidence = parseEvidence(job.evidence);
    if (!evidence || evidence->companions == 0 || !context_.guards.noReplace) return;
    if (evidence->token != publishing.folders.token()) return;
    const auto& live = publishing.checked(evidence->besideFolder);
    if (!live.ok())
        return publishing.giveUp(job, *evidence,
                                 trouble(publishing.folders, evidence->besideFolder, live.error()));
    const auto moved =
        publishCompanions(publishing.folders, *evidence, (*live)->folder, publishing.companionNames);
    if (moved.ok()) return publishing.beside.push_back({&job, *live});
    publishing.giveUp(job, *evidence,
                      moved.error().code == Errc::Busy
                          ? deferred(moved.error().text, Cause::Busy)
                          : trouble(publishing.folders, evidence->besideFolder, moved.error()));
}

// No power failure may leave an artifact that names what is not there.
void SpoolAdapter::syncBeside(Publishing& publishing) const {
    std::map<const LiveFolder*, Result<void>> synced;
    for (const auto& [job, live] : publishing.beside) {
        if (live->durableRenames) continue;
        auto found = synced.find(live.get());
        if (found == synced.end()) found = synced.emplace(live.get(), live->folder.sync()).first;
        if (!found->second.ok())
            publishing.giveUp(*job, *parseEvidence(job->evidence), unusableBy(found->second.error()));
    }
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
    if (evidence->name == kNamedLate || !nameIsItems()) withdrawEarlier(publishing.folders, job.delivery.key);
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

Result<void> SpoolAdapter::takeBackBeside(const SpoolFolders& folders, const SpoolEvidence& evidence) const {
    if (evidence.companions == 0) return {};
    POSTERN_LET(live, folders.live(evidence.besideFolder));
    POSTERN_TRY(live->folder.stillThere());
    return takeBackCompanions(folders, evidence, *live,
                              [this](ItemId item, int number) { return companionName(item, number); });
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
    if (*witness == Witness::Withdrawn) {
        if (const auto taken = takeBackBeside(folders, *evidence); !taken.ok())
            return cannotLook(taken.error());
        return {Found::NotPublished, "its staged file was still there and is withdrawn now", std::nullopt};
    }
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

namespace {

// Companions written into nothing, for their sizes.
class Unkept final : public Companions {
  public:
    explicit Unkept(Job& job) : job_(job) {}
    Result<void> add(const std::function<Result<void>(StagedFile&)>& write) override {
        std::string buffer;
        const std::function<void()> beat = [] {};
        StagedFile file(buffer, beat);
        POSTERN_TRY(write(file));
        ++count_;
        sizes_.push_back(file.position());
        return {};
    }
    void note(const std::function<std::string(int)>& name) {
        for (int number = 1; number <= count_; ++number)
            job_.notes.push_back("beside it: " + name(number) + ", " +
                                 std::to_string(sizes_[static_cast<std::size_t>(number) - 1]) + " bytes");
    }

  private:
    Job& job_;
    std::vector<std::int64_t> sizes_;
};

}  // namespace

Result<std::optional<Outcome>> SpoolAdapter::convert(Job& job, StagedFile& file) const {
    Unkept beside(job);
    auto written = write(job, file, beside);
    if (written.ok() && !*written)
        beside.note([&](int number) { return companionName(job.delivery.key.item, number); });
    return written;
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

}  // namespace postern::adapters
