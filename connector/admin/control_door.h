#pragma once
// Where the operators' tools meet the service. That is a Unix socket where there are such, whose folder, mode
// and group decide who may come in, and the system says who does. Where there are none (Windows) it is a port
// of 127.0.0.1 that the system chooses, and a file at the place of the socket that names it, with a key that
// each start makes anew:
//
//     postern-control-1 PORT KEY\n           (64 hex digits)
//
// Who may read the file may come in; who may make a file beside it could do to us whatever it likes, and is
// master. The key itself is never sent. Each side proves that it knows it (HMAC-SHA-256, RFC 2104) before it
// says anything else, so that a program that took the port of a service which was killed learns nothing and
// is found out:
//
//     client:  postern-control-1 NONCE-C\n
//     server:  NONCE-S HMAC(key, "server" NONCE-C NONCE-S)\n
//     client:  HMAC(key, "client" NONCE-C NONCE-S) guest|master\n
//
// A master has made the file PATH.P, P being the first 16 digits of HMAC(key, "master" NONCE-C NONCE-S); the
// server removes it.
//
// Thread rule: ControlDoor: prepare(), open() and close() from one thread, admit() from many while it is
// open. enterDoor(): any thread.

#include <optional>
#include <string>

#include "connector/admin/channel.h"
#include "net/wire.h"

namespace postern::admin {

enum class DoorKind { Socket, File };
DoorKind usualDoor();  // of this system

class ControlDoor {
  public:
    ControlDoor(std::string path, DoorKind kind) : path_(std::move(path)), kind_(kind) {}

    net::EarPlace place() const;  // where to listen
    // Before that. Busy when a service answers there, Exists when the path is something else than such a
    // file: it is left alone. For a socket net::Ear does all this.
    Result<void> prepare();
    Result<void> open(int port);  // behind that: says it to whom it may concern
    void close();                 // the file is gone: nobody is shown in any more

    struct Guest {
        bool master = false;
    };
    // The first thing to do with a connection. Nothing: the system itself knows who comes by a socket.
    // Denied, or what went wrong: say nothing to it.
    Result<std::optional<Guest>> admit(Channel& channel) const;

  private:
    const std::string path_;
    const DoorKind kind_;
    std::string key_;
    bool open_ = false;
};

// The client's side: connects `socket`, which does not block afterwards, and proves who we are over
// `channel`, which is on it. NotFound when no service is there, whatever lies at `path`; Denied when we may
// not.
Result<void> enterDoor(const std::string& path, Poco::Net::StreamSocket& socket, Channel& channel);

}  // namespace postern::admin
