#pragma once
// Sockets of tests, where systems differ.

#include <Poco/Net/StreamSocket.h>

#ifndef _WIN32
#include <netinet/tcp.h>
#endif

namespace postern::tests {

// The system says now that it has what was read, and not with the next bytes. Windows does it when it likes.
inline void acknowledgeAtOnce(Poco::Net::StreamSocket& socket) {
#ifdef _WIN32
    static_cast<void>(socket);
#else
    socket.setOption(IPPROTO_TCP, TCP_QUICKACK, 1);
#endif
}

}  // namespace postern::tests
