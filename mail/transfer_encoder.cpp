#include "mail/transfer_encoder.h"

#include <algorithm>
#include <utility>

#include "base/hex.h"

namespace postern::mail {
namespace {

constexpr std::string_view kDigits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

std::uint32_t bitsOf(std::string_view three) {
    return static_cast<std::uint32_t>(static_cast<unsigned char>(three[0])) << 16U |
           static_cast<std::uint32_t>(static_cast<unsigned char>(three[1])) << 8U |
           static_cast<std::uint32_t>(static_cast<unsigned char>(three[2]));
}

// Bytes that stand for themselves anywhere in a line.
bool isPlain(char c) {
    return c > ' ' && c < 0x7f && c != '=' && c != '.' && c != 'F' && c != '-';
}

}  // namespace

TransferEncoder::TransferEncoder(TransferEncoding encoding, int width)
    : encoding_(encoding), width_(static_cast<std::size_t>(std::clamp(width, 24, 76))) {}

void TransferEncoder::encode(std::string_view bytes, std::string& out) {
    switch (encoding_) {
        case TransferEncoding::Uuencode:
        case TransferEncoding::Identity: out.append(bytes); break;
        case TransferEncoding::Base64: base64(bytes, out); break;
        case TransferEncoding::QuotedPrintable: printable(bytes, out); break;
    }
}

void TransferEncoder::finish(std::string& out) {
    if (encoding_ == TransferEncoding::Base64 && !held_.empty()) {
        const std::size_t bytes = held_.size();
        held_.resize(3, '\0');
        group(bitsOf(held_), bytes, out);
        held_.clear();
    }
    if (blank_ != 0) escape(std::exchange(blank_, '\0'), out);
    if (heldCr_) escape('\r', out);
    heldCr_ = false;
}

void TransferEncoder::base64(std::string_view bytes, std::string& out) {
    while (!held_.empty() && held_.size() < 3 && !bytes.empty()) {
        held_ += bytes.front();
        bytes.remove_prefix(1);
    }
    if (held_.size() == 3) {
        group(bitsOf(held_), 3, out);
        held_.clear();
    }
    for (; bytes.size() >= 3; bytes.remove_prefix(3)) group(bitsOf(bytes), 3, out);
    held_ += bytes;
}

void TransferEncoder::group(std::uint32_t bits, std::size_t bytes, std::string& out) {
    if (column_ + 4 > width_) {
        out += "\r\n";
        column_ = 0;
    }
    const char digits[] = {kDigits[bits >> 18U & 63U], kDigits[bits >> 12U & 63U],
                           bytes > 1 ? kDigits[bits >> 6U & 63U] : '=',
                           bytes > 2 ? kDigits[bits & 63U] : '='};
    out.append(digits, 4);
    column_ += 4;
}

void TransferEncoder::printable(std::string_view bytes, std::string& out) {
    while (!bytes.empty()) {
        // The fast way: what needs no thought, as far as the line has room.
        std::size_t plain = 0;
        const std::size_t room = heldCr_ || column_ == 0 || column_ + 1 >= width_ ? 0 : width_ - 1 - column_;
        while (plain < std::min(room, bytes.size()) && isPlain(bytes[plain])) ++plain;
        if (plain > 0 && blank_ != 0) {
            character(bytes.front(), out);
            plain = 1;
        } else if (plain > 0) {
            out.append(bytes.substr(0, plain));
            column_ += plain;
        } else {
            character(bytes.front(), out);
            plain = 1;
        }
        bytes.remove_prefix(plain);
    }
}

void TransferEncoder::character(char c, std::string& out) {
    if (heldCr_) {
        heldCr_ = false;
        if (c == '\n') {
            if (blank_ != 0) escape(std::exchange(blank_, '\0'), out);
            out += "\r\n";
            column_ = 0;
            return;
        }
        releaseBlank(out);
        escape('\r', out);
    }
    if (c == '\r') {
        heldCr_ = true;
        return;
    }
    releaseBlank(out);
    if (c == ' ' || c == '\t')
        blank_ = c;
    else if (isPlain(c) || (column_ > 0 && (c == '.' || c == 'F' || c == '-')))
        put(std::string_view(&c, 1), out);
    else
        escape(c, out);
}

void TransferEncoder::releaseBlank(std::string& out) {
    if (blank_ == 0) return;
    const char c = std::exchange(blank_, '\0');
    put(std::string_view(&c, 1), out);
}

void TransferEncoder::escape(char c, std::string& out) {
    std::string token = "=";
    appendHex(token, c);
    put(token, out);
}

// A soft line break where the line is full. What begins the next line is looked at once more: a dash that was
// harmless within a line is not at its beginning.
void TransferEncoder::put(std::string_view token, std::string& out) {
    if (column_ + token.size() > width_ - 1) {
        out += "=\r\n";
        column_ = 0;
        if (token.size() == 1 && !isPlain(token[0]) && token[0] != ' ' && token[0] != '\t')
            return escape(token[0], out);
    }
    out += token;
    column_ += token.size();
}

}  // namespace postern::mail
