#include "store/ballast.h"

#include <algorithm>

#include "base/file.h"
#include "base/volume.h"

namespace postern::store {

namespace {

constexpr char kNewName[] = "ballast.new";
constexpr std::int64_t kPiece = 8 << 20;  // whoever needs the space waits for no more than this
constexpr char kFullMeanwhile[] = "the disk was full before it was whole";

// A copy may have made holes of it: then nothing of it counts.
Result<std::int64_t> ownedBytes(const File& file) {
    POSTERN_LET(size, file.size());
    POSTERN_LET(allocated, allocatedBytes(file));
    return allocated < size ? 0 : size;
}

// Gets its name when it has its first bytes: an empty file of that name says that they were given away.
Result<void> make(const Folder& folder, std::int64_t bytes) {
    POSTERN_TRY(removeFile(joinPath(folder.path(), kNewName)));
    POSTERN_LET(file, folder.create(kNewName, 0600));
    Result<void> made = allocate(file, 0, bytes);
    if (made.ok()) made = file.close();
    if (made.ok()) made = folder.moveReplacing(kNewName, folder, Ballast::kName);
    if (made.ok()) return folder.sync();
    POSTERN_TRY(removeFile(joinPath(folder.path(), kNewName)));
    return made;
}

Result<File> openIt(const Folder& folder) {
    POSTERN_LET(file, folder.openShared(Ballast::kName, false));
    POSTERN_LET(facts, file.facts());
    if (!facts.regular) return fail(Errc::Invalid, "it is no regular file");
    return file;
}

}  // namespace

Ballast::Ballast(const std::string& folder) : folder_(folder) {
    lookFirst();
}

void Ballast::lookFirst() {
    MutexLock lock(mutex_);
    const auto folder = Folder::open(folder_);
    if (!folder.ok()) return;
    const auto file = folder->openRead(kName);
    if (!file.ok()) return;
    const auto size = file->size();
    const auto owned = ownedBytes(*file);
    held_ = owned.ok() ? *owned : 0;
    released_ = size.ok() && *size == 0;
}

// Whether it owns its bytes is not asked again: some file systems count them later.
void Ballast::look() {
    MutexLock lock(mutex_);
    const auto folder = Folder::open(folder_);
    if (!folder.ok()) return;
    const auto facts = folder->facts(kName);
    if (!facts.ok() && facts.error().code != Errc::NotFound) return;
    held_ = std::min(held(), facts.ok() && facts->regular ? facts->size : 0);
    released_ = facts.ok() && facts->regular && facts->size == 0;
}

Result<void> Ballast::sweep() {
    MutexLock lock(mutex_);
    return removeFile(joinPath(folder_, kNewName));
}

Result<void> Ballast::fill(std::int64_t bytes, const std::function<bool()>& stopping) {
    const auto releases = [this] {
        MutexLock lock(mutex_);
        return releases_;
    }();
    const std::int64_t before = held();
    Result<void> filled = shrink(bytes);
    while (filled.ok() && held() < bytes) {
        if (stopping && stopping()) return fail(Errc::Stopped, "the service stops");
        filled = grow(std::min(bytes, held() + kPiece), releases);
    }
    if (filled.ok()) filled = finish(releases);
    if (filled.ok()) return {};
    if (filled.error().code != Errc::Stopped) POSTERN_TRY(undo(before, releases));
    return filled.error().within(joinPath(folder_, kName));
}

Result<void> Ballast::shrink(std::int64_t bytes) {
    MutexLock lock(mutex_);
    POSTERN_LET(folder, Folder::open(folder_));
    POSTERN_LET(there, folder.has(kName));
    const std::int64_t kept = std::min(held(), bytes);
    held_ = kept;
    if (!there) return {};
    if (bytes == 0) return removeFile(joinPath(folder_, kName));
    POSTERN_LET(file, openIt(folder));
    POSTERN_LET(size, file.size());
    if (size == kept) return file.close();
    // What was copied with holes is worth nothing; left empty, it would say that it was given away.
    if (kept == 0) return removeFile(joinPath(folder_, kName));
    POSTERN_TRY(file.truncate(kept));
    POSTERN_TRY(file.sync());
    return file.close();
}

Result<void> Ballast::grow(std::int64_t bytes, std::int64_t releases) {
    MutexLock lock(mutex_);
    if (releases != releases_) return fail(Errc::Stopped, kFullMeanwhile);
    POSTERN_LET(folder, Folder::open(folder_));
    POSTERN_LET(there, folder.has(kName));
    if (there) {
        POSTERN_LET(file, openIt(folder));
        POSTERN_TRY(allocate(file, held(), bytes));
        POSTERN_TRY(file.close());
    } else {
        POSTERN_TRY(make(folder, bytes));
    }
    held_ = bytes;
    return {};
}

// Only whole it is back.
Result<void> Ballast::finish(std::int64_t releases) {
    MutexLock lock(mutex_);
    if (releases != releases_) return fail(Errc::Stopped, kFullMeanwhile);
    released_ = false;
    return {};
}

Result<void> Ballast::undo(std::int64_t before, std::int64_t releases) {
    MutexLock lock(mutex_);
    if (releases != releases_ || held() <= before) return {};
    if (before == 0 && !released()) {
        POSTERN_TRY(removeFile(joinPath(folder_, kName)));
    } else {
        POSTERN_LET(folder, Folder::open(folder_));
        POSTERN_LET(file, openIt(folder));
        POSTERN_TRY(file.truncate(before));
        POSTERN_TRY(file.sync());
    }
    held_ = before;
    return {};
}

Result<std::int64_t> Ballast::release() {
    MutexLock lock(mutex_);
    ++releases_;
    const std::int64_t given = held();
    if (given == 0) return 0;
    POSTERN_LET(folder, Folder::open(folder_));
    auto file = folder.openShared(kName, false);
    if (!file.ok() && file.error().code == Errc::NotFound) held_ = 0;  // removed by somebody
    if (!file.ok() && file.error().code == Errc::NotFound) return 0;
    if (!file.ok()) return file.error();
    POSTERN_TRY(file->truncate(0));
    held_ = 0;
    released_ = true;
    // Some file systems give the blocks to others only behind this.
    POSTERN_TRY(file->sync());
    return given;
}

}  // namespace postern::store
