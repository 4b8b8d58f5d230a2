#pragma once
// Files and folders by their name inside a folder that is held open, and by their path; what is known of an
// open one. For base/windows/ only. Thread rule: any thread.
//
// The names inside a folder go to the system beside the folder's handle (NtCreateFile with a RootDirectory),
// as with openat(): a folder that was renamed is still the same, one that took its name is not. It takes such
// names as they are, so usableName() has to be asked about each.

#include "base/file.h"
#include "base/windows/system.h"

namespace postern::windows {

// The part of a path that names no file: "C:\", "\\server\share\", "\\?\C:\"; 0 for a relative path.
std::size_t rootSize(std::string_view path);

// systemPath() of a path from outside: Invalid when a name in it is not usable, or when it leads to a device.
Result<std::wstring> checkedPath(const std::string& path);

constexpr DWORD kShareAll = FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE;

// A File's handle. Its lowest bit, which the system does not look at, says that every write goes to the end.
inline HANDLE fileHandle(int handle) {
    return handle < 0 ? INVALID_HANDLE_VALUE : toHandle(handle & ~3);
}
inline int appending(HANDLE handle) {
    return toInt(handle) | 1;
}
inline bool isAppending(int handle) {
    return handle >= 0 && (handle & 1) != 0;
}

// The numbers of NtCreateFile(), which are not all in every compiler's headers.
enum class Disposition : ULONG { Open = 1, Create = 2 };
enum class Want : ULONG { Anything = 0, Folder = 1, NoFolder = 0x40 };

struct OpenAs {
    ACCESS_MASK access = FILE_READ_ATTRIBUTES;
    Disposition disposition = Disposition::Open;
    Want want = Want::Anything;
    DWORD share = kShareAll;
    bool follow = false;  // a link at that name
    bool writeThrough = false;
};
// `name` is empty for the folder itself, on a handle of its own. Error numbers as GetLastError() has them.
// Does not look at the name and does not wait.
DWORD openIn(HANDLE folder, std::string_view name, const OpenAs& as, OwnHandle& opened);
// Invalid unless usableName() and short enough for a name.
Result<void> checkName(std::string_view name);
DWORD numberOf(LONG status);  // of an NTSTATUS; 0 when it went well

// The same for a file of `where`: looks at the name, waits as patiently() does, and refuses a link (Invalid).
Result<OwnHandle> openNamed(HANDLE folder, const std::string& where, std::string_view name, const OpenAs& as);

// By its path, links followed. NotFound and others as the system has them; waits as patiently() does.
Result<OwnHandle> openPath(const std::string& path, DWORD access, DWORD disposition = OPEN_EXISTING,
                           DWORD flags = FILE_FLAG_BACKUP_SEMANTICS);

// A time in units of 100 ns since 1601 as nanoseconds since 1970; one too far off becomes the nearest there
// is.
std::int64_t nanosOf(std::int64_t time);
Result<FileFacts> factsOf(HANDLE handle, std::string_view context);
// A link, a mount point, or whatever else leads elsewhere. A file that the system keeps compressed or in the
// cloud is none, though it is a reparse point too.
bool isLink(HANDLE handle);
bool isFolder(HANDLE handle);

}  // namespace postern::windows
