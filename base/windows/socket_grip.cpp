#include "base/socket_grip.h"

#include <algorithm>
#include <utility>

#include "base/windows/system.h"

namespace postern {

static SOCKET socketOf(int handle) {
    return static_cast<SOCKET>(handle);
}

Result<SocketGrip> SocketGrip::of(int socketHandle) {
    WSAPROTOCOL_INFOW facts{};
    constexpr DWORD kFlags = WSA_FLAG_OVERLAPPED | WSA_FLAG_NO_HANDLE_INHERIT;
    SOCKET second = INVALID_SOCKET;
    if (::WSADuplicateSocketW(socketOf(socketHandle), ::GetCurrentProcessId(), &facts) == 0)
        second = ::WSASocketW(FROM_PROTOCOL_INFO, FROM_PROTOCOL_INFO, FROM_PROTOCOL_INFO, &facts, 0, kFlags);
    if (second == INVALID_SOCKET)
        return fail(Errc::Unavailable, systemError(::WSAGetLastError(), "a second hold on a socket").text);
    return SocketGrip(static_cast<int>(second));
}

SocketGrip::SocketGrip(SocketGrip&& other) noexcept : handle_(std::exchange(other.handle_, -1)) {}

SocketGrip& SocketGrip::operator=(SocketGrip&& other) noexcept {
    std::swap(handle_, other.handle_);
    return *this;
}

SocketGrip::~SocketGrip() {
    if (handle_ >= 0) ::closesocket(socketOf(handle_));
}

// Neither says anything when the connection has ended already, which is as good.
void SocketGrip::endReceiving() {
    ::shutdown(socketOf(handle_), SD_RECEIVE);
}

void SocketGrip::end() {
    ::shutdown(socketOf(handle_), SD_BOTH);
    // That waits for what is being sent, and a client that does not read takes none of it.
    ::CancelIoEx(reinterpret_cast<HANDLE>(socketOf(handle_)), nullptr);
}

Millis SocketGrip::longestWait(Millis wanted) {
    constexpr Millis kSlice{200};
    return std::min(wanted, kSlice);
}

}  // namespace postern
