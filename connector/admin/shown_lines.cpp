#include "connector/admin/shown_lines.h"

#include <utility>

#include "base/text.h"
#include "mail/charset.h"

namespace postern::admin {

namespace {

constexpr std::size_t kLeastField = 3;  // less text than this before a NUL is part of a number

// Tabs as a terminal shows them, a stop every eight characters.
std::string expandTabs(std::string_view line) {
    std::string text;
    std::size_t column = 0;
    for (const char c : line) {
        const std::size_t blanks = c == '\t' ? 8 - column % 8 : 0;
        if (blanks > 0)
            text.append(blanks, ' ');
        else
            text += c;
        const bool begins = (static_cast<unsigned char>(c) & 0xC0) != 0x80;  // of a UTF-8 character
        column += blanks > 0 ? blanks : begins ? 1 : 0;
    }
    return text;
}

bool isText(char c) {
    return static_cast<unsigned char>(c) >= ' ' || c == '\t';
}

}  // namespace

ShownLines::ShownLines(std::string charset, std::size_t longest, Line line)
    : charset_(std::move(charset)), longest_(longest), line_(std::move(line)) {}

Result<void> ShownLines::append(std::string_view bytes) {
    for (const char c : bytes) {
        const char before = std::exchange(last_, c);
        if (c == '\n' && before == '\r') continue;  // the CR ended it
        if (c == '\0' && before == '\0') continue;
        POSTERN_TRY(take(c));
    }
    return {};
}

Result<void> ShownLines::take(char c) {
    if (c == '\n' || c == '\r' || (c == '\0' && plain_ >= kLeastField)) return end();
    bytes_ += c;
    plain_ = isText(c) ? plain_ + 1 : 0;
    return bytes_.size() < longest_ ? Result<void>() : end();
}

Result<void> ShownLines::end() {
    const std::string text = escapeLine(expandTabs(mail::toUtf8(bytes_, charset_)), 4 * longest_);
    bytes_.clear();
    plain_ = 0;
    return line_(text);
}

Result<void> ShownLines::finish() {
    return bytes_.empty() ? Result<void>() : end();
}

}  // namespace postern::admin
