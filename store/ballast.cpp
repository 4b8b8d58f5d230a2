#include "store/ballast.h"

#include <algorithm>

#include "base/file.h"
#include "base/volume.h"

namespace postern::store {

namespace {

constexpr char kNewName[] = "ballast.new";

// A copy may have made holes of it: then nothing of it counts.
Result<std::int64_t> ownedBytes(const File& file) {
    POSTERN_LET(size, file.size());
    POSTERN_LET(allocated, allocatedBytes(file));
    return allocated < size ? 0 : size;
}

// Gets its name when it has its bytes: an empty file of that name says that they were given away.
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

Result<void> resize(const Folder& folder, std::int64_t bytes) {
    POSTERN_LET(file, folder.openShared(Ballast::kName, false));
    POSTERN_LET(facts, file.facts());
    if (!facts.regular) return fail(Errc::Invalid, "it is no regular file");
    POSTERN_LET(owned, ownedBytes(file));
    if (owned < facts.size || owned > bytes) {
        owned = std::min(owned, bytes);
        POSTERN_TRY(file.truncate(owned));
        POSTERN_TRY(file.sync());
    }
    if (owned < bytes) POSTERN_TRY(allocate(file, owned, bytes));
    return file.close();
}

}  // namespace

Ballast::Ballast(const std::string& folder) : folder_(folder) {
    look();
}

void Ballast::look() {
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

Result<void> Ballast::fill(std::int64_t bytes) {
    MutexLock lock(mutex_);
    const std::string path = joinPath(folder_, kName);
    if (bytes == 0) {
        POSTERN_TRY(removeFile(path));
    } else {
        POSTERN_LET(folder, Folder::open(folder_));
        POSTERN_LET(there, folder.has(kName));
        const Result<void> filled = there ? resize(folder, bytes) : make(folder, bytes);
        if (!filled.ok()) return filled.error().within(path);
    }
    held_ = bytes;
    released_ = false;
    return {};
}

Result<std::int64_t> Ballast::release() {
    if (held() == 0) return 0;
    MutexLock lock(mutex_);
    const std::int64_t given = held();
    if (given == 0) return 0;
    POSTERN_LET(folder, Folder::open(folder_));
    POSTERN_LET(file, folder.openShared(kName, false));
    POSTERN_TRY(file.truncate(0));
    held_ = 0;
    released_ = true;
    // Some file systems give the blocks to others only behind this.
    POSTERN_TRY(file.sync());
    return given;
}

}  // namespace postern::store
