#include "mail/line_facts.h"

#include <algorithm>
#include <cstring>

#include "mail/code_page.h"

namespace postern::mail {

void LineMeter::add(std::string_view bytes) {
    if (bytes.empty()) return;
    facts_.eightBit = facts_.eightBit || hasEightBit(bytes);
    facts_.nul = facts_.nul || std::memchr(bytes.data(), 0, bytes.size()) != nullptr;
    lines(bytes);
    carriageReturns(bytes);
}

// REQUIRES: before carriageReturns(): lastWasCr_ is that of the piece before.
void LineMeter::lines(std::string_view bytes) {
    for (std::size_t at = 0; at < bytes.size();) {
        const void* found = std::memchr(bytes.data() + at, '\n', bytes.size() - at);
        if (found == nullptr) {
            column_ += static_cast<std::int64_t>(bytes.size() - at);
            return;
        }
        const auto newline = static_cast<std::size_t>(static_cast<const char*>(found) - bytes.data());
        const bool afterCr = newline > 0 ? bytes[newline - 1] == '\r' : lastWasCr_;
        column_ += static_cast<std::int64_t>(newline - at) - (afterCr ? 1 : 0);
        facts_.bareLf = facts_.bareLf || !afterCr;
        facts_.longest = std::max(facts_.longest, column_);
        column_ = 0;
        at = newline + 1;
    }
}

void LineMeter::carriageReturns(std::string_view bytes) {
    if (lastWasCr_ && bytes.front() != '\n') facts_.bareCr = true;
    lastWasCr_ = bytes.back() == '\r';
    for (std::size_t at = 0; !facts_.bareCr && at < bytes.size();) {
        const void* found = std::memchr(bytes.data() + at, '\r', bytes.size() - at);
        if (found == nullptr) return;
        at = static_cast<std::size_t>(static_cast<const char*>(found) - bytes.data()) + 1;
        if (at < bytes.size() && bytes[at] != '\n') facts_.bareCr = true;
    }
}

LineFacts LineMeter::finish() {
    facts_.bareCr = facts_.bareCr || lastWasCr_;
    facts_.longest = std::max(facts_.longest, column_);
    return facts_;
}

LineFacts lineFacts(std::string_view bytes) {
    LineMeter meter;
    meter.add(bytes);
    return meter.finish();
}

Result<LineFacts> lineFacts(Window& window, std::int64_t begin, std::int64_t end) {
    constexpr std::size_t kPiece = 64 * 1024;
    LineMeter meter;
    while (begin < end) {
        POSTERN_LET(view, window.at(begin, 1));
        const auto left = static_cast<std::size_t>(end - begin);
        const std::string_view piece = view.substr(0, std::min({view.size(), left, kPiece}));
        meter.add(piece);
        begin += static_cast<std::int64_t>(piece.size());
    }
    return meter.finish();
}

}  // namespace postern::mail
