#include "mail/encoded_words.h"

#include "base/hex.h"
#include "base/text.h"
#include "mail/charset.h"
#include "mail/code_page.h"
#include "mail/transfer_encoder.h"

namespace postern::mail {
namespace {

constexpr std::size_t kLongestWord = 75;  // RFC 2047 2

bool isLetterOrDigit(char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

// What a phrase may hold (RFC 2047 5.3), so that one form serves everywhere.
std::string quoted(std::string_view bytes) {
    std::string out;
    for (const char c : bytes) {
        if (c == ' ')
            out += '_';
        else if (isLetterOrDigit(c) || c == '-' || c == '+' || c == '!' || c == '*' || c == '/')
            out += c;
        else
            appendHex(out += '=', c);
    }
    return out;
}

std::size_t base64Length(std::size_t bytes) {
    return (bytes + 2) / 3 * 4;
}

std::string base64Of(std::string_view bytes) {
    std::string out;
    TransferEncoder encoder(TransferEncoding::Base64, 76);
    encoder.encode(bytes, out);
    encoder.finish(out);
    return out;
}

class WordWriter {
  public:
    WordWriter(std::string charset, bool base64) : charset_(std::move(charset)), base64_(base64) {}

    // `character`: the bytes of one whole character.
    void add(std::string_view character) {
        const std::size_t room = kLongestWord - charset_.size() - 7;  // "=?", "?B?", "?="
        const std::size_t length =
            base64_ ? base64Length(bytes_.size() + character.size()) : length_ + quoted(character).size();
        if (length > room) flush();
        bytes_ += character;
        if (!base64_) length_ += quoted(character).size();
    }

    std::string finish() {
        flush();
        return std::move(out_);
    }

  private:
    void flush() {
        if (bytes_.empty()) return;
        if (!out_.empty()) out_ += ' ';
        out_ += "=?" + charset_ + (base64_ ? "?B?" + base64Of(bytes_) : "?Q?" + quoted(bytes_)) + "?=";
        bytes_.clear();
        length_ = 0;
    }

    std::string charset_;
    bool base64_;
    std::string bytes_, out_;
    std::size_t length_ = 0;
};

// One-byte pages only: a character cut in two, or a shift state, is nothing for a word of its own.
bool isHeldBy(std::string_view utf8, const std::string& charset) {
    if (charset.empty() || charset.size() > 30 || CodePage::find(canonicalCharset(charset)) == nullptr)
        return false;
    const Encoded encoded = fromUtf8(utf8, charset);
    return encoded.lost == 0 && encoded.changed == 0 && toUtf8(encoded.bytes, charset) == utf8;
}

bool isPartlyPlain(std::string_view utf8) {
    std::size_t plain = 0;
    for (const char c : utf8) plain += isLetterOrDigit(c) || c == ' ' ? 1 : 0;
    return plain * 3 >= utf8.size();
}

bool isToken(std::string_view text) {
    if (text.empty()) return false;
    for (const char c : text)
        if (c <= ' ' || c >= 0x7f || std::string_view("()<>@,;:\\\"/[]?=").find(c) != std::string_view::npos)
            return false;
    return true;
}

}  // namespace

std::string quotedString(std::string_view text) {
    std::string out = "\"";
    for (const char c : text) {
        if (c == '"' || c == '\\') out += '\\';
        out += c;
    }
    return out + '"';
}

std::string encodedWords(std::string_view utf8, const WordStyle& style) {
    const bool inPage = isHeldBy(utf8, style.charset);
    const bool base64 = style.base64 || !isPartlyPlain(utf8);
    WordWriter writer(inPage ? lowerAscii(style.charset) : "utf-8", base64);
    while (!utf8.empty()) {
        std::string_view rest = utf8;
        takeCharacter(rest);
        const std::string_view character = utf8.substr(0, utf8.size() - rest.size());
        writer.add(inPage ? fromUtf8(character, style.charset).bytes : std::string(character));
        utf8 = rest;
    }
    return writer.finish();
}

std::string encodedParameter(std::string_view name, std::string_view utf8) {
    constexpr std::size_t kLongest = 70;
    const bool ascii = !hasEightBit(utf8);
    if (ascii && name.size() + utf8.size() < kLongest) {
        const std::string shown(utf8);
        return std::string(name) + '=' + (isToken(utf8) ? shown : quotedString(utf8));
    }
    std::string out, piece = "utf-8''";
    int index = 0;
    const auto flush = [&] {
        out += (out.empty() ? "" : "; ") + std::string(name) + '*' + std::to_string(index++) + "*=" + piece;
        piece.clear();
    };
    for (const char c : utf8) {
        if (name.size() + piece.size() + 10 > kLongest) flush();
        if (isLetterOrDigit(c) || c == '-' || c == '.' || c == '_')
            piece += c;
        else
            appendHex(piece += '%', c);
    }
    if (!piece.empty()) flush();
    if (index > 1) return out;
    return std::string(name) + "*=" + out.substr(out.find('=') + 1);
}

}  // namespace postern::mail
