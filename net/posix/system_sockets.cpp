#include "net/system_sockets.h"

#include <cerrno>

#include <Poco/Exception.h>
#include <Poco/Net/ServerSocket.h>
#include <Poco/Net/SocketAddress.h>

namespace postern::net {

namespace {

constexpr int kFirstOpenPort = 1024;
constexpr const char* kLowPort =
    ": Permission denied: ports below 1024 are opened for the service by systemd ('systemctl enable --now "
    "postern.socket', docs/SERVICE.md), or take the capability CAP_NET_BIND_SERVICE";

}  // namespace

bool hasLocalSockets() {
    return true;
}

Poco::Net::SocketAddress localAddress(const std::string& path) {
    return {Poco::Net::SocketAddress::UNIX_LOCAL, path};
}

bool isLocal(const Poco::Net::SocketAddress& address) {
    return address.family() == Poco::Net::SocketAddress::UNIX_LOCAL;
}

std::unique_ptr<Poco::Net::ServerSocket> boundSocket(const Poco::Net::SocketAddress& address) {
    auto socket = std::make_unique<Poco::Net::ServerSocket>();
    socket->bind(address, !isLocal(address), false);
    return socket;
}

// What accept(2) of Linux lists as errors of the new connection's network, or as the word of a firewall, is
// no fault of the listening socket.
bool isOfOneCaller(int code) {
    switch (code) {
        case EAGAIN:
        case EINTR:
        case ECONNABORTED:
        case ENETDOWN:
        case EPERM:
        case EPROTO:
        case ENOPROTOOPT:
        case EHOSTDOWN:
        case ENONET:
        case EHOSTUNREACH:
        case ENETUNREACH:
        case ECONNRESET:
        case ETIMEDOUT: return true;
        default: return code == EWOULDBLOCK;
    }
}

Error cannotListen(const std::string& where, int port, const Poco::Exception& exception) {
    switch (exception.code()) {
        case EADDRINUSE:
            return fail(Errc::Busy, where + ": another process listens there; where that is systemd, for " +
                                        "postern.socket, start this with 'systemctl start postern'");
        case EACCES:
            if (port > 0 && port < kFirstOpenPort) return fail(Errc::Denied, where + kLowPort);
            return systemError(exception.code(), where);
        case EPERM:
        case ENOENT: return systemError(exception.code(), where);
        default: return fail(Errc::Unavailable, where + ": " + exception.displayText());
    }
}

}  // namespace postern::net
