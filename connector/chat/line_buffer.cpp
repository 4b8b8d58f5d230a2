#include "connector/chat/line_buffer.h"

#include "connector/chat/message.h"

namespace postern::chat {

namespace {
// One byte more than any good line has: enough to see that it is too long.
constexpr std::size_t kKept = kLongestClientTags + kLongestBody + 2;
}  // namespace

bool LineBuffer::add(std::string_view bytes) {
    const std::size_t before = lines_;
    while (!bytes.empty()) {
        const std::size_t end = bytes.find('\n');
        const std::string_view piece = bytes.substr(0, end);
        const std::size_t has = bytes_.size() - lineStart_;
        bytes_.append(piece.substr(0, kKept > has ? kKept - has : 0));
        if (end == std::string_view::npos) break;
        bytes.remove_prefix(end + 1);
        endLine();
    }
    return lines_ > before;
}

void LineBuffer::endLine() {
    while (bytes_.size() > lineStart_ && bytes_.back() == '\r') bytes_.pop_back();
    if (bytes_.size() == lineStart_) return;
    bytes_ += '\n';
    lineStart_ = bytes_.size();
    ++lines_;
}

std::optional<std::string> LineBuffer::take() {
    if (lines_ == 0) return std::nullopt;
    const std::size_t end = bytes_.find('\n', taken_);
    std::string line = bytes_.substr(taken_, end - taken_);
    taken_ = end + 1;
    --lines_;
    if (lines_ == 0 || taken_ > bytes_.size() / 2) {
        bytes_.erase(0, taken_);
        lineStart_ -= taken_;
        taken_ = 0;
    }
    return line;
}

void LineBuffer::clear() {
    *this = LineBuffer();
}

}  // namespace postern::chat
