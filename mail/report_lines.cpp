#include "mail/report_lines.h"

#include <algorithm>

#include "base/hex.h"
#include "base/text.h"
#include "mail/charset.h"

namespace postern::mail {

namespace {

constexpr std::size_t kLongestLine = 998;
constexpr std::size_t kFoldAt = 76;
constexpr std::size_t kEncodedAtOnce = 39;  // bytes: 52 digits, so that a word stays below 75 (RFC 2047 2)

std::string base64(std::string_view bytes) {
    constexpr std::string_view kDigits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    std::string out;
    for (std::size_t i = 0; i < bytes.size(); i += 3) {
        unsigned bits = 0;
        for (std::size_t k = 0; k < 3; ++k)
            bits = bits << 8 | (i + k < bytes.size() ? static_cast<unsigned char>(bytes[i + k]) : 0U);
        for (std::size_t k = 0; k < 4; ++k)
            out += i + k <= bytes.size() ? kDigits[bits >> (18 - 6 * k) & 63U] : '=';
    }
    return out;
}

}  // namespace

bool isAscii(std::string_view bytes) {
    return std::all_of(bytes.begin(), bytes.end(),
                       [](char c) { return static_cast<unsigned char>(c) < 0x80; });
}

bool isLines(std::string_view bytes) {
    while (!bytes.empty()) {
        const auto end = bytes.find("\r\n");
        const std::string_view line = bytes.substr(0, end);
        if (line.size() > kLongestLine || line.find_first_of(std::string_view("\0\r\n", 3)) != line.npos)
            return false;
        bytes.remove_prefix(end == bytes.npos ? bytes.size() : end + 2);
    }
    return true;
}

std::string oneLine(std::string_view bytes, std::size_t limit) {
    const std::string clean = cleanLine(toUtf8(bytes, ""));
    const std::string_view text = trim(clean);
    if (text.size() <= limit) return std::string(text);
    return std::string(cutUtf8(text, limit - 3)) + "...";
}

std::string foldedField(std::string_view name, std::string_view value) {
    std::string out(name);
    out += ':';
    std::size_t column = out.size();
    for (const std::string_view word : split(value, ' ')) {
        if (word.empty()) continue;
        const bool fold = column + 1 + word.size() > kFoldAt && column > name.size() + 1;
        out += fold ? "\r\n " : " ";
        column = (fold ? 0 : column) + 1 + word.size();
        out += word;
    }
    return out + "\r\n";
}

std::string encodedText(std::string_view utf8) {
    if (isAscii(utf8)) return std::string(utf8);
    std::string out;
    while (!utf8.empty()) {
        const std::string_view piece = cutUtf8(utf8, kEncodedAtOnce);
        out += (out.empty() ? "=?utf-8?B?" : " =?utf-8?B?") + base64(piece) + "?=";
        utf8.remove_prefix(piece.size());
    }
    return out;
}

std::string quotedPrintable(std::string_view bytes) {
    std::string out;
    std::size_t column = 0;
    const auto put = [&](std::string_view text) {
        if (column + text.size() > kFoldAt - 1) {
            out += "=\r\n";
            column = 0;
        }
        out += text;
        column += text.size();
    };
    for (std::size_t i = 0; i < bytes.size(); ++i) {
        if (bytes.substr(i, 2) == "\r\n") {
            out += "\r\n";
            column = 0;
            ++i;
            continue;
        }
        const auto c = static_cast<unsigned char>(bytes[i]);
        const bool blankAtEnd = (c == ' ' || c == '\t') && (i + 1 == bytes.size() || bytes[i + 1] == '\r');
        // A "From " or a lone dot at the start of a line is changed by some relays (RFC 2049 3).
        const bool risky = column == 0 && (c == 'F' || c == '.');
        const bool plain =
            (c >= 33 && c <= 126 && c != '=' && !risky) || ((c == ' ' || c == '\t') && !blankAtEnd);
        std::string escaped = "=";
        appendHex(escaped, bytes[i]);
        put(plain ? bytes.substr(i, 1) : escaped);
    }
    return out;
}

std::string withCrlf(std::string_view text) {
    std::string out;
    for (const char c : text) {
        if (c == '\n') out += '\r';
        out += c;
    }
    return out;
}

}  // namespace postern::mail
