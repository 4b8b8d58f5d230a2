#include "connector/cli/width.h"

#include <algorithm>
#include <cstdint>
#include <iterator>

namespace postern::cli {

namespace {

struct Range {
    char32_t first, last;
};

// The blocks that matter in mail; what is missing is one column off, no more.
constexpr Range kNone[] = {{0x0300, 0x036F}, {0x0483, 0x0489},  {0x0591, 0x05BD}, {0x064B, 0x065F},
                           {0x0E31, 0x0E31}, {0x0E34, 0x0E3A},  {0x0E47, 0x0E4E}, {0x1AB0, 0x1AFF},
                           {0x1DC0, 0x1DFF}, {0x200B, 0x200F},  {0x202A, 0x202E}, {0x2060, 0x2064},
                           {0x20D0, 0x20FF}, {0x3099, 0x309A},  {0xFE00, 0xFE0F}, {0xFE20, 0xFE2F},
                           {0xFEFF, 0xFEFF}, {0xE0000, 0xE01EF}};
constexpr Range kTwo[] = {{0x1100, 0x115F},   {0x2E80, 0x303E},   {0x3041, 0x33FF},   {0x3400, 0x4DBF},
                          {0x4E00, 0x9FFF},   {0xA000, 0xA4CF},   {0xA960, 0xA97F},   {0xAC00, 0xD7A3},
                          {0xF900, 0xFAFF},   {0xFE30, 0xFE4F},   {0xFF00, 0xFF60},   {0xFFE0, 0xFFE6},
                          {0x1F300, 0x1F64F}, {0x1F680, 0x1F6FF}, {0x1F900, 0x1FAFF}, {0x20000, 0x3FFFD}};

template <std::size_t kCount>
bool within(const Range (&ranges)[kCount], char32_t c) {
    const auto next =
        std::upper_bound(std::begin(ranges), std::end(ranges), c,
                         [](char32_t value, const Range& range) { return value < range.first; });
    return next != std::begin(ranges) && c <= std::prev(next)->last;
}

// Takes one character off the front. A stray byte counts as a character.
char32_t take(std::string_view& text) {
    const auto lead = static_cast<std::uint8_t>(text.front());
    const std::size_t length = lead < 0x80 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
    char32_t c = length == 1 ? lead : lead & (0x7F >> length);
    for (std::size_t i = 1; i < length && i < text.size(); ++i)
        c = (c << 6) | (static_cast<std::uint8_t>(text[i]) & 0x3F);
    text.remove_prefix(std::min(length, text.size()));
    return c;
}

int columnsOf(char32_t c) {
    if (within(kNone, c)) return 0;
    return within(kTwo, c) ? 2 : 1;
}

}  // namespace

int displayWidth(std::string_view text) {
    int columns = 0;
    while (!text.empty()) columns += columnsOf(take(text));
    return columns;
}

std::string fitWidth(std::string_view text, int columns) {
    if (displayWidth(text) <= columns) return std::string(text);
    std::string_view rest = text;
    std::size_t kept = 0;
    for (int used = 0; !rest.empty();) {
        used += columnsOf(take(rest));
        if (used > columns - 1) break;
        kept = text.size() - rest.size();
    }
    return std::string(text.substr(0, kept)) + "\u2026";
}

std::vector<std::string> wrapWidth(std::string_view text, int columns) {
    std::vector<std::string> lines;
    while (!text.empty()) {
        std::string_view rest = text;
        std::size_t fits = 0, blank = 0;  // bytes that fit, and up to the last blank among them
        for (int used = 0; !rest.empty();) {
            const bool atBlank = rest.front() == ' ';
            if (atBlank) blank = text.size() - rest.size();
            used += columnsOf(take(rest));
            if (used > columns && !(atBlank && used == columns + 1)) break;
            fits = text.size() - rest.size();
        }
        fits = std::max(fits, std::size_t{1});
        const bool all = fits == text.size();
        const std::size_t end = all || blank == 0 ? fits : blank;
        lines.emplace_back(text.substr(0, end));
        text.remove_prefix(end);
        while (text.starts_with(' ')) text.remove_prefix(1);
    }
    return lines;
}

}  // namespace postern::cli
