#include "connector/http/server.h"

#include <atomic>
#include <filesystem>
#include <list>
#include <thread>

#include <Poco/Exception.h>
#include <Poco/Net/HTTPRequestHandler.h>
#include <Poco/Net/HTTPRequestHandlerFactory.h>
#include <Poco/Net/HTTPServerConnection.h>
#include <Poco/Net/HTTPServerParams.h>
#include <Poco/Net/HTTPServerRequest.h>
#include <Poco/Net/HTTPServerResponse.h>
#include <Poco/Net/ServerSocket.h>
#include <Poco/Net/SocketAddress.h>
#include <Poco/Net/StreamSocket.h>
#include <Poco/URI.h>

#include "base/file.h"
#include "base/log.h"
#include "base/poller.h"
#include "base/sync.h"
#include "base/thread.h"

namespace postern::http {

namespace fs = std::filesystem;

namespace {

constexpr std::uint64_t kListenToken = 1;
constexpr Millis kLongWait{60'000};  // a wake() ends it
constexpr Millis kPause{200};        // after accept failed: no descriptors, most likely
constexpr int kKeptRequests = 100;   // of one connection

using Poco::Net::HTTPServerRequest;
using Poco::Net::HTTPServerResponse;

// Makes room for our socket. A socket nobody answers on is a dead service's.
Result<void> clearSocket(const std::string& path) {
    std::error_code error;
    const fs::file_status status = fs::symlink_status(path, error);
    if (status.type() == fs::file_type::not_found) return {};
    if (!fs::is_socket(status)) return fail(Errc::Exists, path + " is there and is no socket");
    try {
        Poco::Net::StreamSocket other;
        other.connect(Poco::Net::SocketAddress(Poco::Net::SocketAddress::UNIX_LOCAL, path));
        return fail(Errc::Busy, "another service answers on " + path);
    } catch (const Poco::Exception&) {
        return removeFile(path);  // nobody does
    }
}

// Reads at most kBodyLimit bytes. False: there are more.
bool readBody(HTTPServerRequest& from, std::string& into) {
    char buffer[8192];
    while (from.stream().good()) {
        from.stream().read(buffer, sizeof buffer);
        into.append(buffer, static_cast<std::size_t>(from.stream().gcount()));
        if (into.size() > kBodyLimit) return false;
    }
    return true;
}

std::string lowered(std::string text) {
    for (char& c : text)
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    return text;
}

// False: the request is none that we read.
bool readRequest(HTTPServerRequest& from, HttpRequest& into) {
    into.method = from.getMethod();
    const Poco::URI uri(from.getURI());
    into.path = uri.getPath();
    for (const auto& [name, value] : uri.getQueryParameters()) into.query[name] = value;
    for (const auto& [name, value] : from) into.headers[lowered(name)] = value;
    const auto& peer = from.clientAddress();
    into.peer = peer.family() == Poco::Net::SocketAddress::UNIX_LOCAL ? "local" : peer.host().toString();
    return readBody(from, into.body);
}

// The streams of answers that are being sent; ending them all is how a stop gets through.
class Handler final : public Poco::Net::HTTPRequestHandler {
  public:
    Handler(Site& site, const std::atomic<bool>& stopping) : site_(site), stopping_(stopping) {}

    void handleRequest(HTTPServerRequest& request, HTTPServerResponse& response) override {
        HttpRequest asked;
        HttpAnswer answer;
        bool read = false;
        try {
            read = readRequest(request, asked);
        } catch (const Poco::Exception&) {
            // A path or header that is none: told below.
        }
        if (read)
            answer = site_.answer(asked);
        else
            answer = {
                400, "text/plain; charset=utf-8", {}, "The request can not be read, or is too long.\n", {}};
        give(answer, asked.method == "HEAD", response);
    }

  private:
    void give(const HttpAnswer& answer, bool headOnly, HTTPServerResponse& response) {
        response.setStatus(std::to_string(answer.status));
        response.setReason(Poco::Net::HTTPResponse::getReasonForStatus(response.getStatus()));
        response.setContentType(answer.type);
        for (const auto& [name, value] : answer.headers) response.add(name, value);
        if (stopping_) response.setKeepAlive(false);
        if (!answer.stream) {
            response.setContentLength64(static_cast<std::int64_t>(answer.body.size()));
            std::ostream& out = response.send();
            if (!headOnly) out.write(answer.body.data(), static_cast<std::streamsize>(answer.body.size()));
            out.flush();
            return;
        }
        response.setChunkedTransferEncoding(true);
        std::ostream& out = response.send();
        answer.stream([&](std::string_view bytes) {
            out.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
            out.flush();
            return out.good() && !stopping_;
        });
    }

    Site& site_;
    const std::atomic<bool>& stopping_;
};

class Factory final : public Poco::Net::HTTPRequestHandlerFactory {
  public:
    Factory(Site& site, const std::atomic<bool>& stopping) : site_(site), stopping_(stopping) {}
    Poco::Net::HTTPRequestHandler* createRequestHandler(const HTTPServerRequest&) override {
        return new Handler(site_, stopping_);  // Poco deletes it
    }

  private:
    Site& site_;
    const std::atomic<bool>& stopping_;
};

struct Connection {
    explicit Connection(Poco::Net::StreamSocket accepted) : socket(std::move(accepted)) {}
    Poco::Net::StreamSocket socket;
    std::atomic<bool> done{false};
    std::jthread thread;
};

}  // namespace

struct HttpServer::Impl {
    Impl(ServerOptions wanted, Site& answering) : options(std::move(wanted)), site(answering) {}

