#pragma once
// Sockets as an event loop needs them: non-blocking, without exceptions, and without Poco's types in a
// header. Thread rule: one thread at a time.

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/result.h"
#include "net/tls_context.h"
#include "net/tls_facts.h"
#include "net/tls_stream.h"

namespace Poco::Net {
class ServerSocket;
class StreamSocket;
}  // namespace Poco::Net

namespace postern::net {

// One connection, in the clear until startTls().
// REQUIRES: the process ignores SIGPIPE.
class Wire {
  public:
    explicit Wire(std::unique_ptr<Poco::Net::StreamSocket> socket);
    Wire(Wire&&) noexcept;
    Wire& operator=(Wire&&) noexcept;
    ~Wire();  // closes

    int handle() const;
    // Bytes received or sent; 0: none now; -1: the other side is gone.
    int receive(char* into, std::size_t size);
    int send(std::string_view bytes);
    void endSending();  // the other side reads to the end; it may still send

    // Becomes the server's side of TLS: nothing but handshake() until that says Done. False: no memory.
    bool startTls(const TlsContext& context);
    // The client's side, for a server of that name (or IP address); the rest as above.
    bool startTlsAsClient(const TlsClientContext& context, const std::string& name);
    // When it wants to read or write, call it again when the socket is ready for that. After Failed, what the
    // other side still sends can be received, raw, and nothing can be sent.
    Handshake handshake();
    const std::string& tlsTrouble() const { return trouble_; }  // why the handshake failed
    TlsFacts tlsFacts() const;                                  // REQUIRES: the handshake is done
    ServerPaper serverPaper() const;                            // likewise, on the client's side

    // What to ask a poller for, besides the plain thing. TLS may have to send before it can go on receiving
    // (a change of keys), and the other way round.
    bool receiveWantsWrite() const { return tls_ && tls_->receiveWantsWrite(); }
    bool sendWantsRead() const { return tls_ && tls_->sendWantsRead(); }
    // Bytes that came in are inside the TLS library: receive() has more although the socket may stay silent.
    bool holdsInput() const { return tls_ && tls_->holdsInput(); }

    // For callers without a poller: true when one of the two asked for (or an error) is there, false after
    // `limit`.
    bool wait(bool read, bool write, Millis limit);
    // What the system has taken from us in all, TLS's own bytes included: when it did not grow, nothing of
    // what was to be sent can have left.
    std::uint64_t handedBytes() const { return handed_ + (tls_ ? tls_->handedBytes() : 0); }

  private:
    std::unique_ptr<Poco::Net::StreamSocket> socket_;
    std::unique_ptr<TlsStream> tls_;  // destroyed before its socket
    std::string trouble_;
    std::uint64_t handed_ = 0;
    bool mute_ = false;
};

struct Accepted {
    Wire wire;
    std::string name;     // "192.0.2.1:4711", "[2001:db8::1]:4711", "local": for people
    std::string address;  // without port and brackets; empty on a Unix socket
};

// Where an Ear listens: a Unix socket, or a host and a port.
struct EarPlace {
    std::string host{};
    int port = 0;              // 0: any free one
    std::string socketPath{};  // not empty: a Unix socket, and host and port do not count
    unsigned socketMode = 0660;
    std::string socketOwner{};  // "user:group" as setFileOwner() takes it; empty: the process's
};

// Listening sockets that the service manager opened for us, by their handles: from now on an Ear for the
// place of one of them takes it instead of binding. Returns why one can not be used, if any; it is closed.
// Thread rule: these two from any thread.
std::vector<std::string> offerSockets(const std::vector<int>& handles);
// The places of those that no Ear has taken: "0.0.0.0:25", "unix:/run/postern/lmtp.sock".
std::vector<std::string> untakenSockets();

// One listening socket.
class Ear {
  public:
    // Binds and listens, or takes a socket that was offered. A Unix socket's file that nobody listens at is
    // removed first; a file that is no socket never is: Exists. Busy: another process listens there. Invalid:
    // the path is too long.
    static Result<Ear> open(const EarPlace& place);
    Ear(Ear&&) noexcept;
    Ear& operator=(Ear&&) noexcept;
    ~Ear();  // closes, and removes the Unix socket's file when it made it

    int handle() const;
    int port() const { return port_; }  // the bound one; 0 for a Unix socket
    // Nothing when the peer is gone again. An Error: the system has no connection to give (Unavailable), or
    // the listening socket itself is at fault. Look again later in both cases, and not at its events until
    // then: they would come without end.
    Result<std::optional<Accepted>> accept();
    // The same for callers that talk to a library with it; it does not block. Null when the peer is gone.
    Result<std::unique_ptr<Poco::Net::StreamSocket>> acceptSocket();
    // Of an Error of these: whether it is another one than the last since somebody came. For the log, which
    // is told once of what stays.
    bool isNews(const Error& trouble);

  private:
    Ear(std::unique_ptr<Poco::Net::ServerSocket> socket, bool local, std::string ownPath);
    std::unique_ptr<Poco::Net::ServerSocket> socket_;
    bool local_ = false;
    std::string ownPath_;
    int port_ = 0;
    std::string trouble_;  // of the last accept(), as isNews() has heard of it
};

}  // namespace postern::net
