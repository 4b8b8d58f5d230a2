#include "net/socket_server.h"

#include <atomic>
#include <list>
#include <optional>
#include <thread>
#include <utility>

#include <Poco/Net/StreamSocket.h>

#include "base/log.h"
#include "base/poller.h"
#include "base/socket_grip.h"
#include "base/sync.h"
#include "base/thread.h"

namespace postern::net {

namespace {

constexpr std::uint64_t kListenToken = 1;
constexpr Millis kLongWait{60'000};  // a wake() ends it
constexpr Millis kPause{200};        // after accept failed: no handles, most likely
constexpr Millis kQuiet{10'000};     // between two lines about clients too many: they may come by thousands

// One client. The socket is its thread's, the grip the server's.
struct Connection {
    Connection(std::unique_ptr<Poco::Net::StreamSocket> accepted, SocketGrip hold)
        : socket(std::move(accepted)), grip(std::move(hold)) {}
    std::unique_ptr<Poco::Net::StreamSocket> socket;
    SocketGrip grip;
    std::atomic<bool> done{false};
    std::jthread thread;  // the last member: ended before the others go
};

}  // namespace

struct SocketServer::Impl {
    Impl(SocketServerOptions wanted, Serve serving, Refuse refusing)
        : options(std::move(wanted)), serve(std::move(serving)), refuse(std::move(refusing)) {}

    Result<void> listen();
    void acceptLoop();
    bool acceptOne();
    void breathe();
    void admit(std::unique_ptr<Poco::Net::StreamSocket> socket);
    void reap() {
        connections.remove_if([](const auto& connection) { return connection->done.load(); });
    }
    void work(Connection& connection);
    void endConnections();
    void complain(std::string_view error) const;
    void tellRefused();

    const SocketServerOptions options;
    const Serve serve;
    const Refuse refuse;
    std::optional<Ear> ear;
    std::unique_ptr<Poller> poller;
    std::list<std::unique_ptr<Connection>> connections;  // the accept thread's; after its end, stop()'s
    std::int64_t refused = 0;  // since the last line about it; the accept thread's, as the next
    std::optional<SteadyTime> toldRefused;
    std::atomic<bool> stopping{false};
    Mutex mutex;
    Condition ended;  // a connection is done
    std::jthread thread;
};

SocketServer::SocketServer(SocketServerOptions options, Serve serve, Refuse refuse)
    : impl_(std::make_unique<Impl>(std::move(options), std::move(serve), std::move(refuse))) {}

SocketServer::~SocketServer() {
    stop();
}

int SocketServer::port() const {
    return impl_->ear ? impl_->ear->port() : 0;
}

void SocketServer::Impl::complain(std::string_view error) const {
    LogLine(LogEvent::ControlRefused).with("at", options.name).with("error", error);
}

Result<void> SocketServer::Impl::listen() {
    POSTERN_LET(opened, Ear::open(options.place));
    POSTERN_LET(waiting, Poller::create());
    POSTERN_TRY(waiting->add(opened.handle(), kListenToken, true, false));
    ear = std::move(opened);
    poller = std::move(waiting);
    return {};
}

Result<void> SocketServer::start() {
    POSTERN_TRY(impl_->listen());
    impl_->stopping = false;
    impl_->thread = std::jthread([impl = impl_.get()] {
        nameThisThread(impl->options.name);
        impl->acceptLoop();
    });
    return {};
}

void SocketServer::Impl::acceptLoop() {
    while (!stopping) {
        const bool waiting = !poller->wait(kLongWait).empty();
        reap();
        if (!waiting || stopping || acceptOne()) continue;
        breathe();
    }
}

// What waits, or is at fault, would be told of without end: looks away for a moment instead of spinning. A
// hang-up is told whatever is asked about, so the socket is taken out.
void SocketServer::Impl::breathe() {
    poller->remove(ear->handle());
    for (;;) {
        poller->wait(kPause);
        if (stopping) return;
        const auto again = poller->add(ear->handle(), kListenToken, true, false);
        if (again.ok()) return;
        if (ear->isNews(again.error())) complain(again.error().text);
    }
}

// False: the system has nothing to give, look again later.
bool SocketServer::Impl::acceptOne() {
    auto accepted = ear->acceptSocket();
    if (accepted.ok() && *accepted == nullptr) return true;
    if (!accepted.ok()) {
        if (ear->isNews(accepted.error())) complain(accepted.error().text);
        return false;
    }
    try {
        admit(std::move(*accepted));
        return true;
    } catch (const std::system_error& error) {
        complain(error.what());  // no thread to be had
        return false;
    }
}

void SocketServer::Impl::admit(std::unique_ptr<Poco::Net::StreamSocket> socket) {
    reap();  // after the accept: who came back after its end was seen shall be served
    if (connections.size() >= static_cast<std::size_t>(options.connections)) {
        refuse(*socket);
        return tellRefused();
    }
    auto grip = SocketGrip::of(static_cast<int>(socket->impl()->sockfd()));
    if (!grip.ok()) return complain(grip.error().text);
    connections.push_back(std::make_unique<Connection>(std::move(socket), std::move(*grip)));
    Connection* connection = connections.back().get();
    try {
        connection->thread = std::jthread([this, connection] { work(*connection); });
    } catch (const std::system_error&) {
        connections.pop_back();
        throw;
    }
}

void SocketServer::Impl::tellRefused() {
    ++refused;
    const SteadyTime now = std::chrono::steady_clock::now();
    if (toldRefused && now - *toldRefused < kQuiet) return;
    toldRefused = now;
    LogLine(LogEvent::ControlRefused)
        .with("at", options.name)
        .with("clients", std::exchange(refused, 0))
        .with("error", "too many connections at once");
}

void SocketServer::Impl::work(Connection& connection) {
    nameThisThread(options.name + "-client");
    try {
        serve(*connection.socket);
    } catch (const std::exception& error) {
        complain(error.what());
    }
    {
        MutexLock lock(mutex);
        connection.done = true;
        ended.notifyAll();
    }
    poller->wake();
    // Last: a client that sees the end finds its place free.
    connection.grip.end();
}

void SocketServer::Impl::endConnections() {
    for (const auto& connection : connections) connection->grip.endReceiving();
    const SteadyTime deadline = std::chrono::steady_clock::now() + options.patience;
    const auto allDone = [this] {
        for (const auto& connection : connections)
            if (!connection->done) return false;
        return true;
    };
    {
        MutexLock lock(mutex);
        while (!allDone() && ended.waitUntil(mutex, deadline)) {
        }
    }
    for (const auto& connection : connections) connection->grip.end();
    connections.clear();  // joins
}

void SocketServer::stop() {
    if (!impl_->ear) return;
    impl_->stopping = true;
    impl_->poller->wake();
    impl_->thread.join();
    impl_->endConnections();
    impl_->ear.reset();
}

}  // namespace postern::net
