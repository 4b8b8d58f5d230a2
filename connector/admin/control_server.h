#pragma once
// The service's end of the control socket: a Unix stream socket with mode 0660, whose folder and group decide
// who may connect, or what stands for it where there are none (control_door.h); the handler is told who does
// (Request::who, master). Each connection has a thread of its
// own, at most `connections` at once (more are told "busy"); a client that is silent or does not read loses
// its connection at its deadline and delays nobody.
//
// Thread rule: start() and stop() from one thread; the handler is called from several threads at once.

#include <memory>
#include <string>

#include "base/clock.h"
#include "connector/admin/control.h"
#include "connector/admin/control_door.h"

namespace postern::admin {

struct ControlOptions {
    int connections = 16;
    Millis silence{30'000};  // longest wait for the client to send or to take bytes
    DoorKind door = usualDoor();
};

class ControlServer {
  public:
    ControlServer(std::string socketPath, Handler handler, Clock& clock, ControlOptions options = {});
    ~ControlServer();  // stops

    // Busy when another process answers on that socket; a dead socket file is replaced. Exists when the path
    // is something else than a socket: it is left alone.
    Result<void> start();
    // Ends waiting connections at once and gives those that are being answered two seconds, as
    // net::SocketServer does; a command that is being carried out is waited for. Removes the socket.
    void stop();

  private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace postern::admin
