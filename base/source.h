#pragma once
// Bytes that are read when needed: a message of 50 MB passes through without ever being in memory.

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/file.h"
#include "base/result.h"

namespace postern {

// Random access to a fixed run of bytes. Thread rule: one thread at a time.
class ByteSource {
  public:
    virtual ~ByteSource() = default;
    virtual std::int64_t size() const = 0;
    // Reads up to `size` bytes at `offset`; 0 only at the end.
    virtual Result<std::size_t> readAt(std::int64_t offset, char* into, std::size_t size) = 0;
    // The whole as one view when it is in memory already; empty otherwise (also when size() is 0).
    virtual std::string_view inMemory() const { return {}; }
};

class StringSource final : public ByteSource {
  public:
    explicit StringSource(std::string bytes) : bytes_(std::move(bytes)) {}
    std::int64_t size() const override { return static_cast<std::int64_t>(bytes_.size()); }
    Result<std::size_t> readAt(std::int64_t offset, char* into, std::size_t size) override;
    std::string_view inMemory() const override { return bytes_; }

  private:
    std::string bytes_;
};

class FileSource final : public ByteSource {
  public:
    static Result<std::unique_ptr<ByteSource>> open(const std::string& path);
    std::int64_t size() const override { return size_; }
    Result<std::size_t> readAt(std::int64_t offset, char* into, std::size_t size) override;

  private:
    FileSource(File file, std::int64_t size) : file_(std::move(file)), size_(size) {}
    File file_;
    std::int64_t size_;
};

// Calls `sink(std::string_view) -> Result<void>` with the bytes in order, in chunks of at most 64 KiB.
template <class Sink>
Result<void> copyAll(ByteSource& source, Sink&& sink) {
    if (const std::string_view whole = source.inMemory(); !whole.empty()) return sink(whole);
    const auto chunk = std::make_unique<char[]>(65536);
    for (std::int64_t offset = 0; offset < source.size();) {
        POSTERN_LET(got, source.readAt(offset, chunk.get(), 65536));
        if (got == 0) return fail(Errc::Io, "the message body ends early");
        POSTERN_TRY(sink(std::string_view(chunk.get(), got)));
        offset += static_cast<std::int64_t>(got);
    }
    return {};
}

Result<std::string> readAll(ByteSource& source, std::size_t limit);  // NoSpace when longer than `limit`

}  // namespace postern
