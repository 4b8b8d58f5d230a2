#include "connector/admin/control_server.h"

#include <atomic>
#include <filesystem>
#include <list>
#include <thread>

#include <Poco/Exception.h>
#include <Poco/Net/ServerSocket.h>
#include <Poco/Net/SocketAddress.h>
#include <Poco/Net/StreamSocket.h>

#include "base/file.h"
#include "base/log.h"
#include "base/peer.h"
#include "base/poller.h"
#include "base/sync.h"
#include "base/thread.h"
#include "connector/admin/channel.h"
#include "connector/admin/control_client.h"
#include "connector/admin/wire.h"

namespace postern::admin {

namespace fs = std::filesystem;

namespace {

constexpr std::uint64_t kListenToken = 1;
constexpr Millis kLongWait{60'000};    // a wake() ends it
constexpr Millis kPause{200};          // after accept failed: no descriptors, most likely
constexpr Millis kStopPatience{2000};  // for answers still to be written when we stop
constexpr std::size_t kSocketPathLimit = 107;

// Makes room for our socket. A socket nobody answers on is a dead service's.
Result<void> clearPath(const std::string& path) {
    std::error_code error;
    const fs::file_status status = fs::symlink_status(path, error);
    if (status.type() == fs::file_type::not_found) return {};
    if (!fs::is_socket(status))
        return fail(Errc::Exists, path + " is there and is no socket: choose another \"control_socket\"");
    const auto other = ControlClient::connect(path, Millis{1000});
    if (other.ok()) return fail(Errc::Busy, "another service answers on " + path);
    if (other.error().code != Errc::NotFound) return other.error();
    return removeFile(path);
}

// One client; the thread is its own, the socket lives until the thread was joined.
class Connection {
  public:
    Connection(Poco::Net::StreamSocket socket, const Handler& handler, Millis silence)
        : socket_(std::move(socket)), handler_(handler), silence_(silence) {}

    void serve();
    void endInput();  // no further request; the answer being made is still sent
    void end();
    Poco::Net::StreamSocket& socket() { return socket_; }

    std::jthread thread;
    std::atomic<bool> done{false};

  private:
    bool serveOne(Channel& channel);
    bool answer(Channel& channel, const Request& request);
    Result<void> handle(const Request& request, ByteStream& body, const RowSink& row);
    Poco::Net::StreamSocket socket_;
    const Handler& handler_;
    const Millis silence_;
};

void Connection::serve() {
    Channel channel(socket_, silence_);
    while (serveOne(channel)) {
    }
    end();
}

void Connection::endInput() {
    try {
        socket_.shutdownReceive();
    } catch (const Poco::Exception&) {
        // It has ended already.
    }
}

void Connection::end() {
    try {
        socket_.shutdown();
    } catch (const Poco::Exception&) {
        // The other side was faster.
    }
}

bool Connection::serveOne(Channel& channel) {
    const auto line = channel.readLine(kRequestLimit);
    if (!line.ok()) {
        LogLine(LogEvent::ControlRefused).with("error", line.error().text);
        return channel.write(endLine(line.error()) + "\n").ok() && false;
    }
    if (!line->has_value()) return false;
    Result<Request> request = parseRequest(**line);
    if (!request.ok()) {
        LogLine(LogEvent::ControlRefused).with("error", request.error().text);
        return channel.write(endLine(request.error()) + "\n").ok() && false;
    }
    const Result<std::string> peer = peerUser(static_cast<int>(socket_.impl()->sockfd()));
    if (peer.ok()) request->who = *peer;
    if (request->who.empty()) request->who = "operator";
    return answer(channel, *request);
}

// True when another request may follow.
bool Connection::answer(Channel& channel, const Request& request) {
    ChunkReader chunks(channel);
    NoBytes none;
    const RowSink row = [&](const Record& record) { return channel.write(rowLine(record) + "\n"); };
    const Result<void> result = handle(request, request.body ? static_cast<ByteStream&>(chunks) : none, row);
    LogLine line(result.ok() ? LogEvent::ControlDone : LogEvent::ControlRefused);
    line.with("verb", request.verb).with("who", request.who);
    if (!result.ok()) line.with("error", result.error().text);
    // Bytes nobody took are still on their way: only the end of the connection gets rid of them.
    const bool clean = !request.body || chunks.ended();
    return channel.write(endLine(result) + "\n").ok() && clean;
}

Result<void> Connection::handle(const Request& request, ByteStream& body, const RowSink& row) {
    try {
        return handler_(request, body, row);
    } catch (const std::exception& error) {
        return fail(Errc::Internal, std::string("unexpected fault: ") + error.what());
    }
}

}  // namespace

struct ControlServer::Impl {
    Impl(std::string path, Handler handlerToCall, ControlOptions limits)
        : socketPath(std::move(path)), handler(std::move(handlerToCall)), options(limits) {}

    Result<void> listen();
    void acceptLoop();
    bool acceptOne();
    void admit(Poco::Net::StreamSocket socket);
    void work(Connection& connection);
    void reap();
    void endConnections();

