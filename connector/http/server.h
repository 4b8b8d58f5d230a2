#pragma once
// HTTP/1.1 for a Site on one address of this machine, or a Unix socket with mode 0660. Each connection has a
// thread; at most `connections` at once, more are told 503. A client that is silent or does not read loses
// its connection and delays nobody.
//
// Thread rule: start() and stop() from one thread; the site is called from several at once.

#include <memory>
#include <string>

#include "base/clock.h"
#include "base/result.h"
#include "connector/http/message.h"

namespace postern::http {

struct ServerOptions {
    std::string host;        // a loopback address; empty with a socket path
    int port = 0;            // 0: any free one
    std::string socketPath;  // a Unix socket instead
    int connections = 48;
    Millis silence{30'000};  // longest wait for the client to send or to take bytes
    Millis patience{2'000};  // of stop(), for answers that are being made or sent
};

class HttpServer {
  public:
    // REQUIRES: `site` outlives the server.
    HttpServer(ServerOptions options, Site& site);
    ~HttpServer();  // stops

    Result<void> start();
    int port() const;  // the bound one; 0 with a Unix socket
    // Ends waiting connections and streams at once and gives those that are being answered `patience`, as
    // net::SocketServer does; a command that is being carried out is waited for (see HttpRequest::ending).
    void stop();

  private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace postern::http
