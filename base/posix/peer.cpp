#include "base/peer.h"

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <grp.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pwd.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/folder_access.h"
#include "base/text.h"

namespace postern {

static Result<uid_t> peerId(int socketHandle) {
    ucred peer{};
    socklen_t size = sizeof peer;
    if (::getsockopt(socketHandle, SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0 || size != sizeof peer ||
        peer.pid == 0)
        return fail(Errc::Unavailable, "the system does not say who is connected");
    return peer.uid;
}

Result<std::string> peerUser(int socketHandle) {
    POSTERN_LET(id, peerId(socketHandle));
    return nameOfUser(id);
}

std::string effectiveUser() {
    return nameOfUser(::geteuid());
}

Result<bool> peerIsMaster(int socketHandle) {
    POSTERN_LET(id, peerId(socketHandle));
    return id == 0 || id == ::geteuid();
}

// A reset empties the queue as well, but leaves no connection.
bool peerTookAll(int socketHandle) {
    tcp_info facts{};
    socklen_t size = sizeof facts;
    if (::getsockopt(socketHandle, IPPROTO_TCP, TCP_INFO, &facts, &size) != 0) return false;
    if (facts.tcpi_state != TCP_ESTABLISHED && facts.tcpi_state != TCP_CLOSE_WAIT) return false;
    int waiting = 0;
    return ::ioctl(socketHandle, SIOCOUTQ, &waiting) == 0 && waiting == 0;
}

Result<std::string> fileOwner(const std::string& path) {
    struct stat facts {};
    if (::stat(path.c_str(), &facts) != 0) return systemError(errno, path);
    return nameOfUser(facts.st_uid);
}

Result<void> setFileMode(const std::string& path, unsigned mode) {
    if (::chmod(path.c_str(), static_cast<mode_t>(mode)) != 0) return systemError(errno, path);
    return {};
}

static Result<uid_t> userNamed(const std::string& name) {
    char buffer[4096];
    passwd entry;
    passwd* found = nullptr;
    if (::getpwnam_r(name.c_str(), &entry, buffer, sizeof buffer, &found) == 0 && found != nullptr)
        return found->pw_uid;
    const auto number = parseInt(name);
    if (number && *number >= 0) return static_cast<uid_t>(*number);
    return fail(Errc::NotFound, "there is no user \"" + escapeLine(name, 100) + "\"");
}

static Result<gid_t> groupNamed(const std::string& name) {
    char buffer[16384];  // the members stand in it too
    group entry;
    group* found = nullptr;
    if (::getgrnam_r(name.c_str(), &entry, buffer, sizeof buffer, &found) == 0 && found != nullptr)
        return found->gr_gid;
    const auto number = parseInt(name);
    if (number && *number >= 0) return static_cast<gid_t>(*number);
    return fail(Errc::NotFound, "there is no group \"" + escapeLine(name, 100) + "\"");
}

struct OwnerIds {
    uid_t user = static_cast<uid_t>(-1);  // no change
    gid_t group = static_cast<gid_t>(-1);
};

static Result<OwnerIds> idsOf(const std::string& owner) {
    const std::size_t colon = std::min(owner.find(':'), owner.size());
    const std::string user = owner.substr(0, colon);
    const std::string group = colon < owner.size() ? owner.substr(colon + 1) : std::string();
    OwnerIds ids;
    if (!user.empty()) {
        POSTERN_LET(id, userNamed(user));
        ids.user = id;
    }
    if (!group.empty()) {
        POSTERN_LET(id, groupNamed(group));
        ids.group = id;
    }
    return ids;
}

Result<void> setFileOwner(const std::string& path, const std::string& owner) {
    POSTERN_LET(ids, idsOf(owner));
    if (::chown(path.c_str(), ids.user, ids.group) != 0)
        return systemError(errno, path + ": giving it to " + owner);
    return {};
}

Result<void> setOpenFileMode(int handle, unsigned mode) {
    struct stat info {};
    if (::fstat(handle, &info) != 0) return systemError(errno, "looking at a file");
    if ((info.st_mode & 07777) == mode || ::fchmod(handle, static_cast<mode_t>(mode)) == 0) return {};
    return errno == EPERM || errno == ENOTSUP ? Result<void>() : systemError(errno, "setting a file's mode");
}

Result<void> setOpenFileOwner(int handle, const std::string& owner) {
    POSTERN_LET(ids, idsOf(owner));
    if (::fchown(handle, ids.user, ids.group) != 0) return systemError(errno, "giving it to " + owner);
    return {};
}

int terminalWidth() {
    winsize size{};
    if (::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) return size.ws_col;
    const char* columns = std::getenv("COLUMNS");
    const auto number = columns == nullptr ? std::nullopt : parseInt(columns);
    return number && *number > 0 && *number < 10'000 ? static_cast<int>(*number) : 80;
}

}  // namespace postern
