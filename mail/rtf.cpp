#include "mail/rtf.h"

#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <vector>

#include "base/hex.h"
#include "base/text.h"
#include "mail/charset.h"
#include "mail/code_page.h"
#include "mail/text.h"

namespace postern::mail {
namespace {

bool isLetter(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

// Groups with these hold no text of the document.
bool isSkipped(std::string_view word) {
    static constexpr std::string_view kSkipped[] = {
        "colortbl", "stylesheet", "info",      "pict",    "object",  "header",  "headerl",
        "headerr",  "headerf",    "footer",    "footerl", "footerr", "footerf", "fldinst",
        "xe",       "tc",         "bkmkstart", "bkmkend", "filetbl", "revtbl",  "listtable"};
    return std::find(std::begin(kSkipped), std::end(kSkipped), word) != std::end(kSkipped);
}

std::string_view charsetOfFont(int number) {
    struct Known {
        int number;
        std::string_view charset;
    };
    static constexpr Known kKnown[] = {{128, "cp932"},        {129, "cp949"},        {134, "cp936"},
                                       {136, "cp950"},        {161, "windows-1253"}, {162, "windows-1254"},
                                       {163, "windows-1258"}, {177, "windows-1255"}, {178, "windows-1256"},
                                       {186, "windows-1257"}, {204, "windows-1251"}, {222, "windows-874"},
                                       {238, "windows-1250"}, {77, "macintosh"}};
    for (const Known& known : kKnown)
        if (known.number == number) return known.charset;
    return {};
}

struct Symbol {
    std::string_view word, text;
};
constexpr Symbol kSymbols[] = {{"par", "\n"},
                               {"line", "\n"},
                               {"sect", "\n"},
                               {"page", "\n"},
                               {"row", "\n"},
                               {"tab", "\t"},
                               {"cell", "\t"},
                               {"nestcell", "\t"},
                               {"emdash", "\xe2\x80\x94"},
                               {"endash", "\xe2\x80\x93"},
                               {"bullet", "\xe2\x80\xa2"},
                               {"lquote", "\xe2\x80\x98"},
                               {"rquote", "\xe2\x80\x99"},
                               {"ldblquote", "\xe2\x80\x9c"},
                               {"rdblquote", "\xe2\x80\x9d"},
                               {"emspace", " "},
                               {"enspace", " "},
                               {"nestrow", "\n"}};

struct Group {
    bool skipped = false;  // nothing of it is text
    bool isFonts = false;  // the font table
    bool hidden = false;
    int unicodeSkip = 1;  // characters behind "\u" that stand for it
    int font = 0;
};

class RtfReader {
  public:
    explicit RtfReader(std::string_view rtf) : rtf_(rtf) {}

    std::string run() {
        groups_.emplace_back();
        while (at_ < rtf_.size()) {
            const char c = rtf_[at_++];
            if (c == '{')
                open();
            else if (c == '}')
                close();
            else if (c == '\\')
                control();
            else if (c != '\r' && c != '\n' && c != '\0')
                text(c);
        }
        flush();
        return normalizeLines(out_);
    }

  private:
    // Beyond this depth groups only count: their settings are those of the deepest one kept.
    static constexpr std::size_t kMostGroups = 200;

    Group& group() { return groups_.back(); }

    void open() {
        toSkip_ = 0;
        isFirstWord_ = true;
        if (groups_.size() < kMostGroups)
            groups_.push_back(groups_.back());
        else
            ++deeper_;
    }

    void close() {
        toSkip_ = 0;
        if (deeper_ > 0) {
            --deeper_;
        } else if (groups_.size() > 1) {
            flush();
            groups_.pop_back();
        }
    }

    void control() {
        if (at_ >= rtf_.size()) return;
        const char c = rtf_[at_];
        if (isLetter(c)) return word();
        ++at_;
        if (c == '\'') return hexCharacter();
        if (c == '*') return star();
        if (c == '~') return add(" ");
        if (c == '_') return add("-");
        if (c == '\r' || c == '\n') return add("\n");
        if (c == '\\' || c == '{' || c == '}') text(c);
    }

    // "\*" before a word we do not know: the group is for others.
    void star() {
        if (isFirstWord_ && deeper_ == 0) group().skipped = true;
    }

    void hexCharacter() {
        if (at_ + 2 > rtf_.size()) return;
        const int high = hexDigit(rtf_[at_]), low = hexDigit(rtf_[at_ + 1]);
        if (high < 0 || low < 0) return;
        at_ += 2;
        text(static_cast<char>(high * 16 + low));
    }

    void word() {
        const std::size_t start = at_;
        while (at_ < rtf_.size() && isLetter(rtf_[at_]) && at_ - start < 40) ++at_;
        const std::string_view name = rtf_.substr(start, at_ - start);
        const std::size_t number = at_;
        if (at_ < rtf_.size() && rtf_[at_] == '-') ++at_;
        while (at_ < rtf_.size() && rtf_[at_] >= '0' && rtf_[at_] <= '9' && at_ - number < 11) ++at_;
        const auto value = parseInt(rtf_.substr(number, at_ - number));
        if (at_ < rtf_.size() && rtf_[at_] == ' ') ++at_;
        apply(name, value);
        isFirstWord_ = false;
    }

    void apply(std::string_view name, const std::optional<std::int64_t>& value) {
        if (name == "u" && value) return unicode(static_cast<int>(*value));
        if (name == "bin") {
            const auto length = static_cast<std::size_t>(std::max<std::int64_t>(0, value.value_or(0)));
            at_ += std::min(length, rtf_.size() - at_);
            return;
        }
        if (deeper_ > 0) return symbol(name);
        if (name == "uc")
            group().unicodeSkip = static_cast<int>(std::clamp<std::int64_t>(value.value_or(1), 0, 8));
        if (name == "ansicpg" && value) codePage_ = "cp" + std::to_string(*value);
        if (name == "v") group().hidden = value.value_or(1) != 0;
        if (name == "fonttbl") group().isFonts = true;
        if (name == "f" && value) setFont(static_cast<int>(std::clamp<std::int64_t>(*value, 0, 100000)));
        if (name == "fcharset" && value)
            setFontCharset(static_cast<int>(std::clamp<std::int64_t>(*value, 0, 255)));
        if (isFirstWord_ && isSkipped(name)) group().skipped = true;
        symbol(name);
    }

    void symbol(std::string_view name) {
        for (const Symbol& known : kSymbols)
            if (known.word == name) return add(known.text);
    }

    void setFont(int font) {
        flush();
        group().font = font;
    }

    void setFontCharset(int charset) {
        constexpr std::size_t kMostFonts = 1000;
        if (!group().isFonts || fonts_.size() >= kMostFonts) return;
        if (const std::string_view name = charsetOfFont(charset); !name.empty())
            fonts_.emplace(group().font, name);
    }

    std::string charset() const {
        const auto found = fonts_.find(groups_.back().font);
        return found == fonts_.end() ? codePage_ : std::string(found->second);
    }

    bool isVisible() const {
        const Group& now = groups_.back();
        return !now.skipped && !now.isFonts && !now.hidden;
    }

    // A byte in the charset of the font.
    void text(char c) {
        if (toSkip_ > 0) {
            --toSkip_;
            return;
        }
        isFirstWord_ = false;
        if (isVisible()) bytes_ += c;
    }

    void add(std::string_view utf8) {
        if (toSkip_ > 0) {
            --toSkip_;
            return;
        }
        if (!isVisible()) return;
        flush();
        out_ += utf8;
    }

    void unicode(int value) {
        toSkip_ = group().unicodeSkip;
        if (!isVisible()) return;
        flush();
        const auto unit = static_cast<char32_t>(value & 0xffff);
        if (unit >= 0xd800 && unit < 0xdc00) {
            highSurrogate_ = unit;
            return;
        }
        const bool isPair = unit >= 0xdc00 && unit < 0xe000;
        const char32_t high = std::exchange(highSurrogate_, 0);
        if (isPair && high == 0) return appendUtf8(out_, 0xfffd);
        appendUtf8(out_, isPair ? 0x10000 + ((high - 0xd800) << 10U) + (unit - 0xdc00) : unit);
    }

    void flush() {
        if (bytes_.empty()) return;
        out_ += hasEightBit(bytes_) ? decoder_.toUtf8(bytes_, charset()) : bytes_;
        bytes_.clear();
    }

    std::string_view rtf_;
    std::size_t at_ = 0;
    std::vector<Group> groups_;
    std::size_t deeper_ = 0;
    bool isFirstWord_ = false;  // nothing but "{" stands before in this group
    int toSkip_ = 0;
    char32_t highSurrogate_ = 0;
    std::string codePage_ = "windows-1252";
    std::map<int, std::string_view> fonts_;
    std::string bytes_, out_;
    Decoder decoder_;  // fonts may alternate at every letter
};

std::uint32_t little32(std::string_view bytes, std::size_t at) {
    std::uint32_t value = 0;
    for (std::size_t i = 4; i-- > 0;) value = value << 8U | static_cast<unsigned char>(bytes[at + i]);
    return value;
}

std::uint32_t crc32(std::string_view bytes) {
    static const auto kTable = [] {
        std::array<std::uint32_t, 256> table{};
        for (std::uint32_t i = 0; i < 256; ++i) {
            std::uint32_t value = i;
            for (int bit = 0; bit < 8; ++bit) value = value >> 1U ^ ((value & 1U) != 0 ? 0xedb88320U : 0U);
            table[i] = value;
        }
        return table;
    }();
    std::uint32_t crc = 0;  // MS-OXRTFCP 2.1.3.2: begins with zero and is not inverted
    for (const char c : bytes) crc = kTable[(crc ^ static_cast<unsigned char>(c)) & 0xffU] ^ crc >> 8U;
    return crc;
}

// What the window of 4096 bytes holds before the first byte (MS-OXRTFCP 2.1.2.1).
constexpr std::string_view kFirstWindow =
    "{\\rtf1\\ansi\\mac\\deff0\\deftab720{\\fonttbl;}{\\f0\\fnil \\froman \\fswiss \\fmodern \\fscript "
    "\\fdecor MS Sans SerifSymbolArialTimes New RomanCourier{\\colortbl\\red0\\green0\\blue0\r\n\\par "
    "\\pard\\plain\\f0\\fs20\\b\\i\\u\\tab\\tx";

Result<std::string> expand(std::string_view in, std::size_t size) {
    constexpr std::size_t kWindow = 4096;
    std::array<char, kWindow> window{};
    kFirstWindow.copy(window.data(), kFirstWindow.size());
    std::size_t write = kFirstWindow.size();
    std::string out;
    const auto put = [&](char c) {
        out += c;
        window[write++ % kWindow] = c;
    };
    for (std::size_t at = 0; at < in.size();) {
        const auto control = static_cast<unsigned char>(in[at++]);
        for (unsigned bit = 0; bit < 8; ++bit) {
            if ((control >> bit & 1U) == 0) {
                if (at >= in.size()) return fail(Errc::Invalid, "the compressed text is cut");
                put(in[at++]);
            } else {
                if (at + 2 > in.size()) return fail(Errc::Invalid, "the compressed text is cut");
                const unsigned token = static_cast<unsigned>(static_cast<unsigned char>(in[at])) << 8U |
                                       static_cast<unsigned char>(in[at + 1]);
                at += 2;
                const std::size_t from = token >> 4U;
                if (from == write % kWindow) return out;  // the end
                for (std::size_t i = 0; i < (token & 15U) + 2; ++i) put(window[(from + i) % kWindow]);
            }
            if (out.size() > size + 17) return fail(Errc::Invalid, "the compressed text is too long");
        }
    }
    return fail(Errc::Invalid, "the compressed text has no end");
}

}  // namespace

Result<std::string> decompressRtf(std::string_view bytes, std::size_t limit) {
    constexpr std::size_t kHeader = 16;
    constexpr std::uint32_t kCompressed = 0x75465a4c, kPlain = 0x414c454d;
    if (bytes.size() < kHeader) return fail(Errc::Invalid, "the compressed text is cut");
    const std::size_t packed = little32(bytes, 0), raw = little32(bytes, 4);
    if (packed < kHeader - 4 || packed > bytes.size() - 4)
        return fail(Errc::Invalid, "the compressed text is cut");
    if (raw > limit)
        return fail(Errc::NoSpace, "the compressed text has " + std::to_string(raw) +
                                       " bytes, the limit is " + std::to_string(limit));
    const std::string_view content = bytes.substr(kHeader, packed + 4 - kHeader);
    const std::uint32_t kind = little32(bytes, 8);
    if (kind == kPlain) return std::string(content.substr(0, raw));
    if (kind != kCompressed) return fail(Errc::Invalid, "an unknown kind of compressed text");
    if (crc32(content) != little32(bytes, 12))
        return fail(Errc::Invalid, "the checksum of the compressed text is wrong");
    POSTERN_LET(out, expand(content, raw));
    out.resize(std::min(out.size(), raw));
    return out;
}

std::string rtfToText(std::string_view rtf) {
    return RtfReader(rtf).run();
}

}  // namespace postern::mail
