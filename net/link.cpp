#include "net/link.h"

#include <algorithm>
#include <utility>

#include <Poco/Exception.h>
#include <Poco/Net/DNS.h>
#include <Poco/Net/HostEntry.h>
#include <Poco/Net/NetException.h>
#include <Poco/Net/SocketAddress.h>
#include <Poco/Net/SocketImpl.h>
#include <Poco/Net/StreamSocket.h>

#include "base/text.h"
#include "net/system_sockets.h"

namespace postern::net {

namespace {

using Poco::Net::SocketAddress;

constexpr Millis kSlice{1'000};
constexpr std::size_t kChunk = 16'384;
constexpr std::size_t kMostAddresses = 16;
constexpr std::size_t kMostAhead = 1 << 20;  // answers that are kept while we write

std::string bracketed(const Poco::Net::IPAddress& address) {
    return "[" + address.toString() + "]";
}

SocketAddress socketAddress(const Endpoint& to) {
    if (!to.socketPath.empty()) return localAddress(to.socketPath);
    return {Poco::Net::IPAddress(to.address), static_cast<Poco::UInt16>(to.port)};
}

// Begins the connection; it is made, or not, when the socket can be written to.
std::unique_ptr<Poco::Net::StreamSocket> begin(const Endpoint& to, const std::string& source) {
    auto socket = std::make_unique<Poco::Net::StreamSocket>();
    if (!source.empty() && to.socketPath.empty())
        socket->impl()->bind(SocketAddress(Poco::Net::IPAddress(source), 0));
    socket->connectNB(socketAddress(to));
    socket->setBlocking(false);
    if (to.socketPath.empty()) socket->setNoDelay(true);
    return socket;
}

}  // namespace

// Until a deadline, in slices.
class Link::Patience {
  public:
    Patience(const Link& link, Millis limit, const Waiting& waiting)
        : Patience(link, link.clock_->steady() + limit, waiting) {}
    Patience(const Link& link, SteadyTime end, const Waiting& waiting)
        : link_(link), end_(end), waiting_(waiting) {}

    // Waits for the wire; false: the time is over, or ours is.
    bool wait(Wire& wire, bool read, bool write) {
        for (;;) {
            if (link_.ended()) return false;
            const auto left = std::chrono::duration_cast<Millis>(end_ - link_.clock_->steady());
            if (left <= Millis(0)) return false;
            const bool ready = wire.wait(read, write, std::min(left, kSlice));
            if (waiting_) waiting_();
            if (ready) return true;
        }
    }

