#include "connector/admin/channel.h"

#include <algorithm>
#include <chrono>
#include <cstring>

#include <Poco/Exception.h>
#include <Poco/Net/StreamSocket.h>
#include <Poco/Timespan.h>

#include "base/socket_grip.h"
#include "base/text.h"

namespace postern::admin {

namespace {

constexpr std::size_t kChunkLimit = 1 << 20;
constexpr std::size_t kReadSize = 65536;

Error silent() {
    return fail(Errc::Unavailable, "the other side of the control socket is silent");
}

Error broken(const Poco::Exception& error) {
    return fail(Errc::Unavailable, "control socket: " + error.displayText());
}

SteadyTime deadlineIn(Millis time) {
    return std::chrono::steady_clock::now() + time;
}

// Real time on purpose: a socket does not know the clock of a test.
Poco::Timespan leftUntil(SteadyTime deadline) {
    const auto left =
        std::chrono::duration_cast<std::chrono::microseconds>(deadline - std::chrono::steady_clock::now());
    return Poco::Timespan(std::max<std::int64_t>(0, left.count()));
}

// Whoever ends this connection from another thread is noticed after one of these.
Poco::Timespan sliceOf(Poco::Timespan left) {
    return Poco::Timespan(SocketGrip::longestWait(Millis(left.totalMilliseconds() + 1)).count() * 1000);
}

// What the socket takes now; -1: nothing.
int sendSome(Poco::Net::StreamSocket& socket, std::string_view bytes) {
    try {
        return socket.sendBytes(bytes.data(), static_cast<int>(std::min(bytes.size(), kReadSize)));
    } catch (const Poco::Exception& error) {
        // Poco 1.11 throws when a non-blocking socket is full.
        if (error.code() == POCO_EWOULDBLOCK || error.code() == POCO_EAGAIN) return -1;
        throw;
    }
}

}  // namespace

Channel::Channel(Poco::Net::StreamSocket& socket, Millis silence) : socket_(socket), silence_(silence) {}

Result<bool> Channel::fill(SteadyTime deadline) {
    try {
        for (;;) {
            const Poco::Timespan left = leftUntil(deadline);
            const bool ready = socket_.poll(sliceOf(left), Poco::Net::Socket::SELECT_READ);
            if (!ready && left.totalMicroseconds() <= 0) return silent();
            const std::size_t had = buffer_.size();
            buffer_.resize(had + kReadSize);
            const int got = socket_.receiveBytes(buffer_.data() + had, static_cast<int>(kReadSize));
            buffer_.resize(had + static_cast<std::size_t>(std::max(got, 0)));
            if (got >= 0) return got != 0;
        }
    } catch (const Poco::Exception& error) {
        return broken(error);
    }
}

Result<std::optional<std::string>> Channel::readLine(std::size_t limit, Millis within) {
    const SteadyTime deadline = deadlineIn(within);
    for (std::size_t searched = 0;;) {
        const auto end = buffer_.find('\n', searched);
        if (std::min(end, buffer_.size()) > limit)
            return fail(Errc::Invalid, "the line is longer than " + std::to_string(limit) + " bytes");
        if (end != std::string::npos) {
            std::optional<std::string> line(buffer_.substr(0, end));
            buffer_.erase(0, end + 1);
            return line;
        }
        searched = buffer_.size();
        POSTERN_LET(more, fill(deadline));
        if (!more && buffer_.empty()) return std::optional<std::string>();
        if (!more) return fail(Errc::Unavailable, "the connection ended inside a line");
    }
}

Result<std::size_t> Channel::readSome(char* into, std::size_t size) {
    if (buffer_.empty()) {
        POSTERN_LET(more, fill(deadlineIn(silence_)));
        if (!more) return std::size_t{0};
    }
    const std::size_t taken = std::min(size, buffer_.size());
    std::memcpy(into, buffer_.data(), taken);
    buffer_.erase(0, taken);
    return taken;
}

Result<void> Channel::write(std::string_view bytes) {
    try {
        SteadyTime deadline = deadlineIn(silence_);
        while (!bytes.empty()) {
            const int sent = sendSome(socket_, bytes);
            if (sent > 0) {
                bytes.remove_prefix(static_cast<std::size_t>(sent));
                deadline = deadlineIn(silence_);
                continue;
            }
            const Poco::Timespan left = leftUntil(deadline);
            if (left.totalMicroseconds() <= 0) return silent();
            (void)socket_.poll(sliceOf(left), Poco::Net::Socket::SELECT_WRITE);
        }
    } catch (const Poco::Exception& error) {
        return broken(error);
    }
    return {};
}

Result<void> ChunkReader::nextChunk() {
    POSTERN_LET(line, channel_.readLine(20));
    const auto size = line ? parseInt(*line) : std::nullopt;
    if (!line) return fail(Errc::Unavailable, "the connection ended before the bytes were complete");
    if (!size || *size < 0 || *size > static_cast<std::int64_t>(kChunkLimit))
        return fail(Errc::Invalid,
                    "a chunk must begin with its size, at most " + std::to_string(kChunkLimit));
    left_ = static_cast<std::size_t>(*size);
    ended_ = left_ == 0;
    return {};
}

Result<std::size_t> ChunkReader::read(char* into, std::size_t size) {
    if (!ended_ && left_ == 0) POSTERN_TRY(nextChunk());
    if (ended_ || size == 0) return std::size_t{0};
    POSTERN_LET(got, channel_.readSome(into, std::min(size, left_)));
    if (got == 0) return fail(Errc::Unavailable, "the connection ended before the bytes were complete");
    left_ -= got;
    return got;
}

Result<void> writeChunk(Channel& channel, std::string_view bytes) {
    std::string framed = std::to_string(bytes.size()) + "\n";
    framed.append(bytes);
    return channel.write(framed);
}

}  // namespace postern::admin
