#include "adapters/spool/staged_file.h"

#include <cstring>

namespace postern::adapters {

namespace {
constexpr std::size_t kBufferBytes = 64 * 1024;
}

Result<void> StagedFile::check(Result<void> result) {
    beat_();
    refused_ = refused_ || !result.ok();
    return result;
}

Result<void> StagedFile::flush() {
    if (buffer_.empty()) return {};
    if (!unkept_) POSTERN_TRY(check(file_.write(buffer_)));
    flushed_ += static_cast<std::int64_t>(buffer_.size());
    buffer_.clear();
    return {};
}

Result<void> StagedFile::write(std::string_view bytes) {
    if (buffer_.size() + bytes.size() > kBufferBytes) POSTERN_TRY(flush());
    if (bytes.size() > kBufferBytes / 2 && buffer_.empty()) {
        if (!unkept_) POSTERN_TRY(check(file_.write(bytes)));
        flushed_ += static_cast<std::int64_t>(bytes.size());
        return {};
    }
    buffer_.append(bytes);
    return {};
}

Result<void> StagedFile::writeWithLf(std::string_view bytes, bool& heldCr) {
    if (bytes.empty()) return {};
    if (heldCr && bytes.front() != '\n') POSTERN_TRY(write("\r"));
    heldCr = bytes.back() == '\r';
    if (heldCr) bytes.remove_suffix(1);
    while (!bytes.empty()) {
        const auto* cr = static_cast<const char*>(std::memchr(bytes.data(), '\r', bytes.size()));
        const std::size_t length = cr == nullptr ? bytes.size() : static_cast<std::size_t>(cr - bytes.data());
        const bool lineEnd = length + 1 < bytes.size() && bytes[length + 1] == '\n';
        POSTERN_TRY(write(bytes.substr(0, cr == nullptr || lineEnd ? length : length + 1)));
        bytes.remove_prefix(cr == nullptr ? length : length + 1);
    }
    return {};
}

Result<void> StagedFile::writeMessage(ByteSource& message, LineEnds lineEnds) {
    return writeLines([&](const Sink& sink) { return copyAll(message, sink); }, lineEnds);
}

Result<void> StagedFile::writeLines(const std::function<Result<void>(const Sink&)>& give, LineEnds lineEnds) {
    if (lineEnds == LineEnds::Crlf) return give([&](std::string_view bytes) { return write(bytes); });
    bool heldCr = false;
    POSTERN_TRY(give([&](std::string_view bytes) { return writeWithLf(bytes, heldCr); }));
    return heldCr ? write("\r") : Result<void>();
}

}  // namespace postern::adapters
