#include "base/file.h"
#include "base/windows/named.h"
#include "base/windows/patience.h"

namespace postern {

using windows::fileError;
using windows::OwnHandle;
using windows::toHandle;
using windows::Want;

namespace {

DWORD flush(HANDLE handle) {
    return ::FlushFileBuffers(handle) != 0 ? 0 : ::GetLastError();
}

bool hasNoFlush(DWORD number) {
    return number == ERROR_INVALID_FUNCTION || number == ERROR_NOT_SUPPORTED ||
           number == ERROR_INVALID_PARAMETER || number == ERROR_CALL_NOT_IMPLEMENTED;
}

// Who may not write into a folder may not flush it either; FAT and most network shares flush none. What we
// create, rename and remove is written through already, so neither is an error.
Result<void> syncFolder(HANDLE folder, const std::string& path) {
    OwnHandle own;
    DWORD number = windows::openIn(
        folder, "", {.access = FILE_ADD_FILE | FILE_ADD_SUBDIRECTORY, .want = Want::Folder}, own);
    if (number == 0) number = flush(own.get());
    if (number == 0 || number == ERROR_ACCESS_DENIED || hasNoFlush(number)) return {};
    return fileError(number, "sync " + path);
}

// The device of the folder's volume, which only administrators may open to write.
OwnHandle volumeOf(HANDLE folder) {
    std::wstring name(32768, L'\0');
    const DWORD size = ::GetFinalPathNameByHandleW(folder, name.data(), static_cast<DWORD>(name.size()),
                                                   FILE_NAME_NORMALIZED | VOLUME_NAME_GUID);
    const auto end = size < name.size() ? name.find(L'}') : std::wstring::npos;
    if (size == 0 || end == std::wstring::npos) return {};
    name.resize(end + 1);
    return OwnHandle(
        ::CreateFileW(name.c_str(), GENERIC_WRITE, windows::kShareAll, nullptr, OPEN_EXISTING, 0, nullptr));
}

bool isReadOnly(HANDLE handle) {
    BY_HANDLE_FILE_INFORMATION info{};
    return ::GetFileInformationByHandle(handle, &info) != 0 &&
           (info.dwFileAttributes & FILE_ATTRIBUTE_READONLY) != 0;
}

// Left out: what another program keeps for itself now, what is marked read-only (its writer is done with it
// and no call syncs it), and what is gone again.
bool isLeftOut(HANDLE folder, const std::string& name, DWORD number) {
    if (number == ERROR_FILE_NOT_FOUND || windows::isInUse(number)) return true;
    OwnHandle look;
    return number == ERROR_ACCESS_DENIED && windows::openIn(folder, name, {}, look) == 0 &&
           isReadOnly(look.get());
}

Result<void> syncFile(HANDLE folder, const std::string& name, const std::string& path) {
    OwnHandle file;
    DWORD number = windows::openIn(folder, name, {.access = FILE_WRITE_DATA, .want = Want::NoFolder}, file);
    if (number == 0) number = flush(file.get());
    if (number == 0 || isLeftOut(folder, name, number)) return {};
    return fileError(number, "sync " + path);
}

Result<void> syncEntry(HANDLE folder, const std::string& name, const std::string& path) {
    OwnHandle look;
    if (windows::openIn(folder, name, {}, look) != 0 || windows::isLink(look.get())) return {};
    if (!windows::isFolder(look.get())) return syncFile(folder, name, path);
    POSTERN_LET(below, Folder::open(path));
    return below.syncVolume();
}

}  // namespace

Result<void> Folder::sync() const {
    return syncFolder(toHandle(handle_), path_);
}

// Who may not ask the volume asks each file in this folder and below.
Result<void> Folder::syncVolume() const {
    const OwnHandle volume = volumeOf(toHandle(handle_));
    if (volume.valid() && flush(volume.get()) == 0) return {};
    Result<void> synced;
    POSTERN_TRY(list([&](std::string_view name) {
        synced = syncEntry(toHandle(handle_), std::string(name), joinPath(path_, name));
        return synced.ok();
    }));
    POSTERN_TRY(synced);
    return sync();
}

}  // namespace postern
