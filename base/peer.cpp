#include "base/peer.h"

#include <cerrno>
#include <cstdlib>
#include <pwd.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/text.h"

namespace postern {

static std::string nameOfUser(uid_t id) {
    char buffer[4096];
    passwd entry;
    passwd* found = nullptr;
    if (::getpwuid_r(id, &entry, buffer, sizeof buffer, &found) == 0 && found != nullptr)
        return found->pw_name;
    return "uid " + std::to_string(id);
}

Result<std::string> peerUser(int socketHandle) {
    ucred peer{};
    socklen_t size = sizeof peer;
    if (::getsockopt(socketHandle, SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0 || size != sizeof peer ||
        peer.pid == 0)
        return fail(Errc::Unavailable, "the system does not say who is connected");
    return nameOfUser(peer.uid);
}

Result<std::string> fileOwner(const std::string& path) {
    struct stat facts {};
    if (::stat(path.c_str(), &facts) != 0) return systemError(errno, path);
    return nameOfUser(facts.st_uid);
}

int terminalWidth() {
    winsize size{};
    if (::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) return size.ws_col;
    const char* columns = std::getenv("COLUMNS");
    const auto number = columns == nullptr ? std::nullopt : parseInt(columns);
    return number && *number > 0 && *number < 10'000 ? static_cast<int>(*number) : 80;
}

}  // namespace postern