  private:
    const Link& link_;
    const SteadyTime end_;
    const Waiting& waiting_;
};

Result<std::vector<Endpoint>> resolve(const std::string& host, int port) {
    std::vector<Endpoint> found;
    const std::string tail = ":" + std::to_string(port);
    Poco::Net::IPAddress numeric;
    if (Poco::Net::IPAddress::tryParse(host, numeric)) {
        const bool six = numeric.family() == Poco::Net::IPAddress::IPv6;
        found.push_back({numeric.toString(), port, "", (six ? bracketed(numeric) : host) + tail});
        return found;
    }
    try {
        const auto entry = Poco::Net::DNS::hostByName(host);
        for (const Poco::Net::IPAddress& address : entry.addresses()) {
            if (found.size() == kMostAddresses) break;
            found.push_back({address.toString(), port, "", host + bracketed(address) + tail});
        }
    } catch (const Poco::Exception& exception) {
        // Every trouble of the name service is temporary: a name that is gone now may be back in an hour
        // (KB Q267245).
        return fail(Errc::Unavailable, host + ": its address is not known: " + exception.displayText());
    }
    if (found.empty()) return fail(Errc::Unavailable, host + ": the name has no address");
    return found;
}

Endpoint unixEndpoint(const std::string& path) {
    return {"", 0, path, "unix:" + path};
}

Result<std::unique_ptr<Link>> Link::connect(const Endpoint& to, const std::string& source, Millis limit,
                                            const Waiting& waiting, const std::atomic<bool>* ending,
                                            Clock& clock) {
    const auto failed = [&](const std::string& why) {
        return fail(Errc::Unavailable, to.shown + ": " + why);
    };
    try {
        auto socket = begin(to, source);
        Poco::Net::SocketImpl* const impl = socket->impl();  // lives in the wire
        std::unique_ptr<Link> link(new Link(Wire(std::move(socket)), to.shown, clock));
        link->endWith(ending);
        Patience patience(*link, limit, waiting);
        if (!patience.wait(link->wire_, false, true))
            return link->ended() ? link->late(limit)
                                 : failed("no connection within " + formatDurationMillis(limit.count()));
        if (const int error = impl->socketError(); error != 0)
            return failed(systemError(error, "connect").text);
        return link;
    } catch (const Poco::Exception& exception) {
        // "Net Exception: Network is unreachable": the general class says nothing to a person.
        const bool general = std::string_view(exception.name()) == "Net Exception";
        return failed(general && !exception.message().empty() ? "connect: " + exception.message()
                                                              : exception.displayText());
    }
}

Link::~Link() = default;

Error Link::gone() const {
    return fail(Errc::Unavailable, peer_ + ": the connection was lost");
}

bool Link::ended() const {
    return ending_ != nullptr && ending_->load();
}

Error Link::late(Millis limit) const {
    if (ended()) return fail(Errc::Stopped, peer_ + ": not waited for any longer");
    return fail(Errc::Busy, peer_ + ": no answer within " + formatDurationMillis(limit.count()));
}

bool Link::take() {
    char buffer[kChunk];
    const int got = wire_.receive(buffer, sizeof buffer);
    if (got > 0) input_.append(buffer, static_cast<std::size_t>(got));
    gone_ = gone_ || got < 0;
    return got > 0;
}

bool Link::quiet() {
    if (input_.empty() && !gone_) take();
    return input_.empty() && !gone_;
}

Result<std::string> Link::readLineBy(std::size_t most, SteadyTime deadline, Millis limit,
                                     const Waiting& waiting) {
    Patience patience(*this, deadline, waiting);
    std::size_t looked = 0;
    for (;;) {
        const std::size_t end = input_.find('\n', looked);
        if (end != std::string::npos && end <= most + 1) {
            std::string line = input_.substr(0, end > 0 && input_[end - 1] == '\r' ? end - 1 : end);
            input_.erase(0, end + 1);
            return line;
        }
        looked = input_.size();
        if (looked > most) {
            gone_ = true;
            return fail(Errc::Invalid,
                        peer_ + ": sent a line of more than " + std::to_string(most) + " bytes");
        }
        if (gone_) return gone();
        if (take()) continue;
        if (gone_) continue;  // the last line may have come with the end
        if (!patience.wait(wire_, true, wire_.receiveWantsWrite())) {
            gone_ = true;
            return late(limit);
        }
    }
}

Result<std::string> Link::readSomeBy(std::size_t most, SteadyTime end, Millis limit, const Waiting& waiting) {
    Patience patience(*this, end, waiting);
    while (input_.empty() && !gone_) {
        if (take() || gone_) break;
        if (!patience.wait(wire_, true, wire_.receiveWantsWrite())) {
            gone_ = true;
            return late(limit);
        }
    }
    std::string some = input_.substr(0, most);
    input_.erase(0, some.size());
    return some;
}

Result<void> Link::write(std::string_view bytes, Millis limit, const Waiting& waiting, Meanwhile meanwhile) {
    if (mute_) return gone();
    auto written = writeAll(bytes, limit, waiting, meanwhile);
    mute_ = !written.ok();
    return written;
}

Result<void> Link::writeAll(std::string_view bytes, Millis limit, const Waiting& waiting,
                            Meanwhile meanwhile) {
    while (!bytes.empty()) {
        if (gone_) return gone();
        const int sent = wire_.send(bytes);
        if (sent > 0) {
            bytes.remove_prefix(static_cast<std::size_t>(sent));
            continue;
        }
        if (sent < 0) {
            // What it said before it closed may explain it.
            while (input_.size() < kChunk && take()) {
            }
            gone_ = true;
            if (!input_.empty()) return fail(Errc::Exists, peer_ + ": answered before the end and closed");
            return gone();
        }
        const bool unasked = meanwhile == Meanwhile::Silence && !input_.empty();
        if (unasked) return fail(Errc::Exists, peer_ + ": answered before the end");
        const bool room = input_.size() < kMostAhead;
        Patience patience(*this, limit, waiting);
        if (!patience.wait(wire_, room, true)) {
            gone_ = true;
            return late(limit);
        }
        if (room) (void)take();
    }
    return {};
}

Result<void> Link::startTls(const TlsClientContext& context, const std::string& name, Millis limit,
                            const Waiting& waiting) {
    if (!input_.empty()) {
        gone_ = true;
        return fail(Errc::Invalid, peer_ + ": sent more than its answer to STARTTLS");
    }
    if (!wire_.startTlsAsClient(context, name)) return fail(Errc::Unavailable, peer_ + ": no memory for TLS");
    Patience patience(*this, limit, waiting);
    for (;;) {
        const Handshake state = wire_.handshake();
        if (state == Handshake::Done) break;
        if (state == Handshake::Failed) {
            gone_ = true;
            return fail(Errc::Unavailable, peer_ + ": TLS: " + wire_.tlsTrouble());
        }
        if (!patience.wait(wire_, state == Handshake::WantsRead, state == Handshake::WantsWrite)) {
            gone_ = true;
            return late(limit);
        }
    }
    secure_ = true;
    return {};
}

}  // namespace postern::net
