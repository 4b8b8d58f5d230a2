// Errors of the system and of its sockets are one range of numbers here: GetLastError() and
// WSAGetLastError().

#include "base/result.h"
#include "base/windows/system.h"

namespace postern {
namespace {

// Not in every compiler's headers.
constexpr DWORD kQuotaExceeded = 1295, kElevationRequired = 740;

Errc codeOf(DWORD number) {
    switch (number) {
        case ERROR_FILE_NOT_FOUND:
        case ERROR_PATH_NOT_FOUND:
        case ERROR_INVALID_DRIVE:
        case ERROR_NO_MORE_FILES:
        case ERROR_DIRECTORY: return Errc::NotFound;
        case ERROR_FILE_EXISTS:
        case ERROR_ALREADY_EXISTS:
        case ERROR_DIR_NOT_EMPTY: return Errc::Exists;
        case ERROR_ACCESS_DENIED:
        case ERROR_WRITE_PROTECT:
        case ERROR_PRIVILEGE_NOT_HELD:
        case kElevationRequired:
        case ERROR_LOGON_FAILURE:
        case WSAEACCES: return Errc::Denied;
        case ERROR_SHARING_VIOLATION:
        case ERROR_LOCK_VIOLATION:
        case ERROR_USER_MAPPED_FILE:
        case ERROR_BUSY:
        case ERROR_PIPE_BUSY:
        case ERROR_DELETE_PENDING:
        case WSAEWOULDBLOCK: return Errc::Busy;
        case ERROR_DISK_FULL:
        case ERROR_HANDLE_DISK_FULL:
        case kQuotaExceeded:
        case ERROR_NOT_ENOUGH_QUOTA: return Errc::NoSpace;
        case ERROR_INVALID_NAME:
        case ERROR_BAD_PATHNAME:
        case ERROR_FILENAME_EXCED_RANGE:
        case ERROR_BAD_EXE_FORMAT:
        case ERROR_INVALID_PARAMETER:
        case WSAEINVAL: return Errc::Invalid;
        case ERROR_TOO_MANY_OPEN_FILES:
        case ERROR_NOT_ENOUGH_MEMORY:
        case ERROR_OUTOFMEMORY:
        case ERROR_NO_SYSTEM_RESOURCES:
        case ERROR_COMMITMENT_LIMIT:
        case ERROR_NOT_READY:
        case ERROR_BAD_NETPATH:
        case ERROR_BAD_NET_NAME:
        case ERROR_NETNAME_DELETED:
        case ERROR_UNEXP_NET_ERR:
        case ERROR_NETWORK_UNREACHABLE:
        case ERROR_SEM_TIMEOUT:
        case WSAETIMEDOUT: return Errc::Unavailable;
        default: return Errc::Io;
    }
}

std::string messageOf(DWORD number) {
    wchar_t buffer[512];
    constexpr DWORD kPlain =
        FORMAT_MESSAGE_FROM_SYSTEM | FORMAT_MESSAGE_IGNORE_INSERTS | FORMAT_MESSAGE_MAX_WIDTH_MASK;
    DWORD size = ::FormatMessageW(kPlain, nullptr, number, 0, buffer, 512, nullptr);
    while (size > 0 && (buffer[size - 1] == L' ' || buffer[size - 1] == L'.')) --size;
    if (size == 0) return "Windows error " + std::to_string(number);
    return windows::narrow({buffer, size});
}

}  // namespace

Error systemError(int number, std::string_view context) {
    const auto code = static_cast<DWORD>(number);
    return Error{codeOf(code), std::string(context) + ": " + messageOf(code)};
}

}  // namespace postern
