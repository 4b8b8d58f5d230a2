#include "net/wire.h"

#include <cerrno>
#include <filesystem>
#include <utility>

#include <Poco/Exception.h>
#include <Poco/Net/NetException.h>
#include <Poco/Net/ServerSocket.h>
#include <Poco/Net/ServerSocketImpl.h>
#include <Poco/Net/SocketAddress.h>
#include <Poco/Net/StreamSocket.h>

#include "base/file.h"
#include "base/peer.h"
#include "base/sync.h"
#include "net/system_sockets.h"

namespace postern::net {

namespace {

constexpr int kBacklog = 1024;
constexpr std::size_t kSocketPathLimit = 107;  // sun_path without its zero

bool somebodyListens(const std::string& path) {
    try {
        const Poco::Net::StreamSocket probe(localAddress(path));
        return true;
    } catch (const Poco::Exception&) {
        return false;
    }
}

Result<void> clearStaleSocket(const EarPlace& place) {
    std::error_code ignored;  // what can not be looked at can not be bound either, and then says why
    const auto status = std::filesystem::symlink_status(place.socketPath, ignored);
    if (!std::filesystem::exists(status)) return {};
    if (!std::filesystem::is_socket(status)) {
        return fail(Errc::Exists, place.socketPath + " is there and is not a socket");
    }
    if (somebodyListens(place.socketPath)) {
        return fail(Errc::Busy, "another process listens at " + place.socketPath);
    }
    return removeFile(place.socketPath);
}

Result<void> secureSocket(const EarPlace& place) {
    auto done = setFileOwner(place.socketPath, place.socketOwner);
    if (done.ok()) done = setFileMode(place.socketPath, place.socketMode);
    if (!done.ok()) (void)removeFile(place.socketPath);
    return done;
}

bool outOfHandles(const Poco::Exception& exception) {
    return exception.code() == POCO_EMFILE || exception.code() == POCO_ENOBUFS ||
           exception.code() == ENFILE || exception.code() == ENOMEM;
}

}  // namespace

Wire::Wire(std::unique_ptr<Poco::Net::StreamSocket> socket) : socket_(std::move(socket)) {}
Wire::Wire(Wire&&) noexcept = default;
Wire& Wire::operator=(Wire&&) noexcept = default;
Wire::~Wire() = default;

int Wire::handle() const {
    return static_cast<int>(socket_->impl()->sockfd());
}

int Wire::receive(char* into, std::size_t size) {
    if (tls_) return tls_->receive(into, size);
    try {
        const int got = socket_->receiveBytes(into, static_cast<int>(size));
        if (got == 0) return -1;
        return got < 0 ? 0 : got;
    } catch (const Poco::Exception&) {
        return -1;
    }
}

int Wire::send(std::string_view bytes) {
    if (tls_) return tls_->send(bytes);
    if (mute_) return -1;
    try {
        const int sent = socket_->sendBytes(bytes.data(), static_cast<int>(bytes.size()));
        if (sent > 0) handed_ += static_cast<std::uint64_t>(sent);
        return sent < 0 ? 0 : sent;
    } catch (const Poco::Exception& exception) {
        // Poco 1.11 throws when a non-blocking socket is full, though not when it is empty.
        return exception.code() == POCO_EWOULDBLOCK || exception.code() == POCO_EAGAIN ? 0 : -1;
    }
}

void Wire::endSending() {
    if (tls_) tls_->sayEnd();
    try {
        socket_->shutdownSend();
    } catch (const Poco::Exception&) {
        // The other side is gone already: there is nobody left to tell.
    }
}

bool Wire::startTls(const TlsContext& context) {
    tls_ = TlsStream::begin(context, handle());
    return tls_ != nullptr;
}

bool Wire::startTlsAsClient(const TlsClientContext& context, const std::string& name) {
    tls_ = TlsStream::beginClient(context, handle(), name);
    return tls_ != nullptr;
}

Handshake Wire::handshake() {
    const Handshake state = tls_->handshake();
    if (state != Handshake::Failed) return state;
    trouble_ = tls_->trouble();
    tls_.reset();
    mute_ = true;  // whatever we said now would be in the clear
    return state;
}

TlsFacts Wire::tlsFacts() const {
    return tls_->facts();
}

ServerPaper Wire::serverPaper() const {
    return tls_->serverPaper();
}

bool Wire::wait(bool read, bool write, Millis limit) {
    const int modes = (read ? Poco::Net::Socket::SELECT_READ : 0) |
                      (write ? Poco::Net::Socket::SELECT_WRITE : 0) | Poco::Net::Socket::SELECT_ERROR;
    try {
        return socket_->poll(Poco::Timespan(limit.count() * 1000), modes);
    } catch (const Poco::Exception&) {
        return true;  // what is wrong with it is said by the next receive or send
    }
}

namespace {

// A listening socket that another process opened.
class Offered final : public Poco::Net::ServerSocket {
  public:
    explicit Offered(int handle) : ServerSocket(new Impl(handle), true) {}

