#include "mail/header.h"

#include "base/text.h"
#include "mail/charset.h"
#include "mail/encoding.h"
#include "mail/raw_fields.h"

namespace postern::mail {
namespace {

std::string_view withoutLineEnd(std::string_view text) {
    while (!text.empty() && (text.back() == '\n' || text.back() == '\r')) text.remove_suffix(1);
    return text;
}

// One "=?charset?B?text?=" as it stands in a value.
struct EncodedWord {
    std::string_view charset;
    bool base64 = false;
    std::string_view text;
    std::size_t length = 0;  // of the whole
};

class WordDecoder {
  public:
    explicit WordDecoder(std::string_view value) : value_(value) {}

    std::string decode() {
        while (at_ < value_.size()) {
            if (const auto word = wordHere())
                take(*word);
            else
                plain();
        }
        flush();
        return std::move(out_);
    }

  private:
    std::optional<EncodedWord> wordHere() {
        constexpr std::size_t kLongestCharset = 60;
        if (noMoreEnds_ || value_.substr(at_, 2) != "=?") return std::nullopt;
        const auto mark = value_.substr(at_ + 2, kLongestCharset).find('?');
        if (mark == std::string_view::npos || mark == 0) return std::nullopt;
        const std::size_t encoding = at_ + 2 + mark + 1;
        if (encoding + 1 >= value_.size() || value_[encoding + 1] != '?') return std::nullopt;
        const char letter = lowerAscii(value_[encoding]);
        if (letter != 'b' && letter != 'q') return std::nullopt;
        const auto end = value_.find("?=", encoding + 2);
        noMoreEnds_ = end == std::string_view::npos;  // so that many beginnings cost one search
        if (noMoreEnds_) return std::nullopt;
        std::string_view charset = value_.substr(at_ + 2, mark);
        charset = charset.substr(0, charset.find('*'));  // RFC 2231 section 5: "*language"
        return EncodedWord{charset, letter == 'b', value_.substr(encoding + 2, end - encoding - 2),
                           end + 2 - at_};
    }

    // Words of one charset are joined as bytes first: senders cut characters in two.
    void take(const EncodedWord& word) {
        blanks_.clear();  // between two words they are no text
        if (!isOpen_ || !equalsIgnoreCase(charset_, word.charset)) flush();
        isOpen_ = true;
        charset_ = word.charset;
        std::string text(word.text);
        if (!word.base64)
            for (char& c : text)
                if (c == '_') c = ' ';
        // Blanks at the end of a Q word are text: "=" and a line end behind them would keep them, a plain
        // decoder drops them.
        if (!word.base64 && !text.empty() && text.back() == ' ') text.replace(text.size() - 1, 1, "=20");
        TransferDecoder decoder(word.base64 ? TransferEncoding::Base64 : TransferEncoding::QuotedPrintable);
        decoder.decode(text, bytes_);
        decoder.finish(bytes_);
        at_ += word.length;
    }

    void plain() {
        const char c = value_[at_++];
        if (isOpen_ && (c == ' ' || c == '\t')) {
            blanks_ += c;
            return;
        }
        if (isOpen_) flush();
        raw_ += c;  // gathered: a character may have several bytes
    }

    void flush() {
        if (!raw_.empty()) out_ += toUtf8(raw_, "");
        raw_.clear();
        if (isOpen_) out_ += toUtf8(bytes_, charset_);
        bytes_.clear();
        isOpen_ = false;
        raw_ += blanks_;
        blanks_.clear();
    }

    std::string_view value_;
    std::size_t at_ = 0;
    bool noMoreEnds_ = false;
    bool isOpen_ = false;  // the last thing was a word: charset_ and bytes_ hold it
    std::string_view charset_;
    std::string bytes_, blanks_, raw_, out_;
};

}  // namespace

HeaderBlock::HeaderBlock(std::string bytes) : bytes_(std::move(bytes)) {
    for (std::string_view rest = bytes_; !rest.empty();) {
        const RawField field = takeField(rest);
        if (field.hasColon && !field.name.empty())
            fields_.emplace_back(trim(field.name), withoutLineEnd(field.value));
    }
}

std::string_view HeaderBlock::first(std::string_view name) const {
    for (const auto& [known, value] : fields_)
        if (equalsIgnoreCase(known, name)) return value;
    return {};
}

bool HeaderBlock::has(std::string_view name) const {
    return times(name) > 0;
}

std::size_t HeaderBlock::times(std::string_view name) const {
    std::size_t found = 0;
    for (const auto& field : fields_) found += equalsIgnoreCase(field.first, name) ? 1 : 0;
    return found;
}

bool isFieldLine(std::string_view line, bool isFirst) {
    if (isFirst && line.starts_with("From ")) return true;  // a mailbox file's separator
    const auto colon = line.find(':');
    if (colon == std::string_view::npos || colon == 0) return false;
    for (const char c : trim(line.substr(0, colon)))
        if (static_cast<unsigned char>(c) <= 0x20 || static_cast<unsigned char>(c) >= 0x7f) return false;
    return line.front() != ' ' && line.front() != '\t';
}

std::string unfold(std::string_view value) {
    std::string out;
    out.reserve(value.size());
    for (const char c : value)
        if (c != '\r' && c != '\n') out += c;
    return out;
}

std::string decodeText(std::string_view value) {
    std::string text = unfold(value);
    // The fast way, and most values.
    if (text.find("=?") == std::string::npos) return cleanLine(toUtf8(text, ""));
    return cleanLine(WordDecoder(text).decode());
}

std::vector<std::string> parseIds(std::string_view rawValue) {
    std::vector<std::string> ids;
    for (std::size_t at = 0;;) {
        const auto start = rawValue.find('<', at);
        if (start == std::string_view::npos) return ids;
        const auto end = rawValue.find('>', start);
        if (end == std::string_view::npos) return ids;
        std::string id;
        for (const char c : rawValue.substr(start, end - start + 1))
            if (static_cast<unsigned char>(c) > 0x20 && static_cast<unsigned char>(c) < 0x7f) id += c;
        ids.push_back(std::move(id));
        at = end + 1;
    }
}

}  // namespace postern::mail
