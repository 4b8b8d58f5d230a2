#include "connector/admin/control_server.h"

#include <Poco/Net/StreamSocket.h>

#include "base/log.h"
#include "base/peer.h"
#include "connector/admin/channel.h"
#include "connector/admin/control_door.h"
#include "connector/admin/wire.h"
#include "net/socket_server.h"

namespace postern::admin {

namespace {

// One client.
class Connection {
  public:
    Connection(Poco::Net::StreamSocket& socket, const Handler& handler, Millis silence)
        : socket_(socket), handler_(handler), channel_(socket, silence) {}
    // Until the client ends, or breaks a rule.
    void serve(const ControlDoor& door) {
        auto admitted = door.admit(channel_);
        if (!admitted.ok()) {
            LogLine(LogEvent::ControlRefused).with("error", admitted.error().text);
            return;
        }
        guest_ = *admitted;
        while (serveOne()) {
        }
    }

  private:
    bool serveOne();
    bool answer(const Request& request);
    Result<void> handle(const Request& request, ByteStream& body, const RowSink& row);
    Poco::Net::StreamSocket& socket_;
    const Handler& handler_;
    Channel channel_;
    std::optional<ControlDoor::Guest> guest_;  // of a door that told us
};

bool Connection::serveOne() {
    const auto line = channel_.readLine(kRequestLimit);
    if (!line.ok()) {
        LogLine(LogEvent::ControlRefused).with("error", line.error().text);
        return channel_.write(endLine(line.error()) + "\n").ok() && false;
    }
    if (!line->has_value()) return false;
    Result<Request> request = parseRequest(**line);
    if (!request.ok()) {
        LogLine(LogEvent::ControlRefused).with("error", request.error().text);
        return channel_.write(endLine(request.error()) + "\n").ok() && false;
    }
    const int handle = static_cast<int>(socket_.impl()->sockfd());
    const Result<std::string> peer = peerUser(handle);
    if (peer.ok()) request->who = *peer;
    request->master = guest_ ? guest_->master : peerIsMaster(handle).valueOr(false);
    if (request->who.empty()) request->who = "operator";
    return answer(*request);
}

// True when another request may follow.
bool Connection::answer(const Request& request) {
    ChunkReader chunks(channel_);
    NoBytes none;
    const RowSink row = [&](const Record& record) { return channel_.write(rowLine(record) + "\n"); };
    const Result<void> result = handle(request, request.body ? static_cast<ByteStream&>(chunks) : none, row);
    LogLine line(result.ok() ? LogEvent::ControlDone : LogEvent::ControlRefused);
    line.with("verb", request.verb).with("who", request.who);
    if (!result.ok()) line.with("error", result.error().text);
    // Bytes nobody took are still on their way: only the end of the connection gets rid of them.
    const bool clean = !request.body || chunks.ended();
    return channel_.write(endLine(result) + "\n").ok() && clean;
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
    Impl(const std::string& path, Handler handlerToCall, ControlOptions limits)
        : handler(std::move(handlerToCall)),
          options(limits),
          door(path, limits.door),
          server(
              {door.place(), "control", limits.connections},
              [this](Poco::Net::StreamSocket& socket) {
                  Connection(socket, handler, options.silence).serve(door);
              },
              refuse) {}

    static void refuse(Poco::Net::StreamSocket& socket) {
        Channel channel(socket, Millis{0});  // an empty buffer takes this line at once or never
        (void)channel.write(endLine(fail(Errc::Busy, "too many control connections at once")) + "\n");
    }

    const Handler handler;
    Result<void> start() {
        POSTERN_TRY(door.prepare());
        POSTERN_TRY(server.start());
        auto opened = door.open(server.port());
        if (!opened.ok()) server.stop();
        return opened;
    }

    const ControlOptions options;
    ControlDoor door;
    net::SocketServer server;  // the last member: it calls what stands before it
};

ControlServer::ControlServer(std::string socketPath, Handler handler, Clock&, ControlOptions options)
    : impl_(std::make_unique<Impl>(socketPath, std::move(handler), options)) {}
ControlServer::~ControlServer() {
    stop();
}

Result<void> ControlServer::start() {
    auto started = impl_->start();
    if (!started.ok() && (started.error().code == Errc::Exists || started.error().code == Errc::Invalid))
        return fail(started.error().code, started.error().text + ": choose another \"control_socket\"");
    return started;
}

void ControlServer::stop() {
    impl_->door.close();
    impl_->server.stop();
}

}  // namespace postern::admin
