#include "mail/ruler.h"

#include "mail/charset.h"
#include "mail/code_page.h"

namespace postern::mail {
namespace {

constexpr std::size_t kMostWidths = 4096;

// Letters of East Asia: two columns where the set has them, and never more.
bool isIdeograph(char32_t c) {
    return (c >= 0x3041 && c <= 0xa4cf) || (c >= 0xac00 && c <= 0xd7a3) || (c >= 0x20000 && c <= 0x3fffd);
}

}  // namespace

Ruler::Ruler(std::string_view charset)
    : charset_(charset), isUtf8_(canonicalCharset(charset) == "UTF-8"), letters_(lettersOf(charset)) {}

int Ruler::columns(std::string_view utf8) const {
    if (isUtf8_ || !hasEightBit(utf8)) return displayColumns(utf8);
    // A page may write a whole word in another way because of one of its letters.
    if (letters_ == Letters::Unicode) return displayColumns(toUtf8(fromUtf8(utf8, charset_).bytes, charset_));
    int sum = 0;
    while (!utf8.empty()) {
        std::string_view rest = utf8;
        const char32_t c = takeCharacter(rest);
        sum += widthOf(c, utf8.substr(0, utf8.size() - rest.size()));
        utf8 = rest;
    }
    return sum;
}

int Ruler::widthOf(char32_t character, std::string_view utf8) const {
    if (character < 0x80 || isIdeograph(character)) return displayColumns(utf8);
    if (const auto known = widths_.find(character); known != widths_.end()) return known->second;
    if (widths_.size() >= kMostWidths) return displayColumns(utf8, letters_);
    const int width = displayColumns(toUtf8(fromUtf8(utf8, charset_).bytes, charset_), letters_);
    widths_.emplace(character, width);
    return width;
}

}  // namespace postern::mail
