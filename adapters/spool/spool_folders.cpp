#include "adapters/spool/spool_folders.h"

#include <algorithm>

#include "base/log.h"
#include "base/random.h"
#include "base/text.h"

namespace postern::adapters {

namespace {

constexpr std::string_view kMarkerPrefix = ".store-";
constexpr std::string_view kOwnPrefix = ".postern-";
// Folders of single recipients are kept open up to this many; then the oldest way to be safe: forget all,
// reopen.
constexpr std::size_t kMostLiveFolders = 512;

Error unusableFolder(const Error& error) {
    return Error{error.code == Errc::NotFound ? Errc::Unavailable : error.code, error.text};
}

// It was open, and this is not it: a share went away, or somebody made the folder anew.
Error notTheOne(const SpoolPlan& plan, const std::string& seen) {
    return fail(Errc::Unavailable, plan.folder + " is not the folder that was in use: " + seen +
                                       ". Mount it again or put it back, and it goes on by itself; if this "
                                       "one is meant, restart the service");
}

Result<Folder> openBase(const SpoolPlan& plan, bool again) {
    auto opened =
        plan.create && !again ? Folder::make(plan.folder, plan.folderMode) : Folder::open(plan.folder);
    if (opened.ok()) return opened;
    if (again && opened.error().code == Errc::NotFound) return notTheOne(plan, opened.error().text);
    return unusableFolder(opened.error());
}

Result<Folder> openStage(const SpoolPlan& plan, const std::string& path, bool again) {
    auto opened = again ? Folder::open(path) : Folder::make(path, 0700);
    if (again && !opened.ok() && opened.error().code == Errc::NotFound)
        return notTheOne(plan, opened.error().text);
    return opened;
}

// Two adapters that each stage in the consumer's folder would mix their files there (KB Q131988). Asked
// before anything is made, so that the refused one leaves no trace.
Result<void> refuseNeighbours(const Folder& base, const AdapterContext& context) {
    std::string other;
    POSTERN_TRY(base.list([&](std::string_view name) {
        if (!name.starts_with(kOwnPrefix) || name.substr(kOwnPrefix.size()) == context.name) return true;
        other = name;
        return false;
    }));
    if (other.empty()) return {};
    return fail(Errc::Unavailable, base.path() + " is used by another adapter (" + escapeLine(other, 100) +
                                       " is there): give each adapter a folder of its own");
}

std::string firstLine(std::string_view text) {
    return std::string(trim(text.substr(0, text.find('\n'))));
}

}  // namespace

std::string stagePath(const AdapterContext& context, const SpoolPlan& plan) {
    if (!plan.stage.empty()) return plan.stage;
    return joinPath(joinPath(plan.folder, std::string(kOwnPrefix) + context.name), "stage");
}

std::string withdrawnPath(const AdapterContext& context, const SpoolPlan& plan) {
    if (!plan.stage.empty()) return plan.stage + ".withdrawn";
    return joinPath(parentPath(stagePath(context, plan)), "withdrawn");
}

Result<std::shared_ptr<SpoolFolders>> SpoolFolders::open(const AdapterContext& context, const SpoolPlan& plan,
                                                         const SpoolFolders* before) {
    auto opened = openAll(context, plan, before);
    if (opened.ok()) return opened;
    std::vector<std::string> paths{plan.folder, stagePath(context, plan), withdrawnPath(context, plan)};
    for (const std::string& live : plan.live) paths.push_back(joinPath(plan.folder, live));
    return explainDenied(opened.error(), paths);
}

Result<std::shared_ptr<SpoolFolders>> SpoolFolders::openAll(const AdapterContext& context,
                                                            const SpoolPlan& plan,
                                                            const SpoolFolders* before) {
    POSTERN_LET(base, openBase(plan, before != nullptr));
    POSTERN_TRY(refuseNeighbours(base, context));
    POSTERN_LET(stage, openStage(plan, stagePath(context, plan), before != nullptr));
    POSTERN_LET(withdrawn, Folder::make(withdrawnPath(context, plan), 0700));
    std::shared_ptr<SpoolFolders> folders(
        new SpoolFolders(context.name, plan, std::move(base), std::move(stage), std::move(withdrawn)));
    POSTERN_TRY(folders->beSameAs(before));
    POSTERN_TRY(folders->claim(context, before));
    POSTERN_TRY(folders->tryOut());
    POSTERN_TRY(folders->openPlanned());
    return folders;
}

// A stage inside the folder carries the marker for both. One elsewhere says nothing about the folder, which
// is known by its number then: the handle that `before` holds keeps the file system from giving it to
// another.
Result<void> SpoolFolders::beSameAs(const SpoolFolders* before) {
    POSTERN_LET(facts, lookAtFolder(plan_.folder));
    baseNumber_ = facts.number;
    if (before == nullptr) return {};
    toldGroup_ = before->toldGroup_.load();
    if (plan_.stage.empty() || before->baseNumber_ == baseNumber_) return {};
    return notTheOne(plan_, "another one has its name");
}

Result<void> SpoolFolders::claim(const AdapterContext& context, const SpoolFolders* before) {
    marker_ = std::string(kMarkerPrefix) + context.storeId;
    std::string foreign;
    POSTERN_TRY(stage_.list([&](std::string_view name) {
        if (name.starts_with(kMarkerPrefix) && name != marker_) foreign = name;
        return foreign.empty();
    }));
    const std::string path = joinPath(stage_.path(), marker_);
    if (!foreign.empty())
        return fail(Errc::Unavailable, stage_.path() + " belongs to another store (" +
                                           escapeLine(foreign, 100) +
                                           "): remove that folder if its store is gone");
    POSTERN_LET(marked, stage_.has(marker_));
    if (!marked && before != nullptr) return notTheOne(plan_, path + " is missing");
    if (!marked) POSTERN_TRY(makeMarker(context));
    POSTERN_LET(text, readFile(path, 4096));
    const std::string owner = firstLine(text);
    if (owner != context.name)
        return fail(Errc::Unavailable, stage_.path() + " belongs to the adapter '" + escapeLine(owner, 100) +
                                           "': give each adapter a stage folder of its own");
    token_ = firstLine(std::string_view(text).substr(std::min(text.size(), owner.size() + 1)));
    if (token_.empty()) return fail(Errc::Corrupt, path + " is damaged: its second line is missing");
    if (before != nullptr && token_ != before->token_)
        return notTheOne(plan_, path + " is that of another folder");
    return {};
}

// Made aside and renamed, so that a full disk or a crash leaves no half of it. The token is what recover()
// relies on: it must not be lost by a power failure and then made anew.
Result<void> SpoolFolders::makeMarker(const AdapterContext& context) {
    const std::string aside = ".marker-" + randomName(8);
    const auto made = [&]() -> Result<void> {
        POSTERN_LET(file, stage_.create(aside, 0600));
        POSTERN_TRY(file.write(context.name + "\n" + randomName(12) + "\n"));
        POSTERN_TRY(file.sync());
        POSTERN_TRY(stage_.moveNoReplace(aside, stage_, marker_));  // taken meanwhile: the other one counts
        return stage_.sync();
    }();
    (void)stage_.remove(aside);  // gone when it became the marker; otherwise a hidden leftover is harmless
    return made;
}

Result<void> SpoolFolders::openPlanned() {
    durableRenames_ = true;
    for (const std::string& path : plan_.live) {
        POSTERN_LET(opened, live(path));
        durableRenames_ = durableRenames_ && opened->durableRenames;
    }
    return {};
}

// A full disk, a read-only volume or a missing permission shows here and not with the first mail.
Result<void> SpoolFolders::tryOut() {
    const std::string name = ".try-" + randomName(8);
    POSTERN_LET(file, stage_.create(name, 0600));
    const auto tried = [&]() -> Result<void> {
        POSTERN_TRY(file.write(std::string(4096, ' ')));
        POSTERN_TRY(file.sync());
        POSTERN_LET(group, fileGroup(file));
        stagedGroup_ = group;
        POSTERN_LET(moved, stage_.moveNoReplace(name, withdrawn_, name));
        if (moved != Moved::Done)
            return fail(Errc::Unavailable, stage_.path() + " does not keep the files written there");
        return withdrawn_.remove(name);
    }();
    if (tried.ok()) return {};
    (void)stage_.remove(name);  // an empty leftover is harmless; the error that matters is `tried`
    (void)withdrawn_.remove(name);
    return tried.error().within("trying out " + stage_.path());
}

// In a folder that hands on its group (setgid) the reader counts on it; a file keeps the group of where it
// was created, and that was the stage. Where that is the same no mail costs a call more.
Result<std::optional<GroupId>> SpoolFolders::groupFor(const std::string& path) const {
    POSTERN_LET(facts, lookAtFolder(path));
    if (!plan_.oneVolume || !facts.handsOnGroup || facts.group == stagedGroup_)
        return std::optional<GroupId>();
    const auto may = mayGiveTo(facts.group);
    if (may.ok()) return std::optional<GroupId>(facts.group);
    if (!toldGroup_.exchange(true))
        LogLine(LogEvent::AdapterGroup)
            .with("adapter", adapter_)
            .with("folder", path)
            .with("group", nameOfGroup(facts.group))
            .with("files_have", nameOfGroup(stagedGroup_))
            .with("reason", may.error().text);
    return std::optional<GroupId>();
}

Result<void> SpoolFolders::mayGiveTo(GroupId group) const {
    const std::string name = ".try-" + randomName(8);
    POSTERN_LET(file, stage_.create(name, 0600));
    const auto given = setFileGroup(file, group);
    POSTERN_TRY(stage_.remove(name));
    return given;
}

std::string SpoolFolders::livePath(const std::string& path) const {
    return path.empty() ? plan_.folder : joinPath(plan_.folder, path);
}

Result<std::shared_ptr<const LiveFolder>> SpoolFolders::openLive(const std::string& path) const {
    const std::string whole = livePath(path);
    if (!path.empty()) {
        for (const std::string& sibling : plan_.siblings)
            POSTERN_TRY(makeFolders(joinPath(parentPath(whole), sibling), plan_.folderMode));
        POSTERN_TRY(makeFolders(whole, plan_.folderMode));
    }
    POSTERN_LET(folder, Folder::open(whole));
    POSTERN_TRY(folder.mayWrite());
    // A rename of nothing tells whether renames from the stage can work (another volume, a bind mount) and
    // shows the consumer nothing.
    const auto moved = plan_.oneVolume ? stage_.moveNoReplace(".try-nothing", folder, ".try-nothing")
                                       : Result<Moved>(Moved::SourceMissing);
    if (!moved.ok())
        return fail(Errc::Unavailable, "files can not be moved from " + stage_.path() + " to " + whole +
                                           " (both must be on one volume): " + moved.error().text);
    const bool durable = plan_.synchronousRenames && folder.askSynchronousRenames();
    POSTERN_LET(group, groupFor(whole));
    return std::make_shared<const LiveFolder>(LiveFolder{std::move(folder), durable, group});
}

Result<std::shared_ptr<const LiveFolder>> SpoolFolders::live(const std::string& path) const {
    if (auto known = knownLive(path)) return known;
    // A folder of the consumer is made only while the spool's own is the one that was opened. Without the
    // lock: a volume that hangs stops nobody who needs another folder.
    POSTERN_TRY(base_.stillThere());
    auto opened = openLive(path);
    if (!opened.ok()) return unusableFolder(opened.error());
    const MutexLock lock(mutex_);
    if (live_.size() >= kMostLiveFolders) live_.clear();
    return live_.emplace(path, *opened).first->second;  // another thread's, where that was quicker
}

std::shared_ptr<const LiveFolder> SpoolFolders::knownLive(const std::string& path) const {
    const MutexLock lock(mutex_);
    const auto found = live_.find(path);
    return found == live_.end() ? nullptr : found->second;
}

bool SpoolFolders::isPlanned(const std::string& path) const {
    return std::find(plan_.live.begin(), plan_.live.end(), path) != plan_.live.end();
}

void SpoolFolders::forget(const std::string& path) const {
    if (isPlanned(path)) return;
    const MutexLock lock(mutex_);
    live_.erase(path);
}

Error SpoolFolders::explained(const Error& error, const std::string& live) const {
    return explainDenied(error, {livePath(live), stage_.path(), withdrawn_.path()});
}

Result<void> SpoolFolders::stillOurs() const {
    POSTERN_TRY(base_.stillThere());
    POSTERN_TRY(stage_.stillThere());
    POSTERN_TRY(withdrawn_.stillThere());
    POSTERN_LET(marked, stage_.has(marker_));
    if (!marked)
        return fail(Errc::Unavailable, "the marker " + joinPath(stage_.path(), marker_) + " is gone");
    return {};
}

}  // namespace postern::adapters
