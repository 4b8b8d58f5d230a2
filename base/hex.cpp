#include "base/hex.h"

#include <algorithm>
#include <cstdint>
#include <cstdio>

#include "base/text.h"

namespace postern {

int hexDigit(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

void appendHex(std::string& out, char byte) {
    static constexpr char kDigits[] = "0123456789ABCDEF";
    const auto bits = static_cast<unsigned char>(byte);
    out += kDigits[bits >> 4U];
    out += kDigits[bits & 15U];
}

namespace {

// The first character of valid UTF-8, which is taken off.
std::uint32_t takeValid(std::string_view& text) {
    const auto lead = static_cast<unsigned char>(text.front());
    const std::size_t length = lead < 0x80 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
    std::uint32_t character = length == 1 ? lead : lead & (0xffU >> (length + 1));
    for (std::size_t i = 1; i < length; ++i)
        character = character << 6U | (static_cast<unsigned char>(text[i]) & 0x3fU);
    text.remove_prefix(length);
    return character;
}

}  // namespace

std::string asciiAddress(std::string_view utf8) {
    const auto isAscii = [](char c) { return static_cast<unsigned char>(c) < 0x80; };
    if (std::all_of(utf8.begin(), utf8.end(), isAscii)) return std::string(utf8);
    const bool valid = validUtf8(utf8);
    std::string out;
    while (!utf8.empty()) {
        const char first = utf8.front();
        const bool stays = isAscii(first) && first != '+' && first != '=' && first != '\\';
        std::uint32_t character = 0xfffd;
        if (valid)
            character = takeValid(utf8);
        else
            utf8.remove_prefix(1);
        char escaped[16];
        std::snprintf(escaped, sizeof escaped, "\\x{%02X}",
                      isAscii(first) ? static_cast<unsigned>(first) : character);
        out += stays ? std::string(1, first) : std::string(escaped);
    }
    return out;
}

std::optional<std::string> decodeXtext(std::string_view text) {
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const char c = text[i];
        if (c < '!' || c > '~' || c == '=') return std::nullopt;
        if (c != '+') {
            out += c;
            continue;
        }
        const int high = i + 2 < text.size() ? hexDigit(text[i + 1]) : -1;
        const int low = i + 2 < text.size() ? hexDigit(text[i + 2]) : -1;
        if (high < 0 || low < 0) return std::nullopt;
        out += static_cast<char>(high * 16 + low);
        i += 2;
    }
    return out;
}

}  // namespace postern
