#pragma once
// Two stream sockets that are connected with each other and do not block. On Windows over 127.0.0.1.

#include <string>

#ifdef _WIN32
#include <winsock2.h>
// After it.
#include <ws2tcpip.h>
#else
#include <sys/socket.h>
#include <unistd.h>
#endif

namespace postern::tests {

class SocketPair {
  public:
    SocketPair() {
#ifdef _WIN32
        const SOCKET listener = ::socket(AF_INET, SOCK_STREAM, IPPROTO_TCP);
        sockaddr_in place{};
        place.sin_family = AF_INET;
        place.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        int size = sizeof place;
        auto* const address = reinterpret_cast<sockaddr*>(&place);
        ::bind(listener, address, size);
        ::listen(listener, 1);
        ::getsockname(listener, address, &size);
        const SOCKET first = ::socket(AF_INET, SOCK_STREAM, IPPROTO_TCP);
        ::connect(first, address, size);
        const SOCKET second = ::accept(listener, nullptr, nullptr);
        ::closesocket(listener);
        u_long unblocked = 1;
        for (const SOCKET each : {first, second}) ::ioctlsocket(each, FIONBIO, &unblocked);
        ends_[0] = static_cast<int>(first);
        ends_[1] = static_cast<int>(second);
#else
        if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends_) != 0)
            ends_[0] = ends_[1] = -1;
#endif
    }
    SocketPair(const SocketPair&) = delete;
    SocketPair& operator=(const SocketPair&) = delete;
    ~SocketPair() {
        close(0);
        close(1);
    }

    int operator[](int end) const {
        return ends_[end];
    }
    void close(int end) {
        if (ends_[end] < 0) return;
#ifdef _WIN32
        ::closesocket(static_cast<SOCKET>(ends_[end]));
#else
        ::close(ends_[end]);
#endif
        ends_[end] = -1;
    }
    // Bytes that were taken; not more than 0: none.
    long send(int end, const std::string& bytes) const {
#ifdef _WIN32
        return ::send(static_cast<SOCKET>(ends_[end]), bytes.data(), static_cast<int>(bytes.size()), 0);
#else
        return static_cast<long>(::send(ends_[end], bytes.data(), bytes.size(), MSG_NOSIGNAL));
#endif
    }
    void endSending(int end) const {
#ifdef _WIN32
        ::shutdown(static_cast<SOCKET>(ends_[end]), SD_SEND);
#else
        ::shutdown(ends_[end], SHUT_WR);
#endif
    }
    // What is there; nothing also at the end.
    std::string receive(int end) const {
        char block[65536];
#ifdef _WIN32
        const int got = ::recv(static_cast<SOCKET>(ends_[end]), block, sizeof block, 0);
#else
        const auto got = ::recv(ends_[end], block, sizeof block, 0);
#endif
        return got > 0 ? std::string(block, static_cast<std::size_t>(got)) : std::string();
    }

  private:
    int ends_[2] = {-1, -1};
};

}  // namespace postern::tests
