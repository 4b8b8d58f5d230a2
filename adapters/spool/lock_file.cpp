#include "adapters/spool/lock_file.h"

#include <algorithm>

#include "base/random.h"
#include "base/sync.h"
#include "base/text.h"

namespace postern::adapters {

namespace {

Result<bool> isOurs(File& file, const LockFilePlan& plan) {
    char text[256];
    POSTERN_LET(got, file.readAt(0, text, sizeof text));
    return std::string_view(text, got).starts_with(plan.signature + " ");
}

Result<bool> isOurs(const Folder& folder, const std::string& name, const LockFilePlan& plan) {
    POSTERN_LET(file, folder.openRead(name));
    return isOurs(file, plan);
}

Millis ageOf(const FileFacts& facts) {
    return std::chrono::duration_cast<Millis>(Clock::system().now() -
                                              fromMillis(facts.changedNanos / 1'000'000));
}

// Taken away under another name first: what another program put there meanwhile is put back.
Result<void> breakStale(const Folder& folder, const std::string& name, const FileFacts& judged) {
    const std::string aside = ".stale-" + randomName(8);
    POSTERN_LET(moved, folder.moveNoReplace(name, folder, aside));
    if (moved != Moved::Done) return {};
    POSTERN_LET(facts, folder.facts(aside));
    if (facts.number == judged.number) return folder.remove(aside);
    POSTERN_LET(back, folder.moveNoReplace(aside, folder, name));
    return back == Moved::Done ? Result<void>() : folder.remove(aside);
}

// Whether the lock there is ours, and so left over. One of others is removed when it is stale; otherwise
// Busy, and who has it.
Result<bool> judge(const Folder& folder, const std::string& name, const LockFilePlan& plan) {
    const auto facts = folder.facts(name);
    if (!facts.ok()) return facts.error().code == Errc::NotFound ? Result<bool>(false) : facts.error();
    const std::string path = joinPath(folder.path(), name);
    if (!facts->regular) return fail(Errc::Denied, path + " is no lock file");
    const auto read = isOurs(folder, name, plan);  // others' may be closed to us
    if (read.ok() && *read) return true;
    const Millis age = ageOf(*facts);
    if (plan.staleAfter > Millis(0) && age > plan.staleAfter) {
        POSTERN_TRY(breakStale(folder, name, *facts));
        return false;
    }
    return fail(Errc::Busy, plan.busy + ": " + path + " is there for " +
                                formatDurationMillis(std::max<std::int64_t>(age.count(), 0) / 1000 * 1000));
}

std::string content(const LockFilePlan& plan) {
    return plan.signature + " " + std::to_string(processId()) + "\n";
}

}  // namespace

Result<FileLock> takeOwnLock(const Folder& stage, const std::string& what) {
    // A fixed number of files. Things that share one wait a moment for each other; none is held while
    // others are waited for.
    constexpr std::size_t kLocks = 64;
    std::uint32_t sum = 2166136261u;
    for (const char c : what) sum = (sum ^ static_cast<unsigned char>(c)) * 16777619u;
    auto lock = FileLock::acquire(joinPath(stage.path(), ".lock-" + std::to_string(sum % kLocks)));
    if (lock.ok() || lock.error().code != Errc::Busy) return lock;
    return fail(Errc::Busy, "another worker of ours is busy with " + what + ": " + lock.error().text);
}

void waitForLock(SteadyTime deadline) {
    constexpr Millis kLookAgain{20};
    Mutex mutex;
    Condition nobody;
    const SteadyTime until = std::min(deadline, Clock::system().steady() + kLookAgain);
    const MutexLock lock(mutex);
    while (Clock::system().steady() < until) nobody.waitUntil(mutex, until);
}

std::string LockFile::asideName(const LockFilePlan& plan, const std::string& name) {
    std::uint64_t sum = 14695981039346656037u;
    for (const char c : plan.signature + "/" + name)
        sum = (sum ^ static_cast<unsigned char>(c)) * 1099511628211u;
    return ".dotlock-" + std::to_string(sum);
}

// Written aside and then moved into its place, so that a crash never leaves one without our name in it: we
// would take that for a stranger's. The name aside is this lock's own, and under the caller's own lock what
// is there can only be left over.
Result<bool> LockFile::place(const LockFilePlan& plan) {
    const std::string aside = asideName(plan, name_);
    auto created = folder_.create(aside, 0644);
    if (!created.ok() && created.error().code == Errc::Exists) {
        POSTERN_TRY(folder_.remove(aside));
        created = folder_.create(aside, 0644);
    }
    if (!created.ok()) return created.error();
    const auto placed = [&]() -> Result<Moved> {
        POSTERN_TRY(created->write(content(plan)));
        POSTERN_TRY(created->sync());
        return folder_.moveNoReplace(aside, folder_, name_, Folder::Namers::Others);
    }();
    if (placed.ok() && *placed == Moved::Done) {
        POSTERN_LET(facts, created->facts());
        number_ = facts.number;
        return true;
    }
    (void)folder_.remove(aside);  // a hidden leftover is harmless, and the next one takes it
    if (!placed.ok()) return placed.error();
    if (*placed == Moved::TargetExists) return false;
    return fail(Errc::Busy, joinPath(folder_.path(), aside) + " was taken away");
}

// It stays in its place all the time: behind it may be half a mail, and a reader must not get in between.
// Written again it is young, for those who count a lock's age.
Result<void> LockFile::takeOver(const LockFilePlan& plan) {
    auto opened = folder_.openShared(name_, false);
    // A reader that took ours for stale may have removed it since it was judged, or have its own there.
    const Error justNow = {Errc::Busy, plan.busy + ": just now"};
    if (!opened.ok()) return opened.error().code == Errc::NotFound ? justNow : opened.error();
    File file = std::move(opened).value();
    POSTERN_LET(held, file.facts());
    POSTERN_LET(ours, isOurs(file, plan));
    if (!ours) return justNow;
    const std::string text = content(plan);
    POSTERN_TRY(file.writeAt(0, text));
    POSTERN_TRY(file.truncate(static_cast<std::int64_t>(text.size())));
    POSTERN_TRY(file.sync());
    const auto named = folder_.facts(name_);
    if (!named.ok() && named.error().code != Errc::NotFound) return named.error();
    if (!named.ok() || named->number != held.number) return justNow;
    number_ = held.number;
    tookOver_ = true;
    return {};
}

Result<void> LockFile::placeOrJudge(const LockFilePlan& plan) {
    POSTERN_LET(there, folder_.has(name_));  // while we wait for it, nothing is written
    auto placed = there ? Result<bool>(false) : place(plan);
    if (!placed.ok()) return placed.error();
    if (!*placed) {
        POSTERN_LET(ours, judge(folder_, name_, plan));
        if (ours) {
            POSTERN_TRY(takeOver(plan));
        } else {
            POSTERN_LET(again, place(plan));
            if (!again) return fail(Errc::Busy, plan.busy + ": just now");
        }
    }
    return folder_.sync();  // what it guards must never be there without it, not even after a power failure
}

Result<std::unique_ptr<LockFile>> LockFile::take(const Folder& folder, const std::string& name,
                                                 const LockFilePlan& plan) {
    std::unique_ptr<LockFile> lock(new LockFile(folder, name));
    POSTERN_TRY(lock->placeOrJudge(plan));
    return lock;
}

LockFile::~LockFile() {
    if (number_ == 0) return;
    const auto facts = folder_.facts(name_);
    if (facts.ok() && facts->number == number_) (void)folder_.remove(name_);
}

Result<void> LockFile::removeLeftover(const Folder& folder, const std::string& name,
                                      const LockFilePlan& plan) {
    const auto facts = folder.facts(name);
    if (!facts.ok() || !facts->regular) return {};
    const auto ours = isOurs(folder, name, plan);
    if (!ours.ok() || !*ours) return {};
    return breakStale(folder, name, *facts);
}

}  // namespace postern::adapters
