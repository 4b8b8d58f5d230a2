#include "connector/addresses/glob.h"

#include "base/text.h"

namespace postern::addresses {

namespace {

std::size_t characterLength(std::string_view text, std::size_t at) {
    std::size_t end = at + 1;
    while (end < text.size() && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) ++end;
    return end - at;
}

}  // namespace

// Only the last star is ever gone back to: what an earlier one took can be given to it instead.
bool globMatches(std::string_view pattern, std::string_view text) {
    std::size_t p = 0, t = 0;
    std::size_t star = std::string_view::npos, tried = 0;
    while (t < text.size()) {
        if (p < pattern.size() && pattern[p] == '*') {
            star = ++p;
            tried = t;
        } else if (p < pattern.size() && pattern[p] == '?') {
            t += characterLength(text, t);
            ++p;
        } else if (p < pattern.size() && lowerAscii(pattern[p]) == lowerAscii(text[t])) {
            ++p;
            ++t;
        } else if (star != std::string_view::npos) {
            p = star;
            tried += characterLength(text, tried);
            t = tried;
        } else {
            return false;
        }
    }
    while (p < pattern.size() && pattern[p] == '*') ++p;
    return p == pattern.size();
}

}  // namespace postern::addresses
