#include "base/socket_grip.h"

#include <cerrno>
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>
#include <utility>

namespace postern {

Result<SocketGrip> SocketGrip::of(int socketHandle) {
    const int second = ::fcntl(socketHandle, F_DUPFD_CLOEXEC, 0);
    if (second < 0) return fail(Errc::Unavailable, systemError(errno, "a second hold on a socket").text);
    return SocketGrip(second);
}

SocketGrip::SocketGrip(SocketGrip&& other) noexcept : handle_(std::exchange(other.handle_, -1)) {}

SocketGrip& SocketGrip::operator=(SocketGrip&& other) noexcept {
    std::swap(handle_, other.handle_);
    return *this;
}

SocketGrip::~SocketGrip() {
    if (handle_ >= 0) ::close(handle_);
}

// Neither says anything when the connection has ended already, which is as good.
void SocketGrip::endReceiving() {
    ::shutdown(handle_, SHUT_RD);
}

void SocketGrip::end() {
    ::shutdown(handle_, SHUT_RDWR);
}

Millis SocketGrip::longestWait(Millis wanted) {
    return wanted;
}

}  // namespace postern
