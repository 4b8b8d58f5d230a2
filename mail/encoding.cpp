#include "mail/encoding.h"

#include <algorithm>
#include <array>

#include "base/hex.h"

namespace postern::mail {
namespace {

constexpr std::uint8_t kNone = 0xff;

constexpr auto kBase64Digits = [] {
    std::array<std::uint8_t, 256> table{};
    table.fill(kNone);
    constexpr std::string_view kAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for (std::size_t i = 0; i < kAlphabet.size(); ++i)
        table[static_cast<unsigned char>(kAlphabet[i])] = static_cast<std::uint8_t>(i);
    return table;
}();

std::uint8_t base64Digit(char c) {
    return kBase64Digits[static_cast<unsigned char>(c)];
}

bool isBlank(char c) {
    return c == ' ' || c == '\t';
}

// Whole groups of four digits at the front of `encoded`; how many bytes of it they take.
std::size_t wholeGroups(std::string_view encoded, std::string& out) {
    std::size_t i = 0;
    char buffer[3 * 256];
    std::size_t used = 0;
    for (; i + 4 <= encoded.size(); i += 4) {
        const std::uint32_t a = base64Digit(encoded[i]), b = base64Digit(encoded[i + 1]),
                            c = base64Digit(encoded[i + 2]), d = base64Digit(encoded[i + 3]);
        if ((a | b | c | d) & 0xc0U) break;
        const std::uint32_t group = a << 18U | b << 12U | c << 6U | d;
        buffer[used++] = static_cast<char>(group >> 16U);
        buffer[used++] = static_cast<char>(group >> 8U);
        buffer[used++] = static_cast<char>(group);
        if (used == sizeof(buffer)) {
            out.append(buffer, used);
            used = 0;
        }
    }
    out.append(buffer, used);
    return i;
}

constexpr std::size_t kUuencodedLine = 90;  // a length and 84 characters; what is behind is ignored

// How many characters follow a length of `bytes`.
std::size_t uuencodedLength(std::size_t bytes) {
    return (bytes + 2) / 3 * 4;
}

bool isUuencodedCharacter(char c) {
    return c >= ' ' && c <= '`';
}

}  // namespace

bool isUuencodedLine(std::string_view line) {
    if (line.empty() || !isUuencodedCharacter(line[0])) return false;
    const std::size_t length = uuencodedLength(static_cast<std::size_t>(line[0] - ' ') & 63U);
    const std::string_view data = line.substr(1, length);
    for (const char c : data)
        if (!isUuencodedCharacter(c)) return false;
    // At most the last group may have lost its blanks; an ordinary word of capitals is no line of data.
    return length == 0 ? line.find_first_not_of(" \t`", 1) == line.npos : data.size() + 3 >= length;
}

void TransferDecoder::decode(std::string_view encoded, std::string& out) {
    switch (encoding_) {
        case TransferEncoding::Identity: out.append(encoded); break;
        case TransferEncoding::Base64: base64(encoded, out); break;
        case TransferEncoding::QuotedPrintable: quotedPrintable(encoded, out); break;
        case TransferEncoding::Uuencode: uuencode(encoded, out); break;
    }
}

void TransferDecoder::finish(std::string& out) {
    if (encoding_ == TransferEncoding::Base64 && !ended_ && digits_ > 0) {
        damaged_ = true;
        endGroup(out);
    }
    if (encoding_ == TransferEncoding::QuotedPrintable && held_.size() > 1 && held_[0] == '=' &&
        hexDigit(held_[1]) >= 0) {
        damaged_ = true;
        out += held_;
    }
    if (encoding_ == TransferEncoding::Uuencode && !held_.empty()) uuencodedLine(out);
    held_.clear();
}

void TransferDecoder::endGroup(std::string& out) {
    if (digits_ == 1) damaged_ = true;
    if (digits_ == 2) out += static_cast<char>(bits_ >> 4U);
    if (digits_ == 3) {
        out += static_cast<char>(bits_ >> 10U);
        out += static_cast<char>(bits_ >> 2U);
    }
    bits_ = 0;
    digits_ = 0;
}

void TransferDecoder::base64(std::string_view encoded, std::string& out) {
    while (!encoded.empty()) {
        if (digits_ == 0 && !ended_) encoded.remove_prefix(wholeGroups(encoded, out));
        if (encoded.empty()) return;
        base64Character(encoded.front(), out);
        encoded.remove_prefix(1);
    }
}

void TransferDecoder::base64Character(char c, std::string& out) {
    const std::uint8_t digit = base64Digit(c);
    if (c == '=') {
        if (!ended_ && digits_ < 2) damaged_ = true;
        if (!ended_) endGroup(out);
        ended_ = true;
    } else if (digit == kNone) {
        if (!isBlank(c) && c != '\r' && c != '\n') damaged_ = true;
    } else if (ended_) {
        damaged_ = true;  // digits behind the padding belong to nothing
    } else {
        bits_ = bits_ << 6U | digit;
        if (++digits_ < 4) return;
        out += static_cast<char>(bits_ >> 16U);
        out += static_cast<char>(bits_ >> 8U);
        out += static_cast<char>(bits_);
        bits_ = 0;
        digits_ = 0;
    }
}

void TransferDecoder::quotedPrintable(std::string_view encoded, std::string& out) {
    while (!encoded.empty()) {
        if (held_.empty()) {
            std::size_t plain = encoded.find_first_of("= \t");
            if (plain == std::string_view::npos) plain = encoded.size();
            out.append(encoded.substr(0, plain));
            encoded.remove_prefix(plain);
            if (encoded.empty()) return;
            held_ = encoded.front();
        } else if (isBlank(held_[0])) {
            blankHeld(encoded.front(), out);
        } else {
            escapeHeld(encoded.front(), out);
        }
        encoded.remove_prefix(1);
    }
}

// `held_` is blanks: at the end of a line they were added on the way and go (RFC 2045 6.7 rule 3).
void TransferDecoder::blankHeld(char c, std::string& out) {
    constexpr std::size_t kLongestRun = 998;  // more than a line can hold: keep memory flat
    if (isBlank(c) && held_.size() < kLongestRun) {
        held_ += c;
        return;
    }
    if (c != '\r' && c != '\n') out += held_;
    again(c, out);
}

// `held_` begins with "=".
void TransferDecoder::escapeHeld(char c, std::string& out) {
    const bool hasDigit = held_.size() == 2 && hexDigit(held_[1]) >= 0;
    if (hasDigit && hexDigit(c) >= 0) {
        out += static_cast<char>(hexDigit(held_[1]) * 16 + hexDigit(c));
        held_.clear();
    } else if (!hasDigit && c == '\n') {
        held_.clear();  // a soft line break
    } else if (held_.size() == 1 && (hexDigit(c) >= 0 || isBlank(c) || c == '\r')) {
        held_ += c;
    } else if (!hasDigit && held_.size() == 2 && held_[1] != '\r' && (isBlank(c) || c == '\r')) {
        held_[1] = c;  // "=" and blanks before the line end: one of them stands for all
    } else {
        damaged_ = true;
        if (held_ != "=\r") out += held_;
        again(c, out);
    }
}

// `c` begins anew, as if nothing had been held.
void TransferDecoder::again(char c, std::string& out) {
    held_.clear();
    if (c == '=' || isBlank(c))
        held_ = c;
    else
        out += c;
}

void TransferDecoder::uuencode(std::string_view encoded, std::string& out) {
    while (!encoded.empty()) {
        const auto newline = encoded.find('\n');
        const std::string_view piece = encoded.substr(0, newline);
        held_ += piece.substr(0, kUuencodedLine - std::min(held_.size(), kUuencodedLine));
        if (newline == std::string_view::npos) return;
        uuencodedLine(out);
        held_.clear();
        encoded.remove_prefix(newline + 1);
    }
}

void TransferDecoder::uuencodedLine(std::string& out) {
    while (!held_.empty() && held_.back() == '\r') held_.pop_back();
    if (held_.empty() || !isUuencodedCharacter(held_[0])) {
        damaged_ = damaged_ || !held_.empty();
        return;
    }
    const std::size_t bytes = static_cast<std::size_t>(held_[0] - ' ') & 63U;
    held_.resize(std::max(held_.size(), 1 + uuencodedLength(bytes)), ' ');
    std::size_t written = 0;
    for (std::size_t i = 1; written < bytes; i += 4) {
        std::uint32_t group = 0;
        for (std::size_t k = 0; k < 4; ++k) {
            damaged_ = damaged_ || !isUuencodedCharacter(held_[i + k]);
            group = group << 6U | (static_cast<std::uint32_t>(held_[i + k] - ' ') & 63U);
        }
        for (std::size_t k = 0; k < 3 && written < bytes; ++k, ++written)
            out += static_cast<char>(group >> (16U - 8U * k));
    }
}

}  // namespace postern::mail