    const std::string socketPath;
    const Handler handler;
    const ControlOptions options;
    Poco::Net::ServerSocket listener;
    std::unique_ptr<Poller> poller;
    std::list<std::unique_ptr<Connection>> connections;  // of the accept thread; after its join, of stop()
    std::atomic<bool> stopping{false};
    Mutex mutex;
    Condition ended;  // a connection's thread has nothing more to do
    std::jthread thread;
    bool running = false;
};

ControlServer::ControlServer(std::string socketPath, Handler handler, Clock&, ControlOptions options)
    : impl_(std::make_unique<Impl>(std::move(socketPath), std::move(handler), options)) {}

ControlServer::~ControlServer() {
    stop();
}

Result<void> ControlServer::Impl::listen() {
    if (socketPath.size() > kSocketPathLimit)
        return fail(Errc::Invalid, "the path of the control socket is too long: " + socketPath);
    POSTERN_TRY(clearPath(socketPath));
    try {
        listener = Poco::Net::ServerSocket();
        listener.bind(Poco::Net::SocketAddress(Poco::Net::SocketAddress::UNIX_LOCAL, socketPath), false);
        // Before listen(), so that nobody gets in while the mode is still wider.
        fs::permissions(socketPath, fs::perms(0660));
        listener.listen(options.connections);
        listener.setBlocking(false);
    } catch (const Poco::Exception& error) {
        if (error.code() != 0) return systemError(error.code(), socketPath);
        return fail(Errc::Unavailable, socketPath + ": " + error.displayText());
    } catch (const fs::filesystem_error& error) {
        return systemError(error.code().value(), socketPath);
    }
    return {};
}

Result<void> ControlServer::start() {
    POSTERN_TRY(impl_->listen());
    POSTERN_LET(poller, Poller::create());
    impl_->poller = std::move(poller);
    POSTERN_TRY(
        impl_->poller->add(static_cast<int>(impl_->listener.impl()->sockfd()), kListenToken, true, false));
    impl_->stopping = false;
    impl_->running = true;
    impl_->thread = std::jthread([this] {
        nameThisThread("control");
        impl_->acceptLoop();
    });
    return {};
}

void ControlServer::Impl::acceptLoop() {
    const int handle = static_cast<int>(listener.impl()->sockfd());
    while (!stopping) {
        const bool waiting = !poller->wait(kLongWait).empty();
        reap();
        if (!waiting || stopping || acceptOne()) continue;
        // The waiting client stays readable for ever: look away for a moment instead of spinning.
        if (!poller->change(handle, kListenToken, false, false).ok()) continue;
        poller->wait(kPause);
        if (const auto again = poller->change(handle, kListenToken, true, false); !again.ok())
            LogLine(LogEvent::ControlRefused).with("error", again.error().text);
    }
}

bool ControlServer::Impl::acceptOne() {
    try {
        admit(listener.acceptConnection());
        return true;
    } catch (const std::exception& error) {
        LogLine(LogEvent::ControlRefused).with("error", error.what());
        return false;
    }
}

void ControlServer::Impl::admit(Poco::Net::StreamSocket socket) {
    socket.setBlocking(false);
    if (connections.size() >= static_cast<std::size_t>(options.connections)) {
        Channel channel(socket, Millis{0});  // an empty buffer takes this line at once or never
        const Result<void> told =
            channel.write(endLine(fail(Errc::Busy, "too many control connections at once")) + "\n");
        LogLine(LogEvent::ControlRefused)
            .with("error", told.ok() ? "too many connections" : told.error().text);
        return;
    }
    connections.push_back(std::make_unique<Connection>(std::move(socket), handler, options.silence));
    Connection* connection = connections.back().get();
    try {
        connection->thread = std::jthread([this, connection] { work(*connection); });
    } catch (const std::system_error&) {
        connections.pop_back();  // no thread to be had: it would wait for ever
        throw;
    }
}

void ControlServer::Impl::work(Connection& connection) {
    connection.serve();
    {
        MutexLock lock(mutex);
        connection.done = true;
        ended.notifyAll();
    }
    poller->wake();
}

void ControlServer::Impl::reap() {
    connections.remove_if([](const auto& connection) { return connection->done.load(); });
}

void ControlServer::Impl::endConnections() {
    for (const auto& connection : connections) connection->endInput();
    const SteadyTime deadline = std::chrono::steady_clock::now() + kStopPatience;
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
    for (const auto& connection : connections) connection->end();
    connections.clear();  // joins
}

void ControlServer::stop() {
    if (!impl_->running) return;
    impl_->running = false;
    impl_->stopping = true;
    impl_->poller->wake();
    impl_->thread.join();
    impl_->endConnections();
    impl_->listener.close();
    if (const auto removed = removeFile(impl_->socketPath); !removed.ok())
        LogLine(LogEvent::ControlRefused).with("error", removed.error().text);
}

}  // namespace postern::admin
