#pragma once
// One listening address whose clients have a thread each, at most so many at once: the control socket and
// HTTP stand on it. (Mail comes in over connector/intake, which serves thousands with a few threads.)
//
// stop() is bounded. It asks first: nobody is let in any more, and whoever waits for a client's next request
// reads to the end; what is being answered goes on. After `patience` it ends the connections both ways, so
// that a client which does not read holds nothing up. Only work that looks at its socket never again is
// waited for. Where asking wakes nobody (Windows), who waits for a request has to look again after
// SocketGrip::longestWait(), or is ended after `patience`.
//
// Thread rule: start(), stop() and port() from one thread; Serve is called on many at once, Refuse on one.

#include <functional>
#include <memory>
#include <string>

#include "base/clock.h"
#include "base/result.h"
#include "net/wire.h"

namespace postern::net {

struct SocketServerOptions {
    EarPlace place;
    std::string name;        // of the threads, "http" and "http-client", and in the log
    int connections = 16;    // at once
    Millis patience{2'000};  // of stop(), for answers that are still being made or sent
};

class SocketServer {
  public:
    // Serves one client and returns when it is over; the connection is ended then. The socket does not block
    // at first. An exception ends that connection only.
    using Serve = std::function<void(Poco::Net::StreamSocket& socket)>;
    // Tells one client too many why it is not served. The socket does not block: an empty buffer takes a
    // line at once. Must not throw.
    using Refuse = std::function<void(Poco::Net::StreamSocket& socket)>;

    SocketServer(SocketServerOptions options, Serve serve, Refuse refuse);
    ~SocketServer();  // stops

    // Errors: Ear::open()'s. May be called again after a stop().
    Result<void> start();
    // Real time, whatever clock the rest has. The file of a Unix socket is removed when all have ended.
    void stop();
    int port() const;  // the bound one; 0 for a Unix socket, and while it does not run

  private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace postern::net
