#include "connector/intake/smtp_data.h"

namespace postern::intake {

namespace {
constexpr std::string_view kEnd = ".\r\n";
}

void DataReader::begin(int longestLine) {
    *this = DataReader();
    longestLine_ = longestLine;
}

bool DataReader::take(std::string_view& input, const Sink& sink) {
    const std::string_view all = input;
    std::size_t at = 0;    // taken up to here
    std::size_t span = 0;  // handed on up to here
    const auto handOn = [&](std::size_t to) {
        const std::string_view text = all.substr(span, to - span);
        if (text.empty()) return;
        if (text.find('\0') != std::string_view::npos) flaws_.nul = true;
        sink(text);
    };
    bool end = false;
    while (at < all.size()) {
        const std::string_view rest = all.substr(at);
        if (lineStart_ && rest.front() == '.') {
            if (rest.size() < kEnd.size() && kEnd.starts_with(rest)) break;
            handOn(at);
            end = rest.starts_with(kEnd);
            at += end ? kEnd.size() : 1;
            span = at;
            if (end) break;
            lineStart_ = false;  // a stuffed dot; the line goes on behind it
            continue;
        }
        const std::size_t taken = takeLine(rest);
        if (taken == 0) break;
        at += taken;
    }
    if (!end) handOn(at);
    input.remove_prefix(at);
    return end;
}

// Takes up to and with the next LF, or all but a final CR, whose meaning depends on the next byte.
std::size_t DataReader::takeLine(std::string_view rest) {
    const std::size_t newline = rest.find('\n');
    if (newline == std::string_view::npos) {
        const std::size_t size = rest.back() == '\r' ? rest.size() - 1 : rest.size();
        if (rest.substr(0, size).find('\r') != std::string_view::npos) flaws_.bareCr = true;
        if (size > 0) lineStart_ = false;
        grow(size);
        return size;
    }
    const bool crLf = newline > 0 && rest[newline - 1] == '\r';
    const std::string_view body = rest.substr(0, crLf ? newline - 1 : newline);
    if (body.find('\r') != std::string_view::npos) flaws_.bareCr = true;
    if (!crLf) flaws_.bareLf = true;
    grow(newline + 1);
    lineStart_ = crLf;
    if (crLf) lineSize_ = 0;
    return newline + 1;
}

void DataReader::grow(std::size_t bytes) {
    lineSize_ += static_cast<std::int64_t>(bytes);
    if (lineSize_ > longestLine_) flaws_.longLine = true;
}

void ChunkLines::begin(int longestLine) {
    *this = ChunkLines();
    longestLine_ = longestLine;
}

void ChunkLines::look(std::string_view text) {
    if (text.find('\0') != std::string_view::npos) flaws_.nul = true;
    while (!text.empty()) {
        const std::size_t newline = text.find('\n');
        const bool whole = newline != std::string_view::npos;
        const std::string_view line = text.substr(0, whole ? newline : text.size());
        const bool crBefore = line.empty() ? heldCr_ : line.back() == '\r';
        if (heldCr_ && !line.empty()) flaws_.bareCr = true;
        if (line.substr(0, line.empty() ? 0 : line.size() - 1).find('\r') != std::string_view::npos)
            flaws_.bareCr = true;
        if (whole && !crBefore) flaws_.bareLf = true;
        grow(line.size() + (whole ? 1 : 0));
        heldCr_ = !whole && crBefore;
        if (whole) lineSize_ = 0;
        text.remove_prefix(line.size() + (whole ? 1 : 0));
    }
}

void ChunkLines::end() {
    if (heldCr_) flaws_.bareCr = true;
}

void ChunkLines::grow(std::size_t bytes) {
    lineSize_ += static_cast<std::int64_t>(bytes);
    if (lineSize_ > longestLine_) flaws_.longLine = true;
}

}  // namespace postern::intake