    static Mutex& mutex() {
        static Mutex one;
        return one;
    }
    static std::vector<std::unique_ptr<Offered>>& all() REQUIRES(mutex()) {
        static std::vector<std::unique_ptr<Offered>> sockets;
        return sockets;
    }
    // Null: none of them listens there.
    static std::unique_ptr<Poco::Net::ServerSocket> take(const Poco::Net::SocketAddress& address) {
        MutexLock lock(mutex());
        for (auto& socket : all()) {
            const Poco::Net::SocketAddress place = socket->address();
            if (place.family() != address.family() || place != address) continue;
            std::unique_ptr<Poco::Net::ServerSocket> taken = std::move(socket);
            std::erase(all(), nullptr);
            return taken;
        }
        return nullptr;
    }

  private:
    struct Impl final : Poco::Net::ServerSocketImpl {
        explicit Impl(int handle) { reset(handle); }
    };
};

}  // namespace

std::vector<std::string> offerSockets(const std::vector<int>& handles) {
    std::vector<std::string> trouble;
    MutexLock lock(Offered::mutex());
    for (const int handle : handles) {
        try {
            auto socket = std::make_unique<Offered>(handle);
            (void)socket->address();
            socket->setBlocking(false);
            Offered::all().push_back(std::move(socket));
        } catch (const Poco::Exception& exception) {
            trouble.push_back("handle " + std::to_string(handle) + ": " + exception.displayText());
        }
    }
    return trouble;
}

std::vector<std::string> untakenSockets() {
    std::vector<std::string> places;
    MutexLock lock(Offered::mutex());
    for (const auto& socket : Offered::all()) {
        const auto address = socket->address();
        places.push_back((isLocal(address) ? "unix:" : "") + address.toString());
    }
    return places;
}

Ear::Ear(std::unique_ptr<Poco::Net::ServerSocket> socket, bool local, std::string ownPath)
    : socket_(std::move(socket)), local_(local), ownPath_(std::move(ownPath)) {
    if (!local_) port_ = socket_->address().port();
}
Ear::Ear(Ear&& other) noexcept
    : socket_(std::move(other.socket_)),
      local_(other.local_),
      ownPath_(std::exchange(other.ownPath_, {})),
      port_(other.port_),
      trouble_(std::move(other.trouble_)) {}
Ear& Ear::operator=(Ear&& other) noexcept {
    std::swap(socket_, other.socket_);
    std::swap(local_, other.local_);
    std::swap(ownPath_, other.ownPath_);
    std::swap(port_, other.port_);
    std::swap(trouble_, other.trouble_);
    return *this;
}
Ear::~Ear() {
    // A file left behind is found stale at the next start.
    if (!ownPath_.empty()) (void)removeFile(ownPath_);
}

Result<Ear> Ear::open(const EarPlace& place) {
    const bool local = !place.socketPath.empty();
    if (local && !hasLocalSockets())
        return fail(Errc::Invalid, place.socketPath +
                                       ": there are no Unix sockets on this system; listen on " +
                                       "127.0.0.1 and a port");
    if (place.socketPath.size() > kSocketPathLimit)
        return fail(Errc::Invalid, "the path of the socket is too long: " + place.socketPath);
    try {
        const auto address =
            local ? localAddress(place.socketPath)
                  : Poco::Net::SocketAddress(place.host, static_cast<Poco::UInt16>(place.port));
        if (auto offered = Offered::take(address)) return Ear(std::move(offered), local, "");
        if (local) POSTERN_TRY(clearStaleSocket(place));
        auto socket = boundSocket(address);
        // Before listen(), so that nobody gets in while the mode is still wider.
        if (local) POSTERN_TRY(secureSocket(place));
        socket->listen(kBacklog);
        socket->setBlocking(false);
        return Ear(std::move(socket), local, place.socketPath);
    } catch (const Poco::Exception& exception) {
        const std::string where = local ? place.socketPath : place.host + ":" + std::to_string(place.port);
        return cannotListen(where, local ? 0 : place.port, exception);
    }
}

int Ear::handle() const {
    return static_cast<int>(socket_->impl()->sockfd());
}

Result<std::unique_ptr<Poco::Net::StreamSocket>> Ear::acceptSocket() {
    try {
        auto socket = std::make_unique<Poco::Net::StreamSocket>(socket_->acceptConnection());
        socket->setBlocking(false);
        trouble_.clear();
        return socket;
    } catch (const Poco::Exception& exception) {
        if (isOfOneCaller(exception.code())) return std::unique_ptr<Poco::Net::StreamSocket>();
        return fail(outOfHandles(exception) ? Errc::Unavailable : Errc::Internal,
                    "accept: " + exception.displayText());
    }
}

bool Ear::isNews(const Error& trouble) {
    return std::exchange(trouble_, trouble.text) != trouble.text;
}

Result<std::optional<Accepted>> Ear::accept() {
    POSTERN_LET(socket, acceptSocket());
    if (socket == nullptr) return std::optional<Accepted>();
    if (local_) return std::optional(Accepted{Wire(std::move(socket)), "local", ""});
    try {
        const Poco::Net::SocketAddress address = socket->peerAddress();
        socket->setNoDelay(true);
        return std::optional(
            Accepted{Wire(std::move(socket)), address.toString(), address.host().toString()});
    } catch (const Poco::Exception&) {
        return std::optional<Accepted>();  // it went away while we asked
    }
}

}  // namespace postern::net
