#include "base/usable_folder.h"

#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/statvfs.h>

#include "base/file.h"
#include "base/folder_access.h"

namespace postern {

namespace {

// The kernel's own, made of no files.
bool keepsNoFiles(const std::string& path) {
    struct statfs facts {};
    if (::statfs(path.c_str(), &facts) != 0) return false;
    switch (static_cast<unsigned long>(facts.f_type)) {
        case PROC_SUPER_MAGIC:
        case SYSFS_MAGIC:
        case CGROUP_SUPER_MAGIC:
        case CGROUP2_SUPER_MAGIC:
        case DEVPTS_SUPER_MAGIC: return true;
        default: return false;
    }
}

bool isReadOnly(const std::string& path) {
    struct statvfs facts {};
    return ::statvfs(path.c_str(), &facts) == 0 && (facts.f_flag & ST_RDONLY) != 0;
}

}  // namespace

std::string folderObstacle(const FolderWanted& wanted) {
    const std::string there = nearestThere(wanted.path);
    const bool missing = there != wanted.path;
    struct stat facts {};
    if (::stat(there.c_str(), &facts) != 0) return {};  // not ours to look at
    if (!S_ISDIR(facts.st_mode)) return there + " is no folder";
    if (missing && !wanted.made) return "there is no folder " + wanted.path + ": make it";
    if (keepsNoFiles(there)) return wanted.path + " stands on a file system that keeps no files";
    if (isReadOnly(there)) return wanted.path + " stands on a file system that is read-only";
    return wanted.byUs ? hindrance(wanted.path).value_or("") : "";
}

}  // namespace postern
