#include "base/usable_folder.h"

#include "base/file.h"
#include "base/folder_access.h"
#include "base/windows/named.h"

namespace postern {

namespace {

bool isReadOnlyVolume(HANDLE handle) {
    DWORD flags = 0;
    return ::GetVolumeInformationByHandleW(handle, nullptr, 0, nullptr, nullptr, &flags, nullptr, 0) != 0 &&
           (flags & FILE_READ_ONLY_VOLUME) != 0;
}

}  // namespace

std::string folderObstacle(const FolderWanted& wanted) {
    if (const auto path = windows::checkedPath(wanted.path); !path.ok()) return path.error().text;
    const std::string there = nearestThere(wanted.path);
    const bool missing = there != wanted.path;
    const auto opened = windows::openPath(there, FILE_READ_ATTRIBUTES);
    if (!opened.ok())
        return missing && opened.error().code == Errc::NotFound ? "there is no drive or share " + there : "";
    if (!windows::isFolder(opened->get())) return there + " is no folder";
    if (missing && !wanted.made) return "there is no folder " + wanted.path + ": make it";
    if (isReadOnlyVolume(opened->get())) return wanted.path + " stands on a file system that is read-only";
    return wanted.byUs ? hindrance(wanted.path).value_or("") : "";
}

}  // namespace postern
