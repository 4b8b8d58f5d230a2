#include "net/system_sockets.h"

#include <Poco/Exception.h>
#include <Poco/Net/NetException.h>
#include <Poco/Net/ServerSocket.h>
#include <Poco/Net/ServerSocketImpl.h>
#include <Poco/Net/SocketAddress.h>

namespace postern::net {

namespace {

// SO_REUSEADDR would let any other program take the port away from us here, so it is never set; a port whose
// connections have only just ended can be bound all the same.
struct ExclusiveImpl final : Poco::Net::ServerSocketImpl {
    explicit ExclusiveImpl(const Poco::Net::SocketAddress& address) {
        init(address.af());
        setOption(SOL_SOCKET, SO_EXCLUSIVEADDRUSE, 1);
        // As elsewhere: who listens on [::] is there for IPv4 too.
        if (address.af() == AF_INET6) setOption(IPPROTO_IPV6, IPV6_V6ONLY, 0);
        if (::bind(sockfd(), address.addr(), address.length()) != 0) error(address.toString());
    }
};

class ExclusiveSocket final : public Poco::Net::ServerSocket {
  public:
    explicit ExclusiveSocket(const Poco::Net::SocketAddress& address)
        : ServerSocket(new ExclusiveImpl(address), true) {}
};

}  // namespace

bool hasLocalSockets() {
    return false;
}

Poco::Net::SocketAddress localAddress(const std::string& path) {
    throw Poco::Net::UnsupportedFamilyException(path + ": there are no Unix sockets on Windows");
}

bool isLocal(const Poco::Net::SocketAddress&) {
    return false;
}

std::unique_ptr<Poco::Net::ServerSocket> boundSocket(const Poco::Net::SocketAddress& address) {
    return std::make_unique<ExclusiveSocket>(address);
}

bool isOfOneCaller(int code) {
    switch (code) {
        case POCO_EWOULDBLOCK:
        case POCO_EINTR:
        case POCO_ECONNABORTED:
        case POCO_ECONNRESET:
        case POCO_ETIMEDOUT:
        case POCO_ENETDOWN:
        case POCO_ENETUNREACH:
        case POCO_EHOSTUNREACH: return true;
        default: return false;
    }
}

Error cannotListen(const std::string& where, int, const Poco::Exception& exception) {
    switch (exception.code()) {
        case POCO_EADDRINUSE: return fail(Errc::Busy, where + ": another process listens there");
        // Also of a port that the system keeps for others (netsh interface ipv4 show excludedportrange tcp).
        case POCO_EACCES:
            return fail(Errc::Denied, where +
                                          ": another process has this port for itself, or Windows keeps "
                                          "it ('netsh interface ipv4 show excludedportrange tcp')");
        default: return fail(Errc::Unavailable, where + ": " + exception.displayText());
    }
}

}  // namespace postern::net
