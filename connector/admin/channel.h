#pragma once
// Lines and bytes over a connected, non-blocking socket, each step within a deadline. Thread rule: one thread
// at a time.

#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "connector/admin/control.h"

namespace Poco::Net {
class StreamSocket;
}

namespace postern::admin {

class Channel {
  public:
    // REQUIRES: the socket outlives the channel. A step that sees no progress for `silence` fails.
    Channel(Poco::Net::StreamSocket& socket, Millis silence);

    // Without its line end; nothing when the other side ended before a line began. Invalid when longer than
    // `limit`, Unavailable when the line did not come whole within `silence`.
    Result<std::optional<std::string>> readLine(std::size_t limit) { return readLine(limit, silence_); }
    Result<std::optional<std::string>> readLine(std::size_t limit, Millis within);
    Result<std::size_t> readSome(char* into, std::size_t size);  // 0: the other side has ended
    Result<void> write(std::string_view bytes);                  // all of it

  private:
    Result<bool> fill(SteadyTime deadline);  // false: the other side has ended
    Poco::Net::StreamSocket& socket_;
    const Millis silence_;
    std::string buffer_;  // read, not yet taken
};

// The chunks behind a request, as one stream.
class ChunkReader final : public ByteStream {
  public:
    explicit ChunkReader(Channel& channel) : channel_(channel) {}
    Result<std::size_t> read(char* into, std::size_t size) override;
    bool ended() const { return ended_; }

  private:
    Result<void> nextChunk();
    Channel& channel_;
    std::size_t left_ = 0;
    bool ended_ = false;
};
Result<void> writeChunk(Channel& channel, std::string_view bytes);  // an empty one ends the stream

}  // namespace postern::admin
