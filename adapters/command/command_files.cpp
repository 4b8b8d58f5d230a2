#include "adapters/command/command_files.h"

#include <algorithm>
#include <string>
#include <vector>

#include "adapters/command/runner.h"
#include "base/quiet_lock.h"

namespace postern::adapters {

namespace {

// The file, open and locked by us; closed: somebody else has the lock; nothing: there is no such file.
Result<std::optional<File>> lockOf(const Folder& folder, const std::string& name) {
    auto file = folder.openShared(name, false);
    if (!file.ok() && file.error().code == Errc::NotFound) return std::optional<File>();
    if (!file.ok()) return file.error();
    POSTERN_LET(locked, tryQuietLock(*file));
    return std::optional<File>(locked ? std::move(*file) : File());
}

Result<std::optional<ProcessEnd>> resultOf(const Folder& run, const std::string& key, bool& there) {
    auto file = run.openRead(key + ".result");
    there = file.ok() || file.error().code != Errc::NotFound;
    if (!there) return std::optional<ProcessEnd>();
    if (!file.ok()) return file.error();
    std::string text(kMostResultBytes + 1, '\0');
    POSTERN_LET(got, file->readAt(0, text.data(), text.size()));
    return parseResult(std::string_view(text).substr(0, got));
}

// What is left of one on which nobody works; `begun`: its .started is locked by us.
Result<std::optional<Standing>> settled(const Folder& run, const std::string& key, bool begun) {
    bool there = false;
    POSTERN_LET(end, resultOf(run, key, there));
    if (end) return std::optional<Standing>(Standing{Standing::Is::Ended, {}, std::move(end)});
    if (!begun && !there) return std::optional<Standing>();
    return std::optional<Standing>(Standing{Standing::Is::CutOff, {}, std::nullopt});
}

// In the order in which the files move on, so that one that moves meanwhile is met at its next place.
Result<std::optional<Standing>> lookOnce(const SpoolFolders& folders, const Folder& run,
                                         const std::string& key) {
    using Is = Standing::Is;
    POSTERN_LET(waiting, lockOf(folders.stage(), key));
    if (waiting) {
        if (!waiting->isOpen()) return std::optional<Standing>(Standing{Is::Running, {}, std::nullopt});
        POSTERN_LET(still, folders.stage().has(key));
        if (still) return std::optional<Standing>(Standing{Is::Waiting, std::move(*waiting), std::nullopt});
    }
    POSTERN_LET(withdrawn, folders.withdrawn().has(key));
    if (withdrawn) return std::optional<Standing>(Standing{Is::Withdrawn, {}, std::nullopt});
    waiting.reset();  // moved on while we took its lock, which is the lock of .started too
    POSTERN_LET(started, lockOf(run, key + ".started"));
    if (started && !started->isOpen())
        return std::optional<Standing>(Standing{Is::Running, {}, std::nullopt});
    return settled(run, key, started.has_value());
}

}  // namespace

Result<Standing> examine(const SpoolFolders& folders, const Folder& run, const SpoolEvidence& evidence) {
    constexpr int kLooks = 3;
    for (int look = 0; look < kLooks; ++look) {
        POSTERN_LET(found, lookOnce(folders, run, evidence.staged));
        if (found) return std::move(*found);
    }
    POSTERN_TRY(folders.stillOurs());
    POSTERN_TRY(run.stillThere());
    return Standing{};
}

bool earlierRuns(const Folder& run, const DeliveryKey& key) {
    constexpr std::int64_t kEarlierAttempts = 8;
    const std::int64_t first = std::max<std::int64_t>(1, key.epoch.value - kEarlierAttempts);
    for (std::int64_t epoch = first; epoch < key.epoch.value; ++epoch) {
        const auto lock = lockOf(run, stagedName({key.item, Epoch{epoch}}) + ".started");
        if (lock.ok() && *lock && !(*lock)->isOpen()) return true;
    }
    return false;
}

namespace {

// "12.3.result" is of 12.3.
std::optional<DeliveryKey> keyOf(std::string_view name) {
    for (const std::string_view end : {".started", ".result", ".aside"})
        if (name.ends_with(end)) return parseStagedName(name.substr(0, name.size() - end.size()));
    return std::nullopt;
}

}  // namespace

Result<Swept> sweepRun(const Folder& run, const std::function<bool(const DeliveryKey&)>& isOver) {
    std::vector<std::string> names;
    POSTERN_TRY(run.list([&](std::string_view name) {
        names.emplace_back(name);
        return true;
    }));
    Swept swept;
    for (const std::string& name : names) {
        const auto key = keyOf(name);
        if (!key && !name.starts_with(".")) ++swept.unknown;
        if (!key || !isOver(*key)) continue;
        const auto lock = lockOf(run, stagedName(*key) + ".started");
        if (lock.ok() && *lock && !(*lock)->isOpen()) continue;
        const auto gone = run.remove(name);
        if (gone.ok()) ++swept.removed;
        if (!gone.ok() && gone.error().code != Errc::NotFound) return gone.error();
    }
    return swept;
}

}  // namespace postern::adapters