    Result<void> listen();
    void acceptLoop();
    bool acceptOne();
    void admit(Poco::Net::StreamSocket socket);
    void serve(Connection& connection);
    void refuse(Poco::Net::StreamSocket& socket);

    const ServerOptions options;
    Site& site;
    Poco::Net::ServerSocket listener;
    std::unique_ptr<Poller> poller;
    Poco::Net::HTTPServerParams::Ptr params;
    Poco::Net::HTTPRequestHandlerFactory::Ptr factory;
    std::list<std::unique_ptr<Connection>> connections;  // of the accept thread; after its join, of stop()
    std::atomic<bool> stopping{false};
    std::jthread thread;
    bool running = false;
};

HttpServer::HttpServer(ServerOptions options, Site& site)
    : impl_(std::make_unique<Impl>(std::move(options), site)) {}

HttpServer::~HttpServer() {
    stop();
}

int HttpServer::port() const {
    return impl_->options.socketPath.empty() && impl_->running ? impl_->listener.address().port() : 0;
}

Result<void> HttpServer::Impl::listen() {
    const std::string& path = options.socketPath;
    const std::string place = path.empty() ? options.host + ":" + std::to_string(options.port) : path;
    try {
        listener = Poco::Net::ServerSocket();
        if (path.empty()) {
            listener.bind(Poco::Net::SocketAddress(options.host, static_cast<std::uint16_t>(options.port)),
                          true);
        } else {
            POSTERN_TRY(clearSocket(path));
            listener.bind(Poco::Net::SocketAddress(Poco::Net::SocketAddress::UNIX_LOCAL, path), false);
            fs::permissions(path,
                            fs::perms(0660));  // before listen(): nobody gets in while the mode is wider
        }
        listener.listen(options.connections);
        listener.setBlocking(false);
    } catch (const Poco::Exception& error) {
        if (error.code() != 0) return systemError(error.code(), place);
        return fail(Errc::Unavailable, place + ": " + error.displayText());
    } catch (const fs::filesystem_error& error) {
        return systemError(error.code().value(), place);
    }
    return {};
}

Result<void> HttpServer::start() {
    Impl& impl = *impl_;
    POSTERN_TRY(impl.listen());
    POSTERN_LET(poller, Poller::create());
    impl.poller = std::move(poller);
    POSTERN_TRY(
        impl.poller->add(static_cast<int>(impl.listener.impl()->sockfd()), kListenToken, true, false));
    impl.params = new Poco::Net::HTTPServerParams;
    impl.params->setTimeout(Poco::Timespan(impl.options.silence.count() * 1000));
    impl.params->setKeepAliveTimeout(Poco::Timespan(impl.options.silence.count() * 1000));
    impl.params->setMaxKeepAliveRequests(kKeptRequests);
    impl.factory = new Factory(impl.site, impl.stopping);
    impl.stopping = false;
    impl.running = true;
    impl.thread = std::jthread([this] {
        nameThisThread("http");
        impl_->acceptLoop();
    });
    return {};
}

void HttpServer::Impl::acceptLoop() {
    const int handle = static_cast<int>(listener.impl()->sockfd());
    while (!stopping) {
        const bool waiting = !poller->wait(kLongWait).empty();
        connections.remove_if([](const auto& connection) { return connection->done.load(); });
        if (!waiting || stopping || acceptOne()) continue;
        // The waiting client stays readable for ever: look away for a moment instead of spinning.
        if (!poller->change(handle, kListenToken, false, false).ok()) continue;
        poller->wait(kPause);
        if (const auto again = poller->change(handle, kListenToken, true, false); !again.ok())
            LogLine(LogEvent::ControlRefused).with("error", again.error().text);
    }
}

bool HttpServer::Impl::acceptOne() {
    try {
        admit(listener.acceptConnection());
        return true;
    } catch (const std::exception& error) {
        LogLine(LogEvent::ControlRefused).with("error", error.what());
        return false;
    }
}

void HttpServer::Impl::refuse(Poco::Net::StreamSocket& socket) {
    constexpr std::string_view kBusy =
        "HTTP/1.1 503 Service Unavailable\r\nRetry-After: 5\r\nContent-Length: 0\r\nConnection: "
        "close\r\n\r\n";
    socket.setBlocking(false);
    socket.sendBytes(kBusy.data(), static_cast<int>(kBusy.size()));  // an empty buffer takes it at once
    LogLine(LogEvent::ControlRefused).with("error", "too many connections");
}

void HttpServer::Impl::admit(Poco::Net::StreamSocket socket) {
    if (connections.size() >= static_cast<std::size_t>(options.connections)) return refuse(socket);
    socket.setBlocking(true);
    socket.setSendTimeout(Poco::Timespan(options.silence.count() * 1000));
    connections.push_back(std::make_unique<Connection>(std::move(socket)));
    Connection* connection = connections.back().get();
    try {
        connection->thread = std::jthread([this, connection] { serve(*connection); });
    } catch (const std::system_error&) {
        connections.pop_back();  // no thread to be had
        throw;
    }
}

void HttpServer::Impl::serve(Connection& connection) {
    nameThisThread("http-client");
    try {
        Poco::Net::HTTPServerConnection http(connection.socket, params, factory);
        http.run();
    } catch (const std::exception&) {
        // The client went away in the middle of something: nobody is left to tell.
    }
    connection.done = true;
    poller->wake();
}

void HttpServer::stop() {
    Impl& impl = *impl_;
    if (!impl.running) return;
    impl.running = false;
    impl.stopping = true;
    impl.poller->wake();
    impl.thread.join();
    for (const auto& connection : impl.connections) {
        try {
            connection->socket.shutdownReceive();  // what is being answered is still sent
        } catch (const Poco::Exception&) {
            // It has ended already.
        }
    }
    impl.connections.clear();  // joins
    impl.listener.close();
    if (impl.options.socketPath.empty()) return;
    if (const auto removed = removeFile(impl.options.socketPath); !removed.ok())
        LogLine(LogEvent::ControlRefused).with("error", removed.error().text);
}

}  // namespace postern::http
