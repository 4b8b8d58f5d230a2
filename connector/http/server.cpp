#include "connector/http/server.h"

#include <algorithm>
#include <atomic>

#include <Poco/Exception.h>
#include <Poco/Net/HTTPRequestHandler.h>
#include <Poco/Net/HTTPRequestHandlerFactory.h>
#include <Poco/Net/HTTPServerConnection.h>
#include <Poco/Net/HTTPServerParams.h>
#include <Poco/Net/HTTPServerRequest.h>
#include <Poco/Net/HTTPServerResponse.h>
#include <Poco/Net/StreamSocket.h>
#include <Poco/Net/StreamSocketImpl.h>
#include <Poco/URI.h>

#include "base/socket_grip.h"
#include "net/socket_server.h"

namespace postern::http {

namespace {

constexpr int kKeptRequests = 100;  // of one connection

using Poco::Net::HTTPServerRequest;
using Poco::Net::HTTPServerResponse;

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
    const bool numbered =
        peer.family() == Poco::Net::SocketAddress::IPv4 || peer.family() == Poco::Net::SocketAddress::IPv6;
    into.peer = numbered ? peer.host().toString() : "local";
    return readBody(from, into.body);
}

bool isKnown(const std::string& version) {
    return version == HTTPServerRequest::HTTP_1_0 || version == HTTPServerRequest::HTTP_1_1;
}

class Handler final : public Poco::Net::HTTPRequestHandler {
  public:
    Handler(Site& site, const std::atomic<bool>& stopping) : site_(site), stopping_(stopping) {}

    void handleRequest(HTTPServerRequest& request, HTTPServerResponse& response) override {
        HttpRequest asked;
        HttpAnswer answer;
        if (!isKnown(request.getVersion())) {
            response.setKeepAlive(false);
            return give({505, "text/plain; charset=utf-8", {}, "HTTP/1.0 and 1.1 are understood here.\n", {}},
                        false, response);
        }
        bool read = false;
        try {
            read = readRequest(request, asked);
        } catch (const Poco::Exception&) {
            // A path or header that is none: told below.
        }
        asked.ending = &stopping_;
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
    Poco::Net::HTTPRequestHandler* createRequestHandler(const HTTPServerRequest& request) override {
        // Answers begin with the version that the client said, whatever it is; the first one is a
        // "100 Continue" that Poco gives before the handler is called.
        if (!isKnown(request.getVersion())) request.response().setVersion(HTTPServerResponse::HTTP_1_1);
        return new Handler(site_, stopping_);  // Poco deletes it
    }

  private:
    Site& site_;
    const std::atomic<bool>& stopping_;
};

// A client's socket for Poco, whose wait for the next request ends with the server also where the end of the
// connection wakes nobody (SocketGrip::longestWait()). The handle stays its owner's.
class WaitingSocket final : public Poco::Net::StreamSocketImpl {
  public:
    WaitingSocket(const Poco::Net::StreamSocket& owner, const std::atomic<bool>& stopping)
        : StreamSocketImpl(owner.impl()->sockfd()), stopping_(stopping) {}

    void close() override { reset(); }
    bool poll(const Poco::Timespan& timeout, int mode) override {
        for (Millis left{timeout.totalMilliseconds()};;) {
            const Millis slice = SocketGrip::longestWait(left);
            if (StreamSocketImpl::poll(Poco::Timespan(slice.count() * 1000), mode)) return true;
            left -= slice;
            if (left <= Millis(0) || stopping_) return false;
        }
    }

  private:
    ~WaitingSocket() override { reset(); }

    const std::atomic<bool>& stopping_;
};

void refuse(Poco::Net::StreamSocket& socket) {
    constexpr std::string_view kBusy =
        "HTTP/1.1 503 Service Unavailable\r\nRetry-After: 5\r\nContent-Length: 0\r\nConnection: "
        "close\r\n\r\n";
    try {
        socket.sendBytes(kBusy.data(), static_cast<int>(kBusy.size()));  // an empty buffer takes it at once
    } catch (const Poco::Exception&) {
        // It has gone again.
    }
}

}  // namespace

struct HttpServer::Impl {
    Impl(const ServerOptions& wanted, Site& site)
        : silence(wanted.silence.count() * 1000),
          params(new Poco::Net::HTTPServerParams),
          factory(new Factory(site, stopping)),
          server(
              {{.host = wanted.host, .port = wanted.port, .socketPath = wanted.socketPath},
               "http",
               wanted.connections,
               wanted.patience},
              [this](Poco::Net::StreamSocket& socket) { serve(socket); }, refuse) {
        params->setTimeout(silence);
        params->setKeepAliveTimeout(silence);
        params->setMaxKeepAliveRequests(kKeptRequests);
    }

    void serve(Poco::Net::StreamSocket& socket) {
        try {
            socket.setBlocking(true);
            socket.setSendTimeout(silence);
            const Poco::Net::StreamSocket waiting(new WaitingSocket(socket, stopping));
            Poco::Net::HTTPServerConnection http(waiting, params, factory);
            http.run();
        } catch (const Poco::Exception&) {
            // The client went away in the middle of something: nobody is left to tell.
        }
    }

    const Poco::Timespan silence;
    std::atomic<bool> stopping{false};
    Poco::Net::HTTPServerParams::Ptr params;
    Poco::Net::HTTPRequestHandlerFactory::Ptr factory;
    net::SocketServer server;  // the last member: it calls what stands before it
};

HttpServer::HttpServer(ServerOptions options, Site& site) : impl_(std::make_unique<Impl>(options, site)) {}

HttpServer::~HttpServer() {
    stop();
}

int HttpServer::port() const {
    return impl_->server.port();
}

Result<void> HttpServer::start() {
    impl_->stopping = false;
    return impl_->server.start();
}

void HttpServer::stop() {
    impl_->stopping = true;
    impl_->server.stop();
}

}  // namespace postern::http
