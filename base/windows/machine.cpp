// Folders made by their path, the space there is, and who and where we are.

#include "base/file.h"
#include "base/windows/named.h"
// After the system's own types.
#include <lmcons.h>

namespace postern {
namespace {

Result<bool> isFolderThere(const std::string& path) {
    const auto opened = windows::openPath(path, FILE_READ_ATTRIBUTES);
    if (opened.ok()) return windows::isFolder(opened->get());
    if (opened.error().code == Errc::NotFound) return false;
    return opened.error();
}

Result<void> makeFolder(const std::string& path) {
    POSTERN_LET(wanted, windows::checkedPath(path));
    if (::CreateDirectoryW(wanted.c_str(), nullptr) != 0) return {};
    const DWORD number = ::GetLastError();
    if (number != ERROR_ALREADY_EXISTS) return systemError(static_cast<int>(number), path);
    POSTERN_LET(there, isFolderThere(path));
    if (!there) return fail(Errc::Exists, path + " is a file, not a folder");
    return {};
}

std::string withoutEnd(std::string path) {
    while (path.size() > windows::rootSize(path) && (path.back() == '/' || path.back() == '\\'))
        path.pop_back();
    return path;
}

}  // namespace

// Who may do what there comes from the folder around it.
Result<void> makeFolders(const std::string& path, [[maybe_unused]] unsigned mode) {
    const std::string whole = withoutEnd(path);
    const auto there = isFolderThere(whole);
    if (there.ok() && *there) return {};
    const std::string parent = parentPath(whole);
    if (parent != whole && parent != ".") POSTERN_TRY(makeFolders(parent, mode));
    return makeFolder(whole);
}

// NTFS makes room for its own records of files out of the free bytes: there is no number of files to run out
// of.
Result<Space> freeSpace(const std::string& path) {
    POSTERN_LET(opened, windows::openPath(path, FILE_READ_ATTRIBUTES));
    const std::string folder = windows::isFolder(opened.get()) ? path : parentPath(path);
    POSTERN_LET(wanted, windows::checkedPath(joinPath(folder, "")));
    ULARGE_INTEGER free{};
    if (::GetDiskFreeSpaceExW(wanted.c_str(), &free, nullptr, nullptr) == 0) return windows::lastError(path);
    return Space{static_cast<std::int64_t>(free.QuadPart), std::int64_t{1} << 62};
}

int processId() {
    return static_cast<int>(::GetCurrentProcessId());
}

std::string hostName() {
    wchar_t name[256];
    DWORD size = 256;
    if (::GetComputerNameExW(ComputerNameDnsHostname, name, &size) == 0 || size == 0) return "localhost";
    return windows::narrow({name, size});
}

std::string userName() {
    wchar_t name[UNLEN + 1];
    DWORD size = UNLEN + 1;
    if (::GetUserNameW(name, &size) == 0 || size < 2) return "unknown user";
    return windows::narrow({name, size - 1});  // a zero stands behind it
}

}  // namespace postern
