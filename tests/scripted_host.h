#pragma once
// A host on loopback for a test of a client: each connection is played by a function on a thread of its own.
// The reading has a deadline, so that a broken client fails a test and hangs none.

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "base/sync.h"

namespace Poco::Net {
class ServerSocket;
class StreamSocket;
}  // namespace Poco::Net

namespace postern::tests {

// The host's end of one connection.
class HostTalk {
  public:
    explicit HostTalk(std::unique_ptr<Poco::Net::StreamSocket> socket);
    ~HostTalk();

    void say(const std::string& bytes);
    // Without its CRLF, which must be there: a bare LF is part of the line. Nothing: the client is gone, or
    // said nothing for the deadline.
    std::optional<std::string> line();
    // Up to `text`, which need not be a line; false as for line().
    bool until(const std::string& text);
    // Everything up to the end of the connection.
    std::string rest();
    void close();
    void reset();  // RST instead of a proper end

  private:
    bool more();
    std::unique_ptr<Poco::Net::StreamSocket> socket_;
    std::string input_;
};

class ScriptedHost {
  public:
    using Play = std::function<void(HostTalk&, int connection)>;  // connections are counted from 1

    explicit ScriptedHost(Play play, const std::string& socketPath = {});
    ~ScriptedHost();  // waits for its plays

    int port() const { return port_; }
    std::string place() const;  // "127.0.0.1:4711" or "unix:/path"
    int connections() const;
    // Connections made from now on are refused: the port is closed.
    void leave();

  private:
    void listen(const std::stop_token& stop);

    const Play play_;
    const std::string path_;
    int port_ = 0;
    mutable Mutex mutex_;
    std::unique_ptr<Poco::Net::ServerSocket> socket_ GUARDED_BY(mutex_);
    int count_ GUARDED_BY(mutex_) = 0;
    std::vector<std::jthread> plays_;  // of the listening thread until that has ended
    std::jthread listener_;
};

}  // namespace postern::tests
