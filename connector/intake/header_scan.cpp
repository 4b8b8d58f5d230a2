#include "connector/intake/header_scan.h"

#include "base/text.h"
#include "connector/intake/trace.h"

namespace postern::intake {

namespace {

constexpr std::int64_t kMostHeader = 256 * 1024;  // bytes looked at
constexpr std::size_t kMostField = 2000;          // bytes kept of one field

// The value of `field` when it is named `name`, with an empty `found` otherwise.
bool takeValue(std::string_view field, std::string_view name, std::string_view& value) {
    const std::size_t colon = field.find(':');
    if (colon == std::string_view::npos || !equalsIgnoreCase(trim(field.substr(0, colon)), name))
        return false;
    value = trim(field.substr(colon + 1));
    return true;
}

std::string_view bracketed(std::string_view value) {
    const std::size_t open = value.find('<');
    const std::size_t close = value.find('>', open == std::string_view::npos ? 0 : open);
    if (open == std::string_view::npos || close == std::string_view::npos) return value;
    return value.substr(open, close - open + 1);
}

// Of the empty line behind the header, unless the block was cut before it.
void dropLineEnd(std::string& block) {
    if (block.size() == HeaderScan::kMostKept) return;
    if (block.ends_with('\n')) block.pop_back();
    if (block.ends_with('\r')) block.pop_back();
}

void appendCut(std::string& to, std::string_view text) {
    if (to.size() < kMostField) to.append(text.substr(0, kMostField - to.size()));
}

}  // namespace

void HeaderScan::feed(std::string_view text) {
    while (!over_ && !text.empty()) {
        const std::size_t newline = text.find('\n');
        const bool whole = newline != std::string_view::npos;
        const std::string_view piece = text.substr(0, whole ? newline + 1 : text.size());
        appendCut(line_, piece);
        if (block_.size() < kMostKept) block_.append(piece.substr(0, kMostKept - block_.size()));
        seen_ += static_cast<std::int64_t>(piece.size());
        text.remove_prefix(piece.size());
        if (whole) endLine();
        if (over_) dropLineEnd(block_);
        if (seen_ > kMostHeader) over_ = true;
    }
}

bool HeaderScan::tooLong() const {
    return seen_ > kMostHeader;
}

void HeaderScan::end() {
    if (!over_ && !line_.empty()) endLine();
    if (!over_) endField();
    over_ = true;
}

void HeaderScan::endLine() {
    const std::string_view line = trim(line_);
    const bool continues = !line_.empty() && (line_.front() == ' ' || line_.front() == '\t');
    if (continues && !field_.empty()) {
        // Unfolding takes the line end away and leaves the blank (RFC 5322 2.2.3).
        std::string_view kept = line_;
        while (!kept.empty() && (kept.back() == '\r' || kept.back() == '\n')) kept.remove_suffix(1);
        appendCut(field_, kept);
    } else {
        endField();
        field_.assign(line);
        over_ = line.empty();
    }
    line_.clear();
}

void HeaderScan::endField() {
    std::string_view value;
    if (takeValue(field_, "received", value)) {
        ++received_;
    } else if (!trace_.empty() && takeValue(field_, kTraceField, value)) {
        if (value == trace_) ++traces_;
    } else if (takeValue(field_, "date", value)) {
        hasDate_ = true;
    } else if (!hasMessageId_ && takeValue(field_, "message-id", value)) {
        messageId_ = cutUtf8(bracketed(value), 300);
        hasMessageId_ = true;
    } else if (!hasSubject_ && takeValue(field_, "subject", value)) {
        subject_ = cutUtf8(value, 200);
        hasSubject_ = true;
    }
    field_.clear();
}

}  // namespace postern::intake
