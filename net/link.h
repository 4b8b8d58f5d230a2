#pragma once
// A connection that we begin: one thread talks, with a deadline for each step, and in the clear until
// startTls(). Waits are sliced: `Waiting` is called at least once a second, so that a caller can keep a lease
// alive; it must not block.
//
// Errors: Errc::Unavailable when the other side can not be reached or went away, Errc::Busy when a deadline
// passed, Errc::Stopped when it may wait no longer (endWith), Errc::Invalid when it broke a rule (a line over
// the limit). After any error but resolve()'s the Link is good for nothing.
// Thread rule: one thread at a time. REQUIRES: the process ignores SIGPIPE.

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "net/wire.h"

namespace postern::net {

using Waiting = std::function<void()>;

// Where to. Made by resolve(), one for each address of a name.
struct Endpoint {
    std::string address;  // numeric, without brackets
    int port = 0;
    std::string socketPath = {};  // not empty: a Unix socket
    std::string shown = {};       // "mx.example[192.0.2.1]:25", "unix:/run/lmtp": for people
};

// The addresses of a host, at most 16, in the order the system gives them; a numeric one is itself. Blocks as
// long as the system's resolver does.
Result<std::vector<Endpoint>> resolve(const std::string& host, int port);
Endpoint unixEndpoint(const std::string& path);

class Link {
  public:
    // `source`: the numeric address to call from; empty: the system's choice. `ending` as for endWith().
    static Result<std::unique_ptr<Link>> connect(const Endpoint& to, const std::string& source, Millis limit,
                                                 const Waiting& waiting,
                                                 const std::atomic<bool>* ending = nullptr,
                                                 Clock& clock = Clock::system());
    ~Link();  // closes at once: what was not sent is not sent

    // Once `*ending` is true no wait lasts longer than a second. Null: only the deadlines count.
    // REQUIRES: it outlives the Link.
    void endWith(const std::atomic<bool>* ending) { ending_ = ending; }
    Clock& clock() const { return *clock_; }

    // One line without its end (CRLF, or a bare LF as old servers send it). `most`: its longest length.
    Result<std::string> readLine(std::size_t most, Millis limit, const Waiting& waiting) {
        return readLineBy(most, clock_->steady() + limit, limit, waiting);
    }
    // Likewise, with one deadline for several lines; `limit` is only said in the error.
    Result<std::string> readLineBy(std::size_t most, SteadyTime end, Millis limit, const Waiting& waiting);
    // Up to `most` bytes as soon as there are some; empty: the other side has ended.
    Result<std::string> readSomeBy(std::size_t most, SteadyTime end, Millis limit, const Waiting& waiting);
    // All of it, or an Error. `limit` counts anew whenever something was taken. When the other side speaks
    // while it does not take our bytes, that is Errc::Exists: read what it says (KB Q152940).
    // Meanwhile::Answers: they are expected while we write (pipelining), and are kept for readLine().
    // After a write that failed nothing is ever written again: TLS may hold a part of it back that the next
    // would push out.
    enum class Meanwhile { Silence, Answers };
    Result<void> write(std::string_view bytes, Millis limit, const Waiting& waiting,
                       Meanwhile meanwhile = Meanwhile::Silence);
    // The client's side of TLS; nothing may have come in before it (CVE-2011-0411).
    Result<void> startTls(const TlsClientContext& context, const std::string& name, Millis limit,
                          const Waiting& waiting);

    // Nothing came in that was not read, and the other side has not closed: looks, and waits for nothing.
    bool quiet();
    bool secure() const { return secure_; }
    ServerPaper serverPaper() const { return wire_.serverPaper(); }  // REQUIRES: secure()
    // See Wire: bytes that the system took from us.
    std::uint64_t handedBytes() const { return wire_.handedBytes(); }
    const std::string& peer() const { return peer_; }

  private:
    class Patience;
    Link(Wire wire, std::string peer, Clock& clock)
        : wire_(std::move(wire)), peer_(std::move(peer)), clock_(&clock) {}
    // Takes what has come in; false: nothing. Sets gone_ at the end.
    bool take();
    Error gone() const;
    bool ended() const;
    Error late(Millis limit) const;  // or that we may not wait
    Result<void> writeAll(std::string_view bytes, Millis limit, const Waiting& waiting, Meanwhile meanwhile);

    Wire wire_;
    std::string peer_;
    Clock* clock_;
    const std::atomic<bool>* ending_ = nullptr;
    std::string input_;
    bool gone_ = false;
    bool mute_ = false;  // a write failed
    bool secure_ = false;
};

}  // namespace postern::net
