#include "base/quiet_lock.h"

#include "base/windows/named.h"
#include "base/windows/system.h"

namespace postern {

Result<bool> tryQuietLock(File& file) {
    OVERLAPPED place{};
    place.OffsetHigh = 0x7FFFFFFF;
    if (::LockFileEx(windows::fileHandle(file.handle()), LOCKFILE_EXCLUSIVE_LOCK | LOCKFILE_FAIL_IMMEDIATELY,
                     0, 1, 0, &place) != 0)
        return true;
    const DWORD number = ::GetLastError();
    if (number == ERROR_LOCK_VIOLATION || number == ERROR_IO_PENDING) return false;
    return systemError(static_cast<int>(number), "lock");
}

// Said, and not left to the closing: the program has a handle of the same file object, and Wine keeps the
// lock as long as that one lives.
void passQuietLock(File file) {
    OVERLAPPED place{};
    place.OffsetHigh = 0x7FFFFFFF;
    ::UnlockFileEx(windows::fileHandle(file.handle()), 0, 1, 0, &place);
}

}  // namespace postern
