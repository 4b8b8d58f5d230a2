#include "base/peer.h"

#include <algorithm>
#include <cstdlib>
#include <vector>

#include "base/text.h"
#include "base/windows/account.h"
#include "base/windows/named.h"
#include "base/windows/system.h"
// After the system's own types.
#include <aclapi.h>
#include <iphlpapi.h>

namespace postern {

using namespace windows;

namespace {

Error doesNotSay() {
    return fail(Errc::Unavailable, "the system does not say who is connected");
}

// Both ends of a TCP connection over IPv4, as the system's table has them.
struct Ends {
    sockaddr_in own{}, other{};
};

Result<Ends> endsOf(int socketHandle) {
    Ends ends;
    const auto socket = static_cast<SOCKET>(socketHandle);
    int own = sizeof ends.own, other = sizeof ends.other;
    if (::getsockname(socket, reinterpret_cast<sockaddr*>(&ends.own), &own) != 0 ||
        ::getpeername(socket, reinterpret_cast<sockaddr*>(&ends.other), &other) != 0 ||
        ends.own.sin_family != AF_INET || ends.other.sin_family != AF_INET ||
        ends.other.sin_addr.s_addr != htonl(INADDR_LOOPBACK))
        return doesNotSay();
    return ends;
}

// Grows while we look: asked anew until it fits.
Result<std::vector<unsigned char>> connections() {
    constexpr int kTries = 10;
    DWORD size = 65'536;
    for (int tries = 0; tries < kTries; ++tries) {
        std::vector<unsigned char> room(size);
        const DWORD error =
            ::GetExtendedTcpTable(room.data(), &size, FALSE, AF_INET, TCP_TABLE_OWNER_PID_CONNECTIONS, 0);
        if (error == NO_ERROR) return room;
        if (error != ERROR_INSUFFICIENT_BUFFER) break;
        size += 65'536;
    }
    return doesNotSay();
}

// Whose the other end of the connection is.
Result<DWORD> peerProcess(int socketHandle) {
    POSTERN_LET(ends, endsOf(socketHandle));
    POSTERN_LET(room, connections());
    const auto* const table = reinterpret_cast<const MIB_TCPTABLE_OWNER_PID*>(room.data());
    for (DWORD i = 0; i < table->dwNumEntries; ++i) {
        const MIB_TCPROW_OWNER_PID& row = table->table[i];
        if (row.dwLocalPort == ends.other.sin_port && row.dwRemotePort == ends.own.sin_port &&
            row.dwLocalAddr == ends.other.sin_addr.s_addr && row.dwRemoteAddr == ends.own.sin_addr.s_addr &&
            row.dwOwningPid != 0)
            return row.dwOwningPid;
    }
    return doesNotSay();
}

Result<OwnHandle> peerToken(int socketHandle, DWORD access) {
    POSTERN_LET(id, peerProcess(socketHandle));
    const OwnHandle process(::OpenProcess(PROCESS_QUERY_LIMITED_INFORMATION, FALSE, id));
    HANDLE token = nullptr;
    if (!process.valid() || !::OpenProcessToken(process.get(), access, &token)) return doesNotSay();
    return OwnHandle(token);
}

bool isAdministrator(HANDLE token) {
    Sid administrators(SECURITY_MAX_SID_SIZE);
    auto size = static_cast<DWORD>(administrators.size());
    HANDLE asked = nullptr;
    BOOL member = FALSE;
    if (!::CreateWellKnownSid(WinBuiltinAdministratorsSid, nullptr, administrators.data(), &size) ||
        !::DuplicateToken(token, SecurityIdentification, &asked))
        return false;
    const OwnHandle held(asked);
    return ::CheckTokenMembership(asked, administrators.data(), &member) && member;
}

Result<void> give(HANDLE file, const std::string& owner) {
    const std::size_t colon = std::min(owner.find(':'), owner.size());
    if (colon + 1 < owner.size()) {  // whose name is looked up, and no more
        POSTERN_LET(group, sidNamed(owner.substr(colon + 1)));
        (void)group;
    }
    if (colon == 0) return {};
    POSTERN_LET(user, sidNamed(owner.substr(0, colon)));
    PSID now = nullptr;
    PSECURITY_DESCRIPTOR facts = nullptr;
    if (::GetSecurityInfo(file, SE_FILE_OBJECT, OWNER_SECURITY_INFORMATION, &now, nullptr, nullptr, nullptr,
                          &facts) == ERROR_SUCCESS) {
        const bool same = now != nullptr && ::EqualSid(now, pointerTo(user));
        ::LocalFree(facts);
        if (same) return {};
    }
    const DWORD error = ::SetSecurityInfo(file, SE_FILE_OBJECT, OWNER_SECURITY_INFORMATION, pointerTo(user),
                                          nullptr, nullptr, nullptr);
    if (error == ERROR_SUCCESS) return {};
    if (error == ERROR_INVALID_OWNER)
        return fail(Errc::Denied, "giving it to " + owner + ": only the administrator may");
    return systemError(static_cast<int>(error), "giving it to " + owner);
}

Result<OwnHandle> openForFacts(const std::string& path, DWORD access) {
    constexpr DWORD kShared = FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE;
    OwnHandle file(::CreateFileW(systemPath(path).c_str(), access, kShared, nullptr, OPEN_EXISTING,
                                 FILE_FLAG_BACKUP_SEMANTICS, nullptr));
    if (!file.valid()) return lastError(path);
    return file;
}

}  // namespace

Result<std::string> peerUser(int socketHandle) {
    POSTERN_LET(token, peerToken(socketHandle, TOKEN_QUERY));
    POSTERN_LET(user, userOfToken(token.get()));
    return nameOfSid(pointerTo(user));
}

Result<bool> peerIsMaster(int socketHandle) {
    POSTERN_LET(token, peerToken(socketHandle, TOKEN_QUERY | TOKEN_DUPLICATE));
    POSTERN_LET(user, userOfToken(token.get()));
    POSTERN_LET(own, ownUser());
    return ::EqualSid(pointerTo(user), pointerTo(own)) != 0 || isAdministrator(token.get());
}

std::string effectiveUser() {
    const auto user = ownUser();
    return user.ok() ? nameOfSid(pointerTo(*user)) : std::string("unknown");
}

bool peerTookAll(int) {
    return false;
}

Result<std::string> fileOwner(const std::string& path) {
    POSTERN_LET(file, openForFacts(path, READ_CONTROL));
    PSID owner = nullptr;
    PSECURITY_DESCRIPTOR facts = nullptr;
    const DWORD error = ::GetSecurityInfo(file.get(), SE_FILE_OBJECT, OWNER_SECURITY_INFORMATION, &owner,
                                          nullptr, nullptr, nullptr, &facts);
    if (error != ERROR_SUCCESS) return systemError(static_cast<int>(error), path);
    std::string name = owner == nullptr ? std::string("unknown") : nameOfSid(owner);
    ::LocalFree(facts);
    return name;
}

Result<void> setFileMode(const std::string& path, unsigned) {
    POSTERN_LET(file, openForFacts(path, 0));
    (void)file;
    return {};
}

Result<void> setOpenFileMode(int, unsigned) {
    return {};
}

Result<void> setFileOwner(const std::string& path, const std::string& owner) {
    if (owner.empty()) return setFileMode(path, 0);
    POSTERN_LET(file, openForFacts(path, READ_CONTROL | WRITE_OWNER));
    auto given = give(file.get(), owner);
    return given.ok() ? given : Result<void>(given.error().within(path));
}

Result<void> setOpenFileOwner(int handle, const std::string& owner) {
    if (owner.empty()) return {};
    // The handle was opened for writing, which does not include giving it away.
    const OwnHandle file(::ReOpenFile(fileHandle(handle), READ_CONTROL | WRITE_OWNER,
                                      FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE, 0));
    if (!file.valid()) return lastError("giving it to " + owner);
    return give(file.get(), owner);
}

int terminalWidth() {
    CONSOLE_SCREEN_BUFFER_INFO facts{};
    if (::GetConsoleScreenBufferInfo(::GetStdHandle(STD_OUTPUT_HANDLE), &facts))
        return std::max(1, facts.srWindow.Right - facts.srWindow.Left + 1);
    const char* columns = std::getenv("COLUMNS");
    const auto number = columns == nullptr ? std::nullopt : parseInt(columns);
    return number && *number > 0 && *number < 10'000 ? static_cast<int>(*number) : 80;
}

}  // namespace postern
