#pragma once
// A view that slides over a ByteSource: everything at once when it is in memory, one buffer otherwise.
// Internal to this room. Thread rule: one thread.

#include <algorithm>
#include <cstring>
#include <memory>
#include <string_view>

#include "base/source.h"

namespace postern::mail {

class Window {
  public:
    // `buffer`: bytes read at a time, at least twice what at() is asked for; less for a small part.
    explicit Window(ByteSource& source, std::int64_t buffer = kBuffer)
        : source_(source),
          whole_(source.inMemory()),
          size_(static_cast<std::size_t>(std::clamp<std::int64_t>(buffer, 1, kBuffer))) {}

    std::int64_t size() const { return source_.size(); }

    // The bytes from `offset` on: at least `want` of them, or all up to the end. Valid until the next call.
    // REQUIRES: 0 <= offset <= size(), want <= kMostWanted.
    Result<std::string_view> at(std::int64_t offset, std::size_t want) {
        if (!whole_.empty()) return whole_.substr(static_cast<std::size_t>(offset));
        const std::int64_t left = source_.size() - offset;
        const std::int64_t needed = std::min<std::int64_t>(static_cast<std::int64_t>(want), left);
        if (offset < start_ || offset + needed > start_ + static_cast<std::int64_t>(filled_))
            POSTERN_TRY(fill(offset));
        const auto skip = static_cast<std::size_t>(offset - start_);
        return std::string_view(buffer_.get() + skip, filled_ - skip);
    }

    static constexpr std::size_t kMostWanted = 128 * 1024;

  private:
    static constexpr std::int64_t kBuffer = 2 * kMostWanted;

    Result<void> fill(std::int64_t offset) {
        if (!buffer_) buffer_ = std::make_unique_for_overwrite<char[]>(size_);
        start_ = offset;
        filled_ = 0;
        while (filled_ < size_ && offset + static_cast<std::int64_t>(filled_) < source_.size()) {
            POSTERN_LET(got, source_.readAt(offset + static_cast<std::int64_t>(filled_),
                                            buffer_.get() + filled_, size_ - filled_));
            if (got == 0) return fail(Errc::Io, "the message ends early");
            filled_ += got;
        }
        return {};
    }

    ByteSource& source_;
    std::string_view whole_;
    std::size_t size_;
    std::unique_ptr<char[]> buffer_;
    std::int64_t start_ = 0;
    std::size_t filled_ = 0;
};

}  // namespace postern::mail
