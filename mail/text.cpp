#include "mail/text.h"

#include "mail/charset.h"
#include "mail/code_page.h"
#include "mail/fallback.h"

namespace postern::mail {
namespace {

// East Asian wide and full-width blocks and emoji, from the Unicode Character Database, coarsely.
bool isWide(char32_t c) {
    if (c < 0x1100) return false;
    return c <= 0x115f || (c >= 0x2e80 && c <= 0x303e) || (c >= 0x3041 && c <= 0xa4cf) ||
           (c >= 0xac00 && c <= 0xd7a3) || (c >= 0xf900 && c <= 0xfaff) || (c >= 0xfe30 && c <= 0xfe6f) ||
           (c >= 0xff00 && c <= 0xff60) || (c >= 0xffe0 && c <= 0xffe6) || (c >= 0x1f300 && c <= 0x1f64f) ||
           (c >= 0x1f680 && c <= 0x1f6ff) || (c >= 0x1f900 && c <= 0x1f9ff) || (c >= 0x20000 && c <= 0x3fffd);
}

// Of the scripts that are written without blanks: a line may be broken before each character but those that
// belong to the one before. Korean has blanks.
bool mayBreakBefore(char32_t c) {
    constexpr std::u32string_view kBelongs =
        U"\u3001\u3002\u3005\u3009\u300b\u300d\u300f\u3011\u3015\u30fc\uff01\uff09"
        U"\uff0c\uff0e\uff1a\uff1b\uff1f\uff3d\uff5d";
    return ((c >= 0x2e80 && c <= 0xa4cf) || (c >= 0xf900 && c <= 0xfaff) || (c >= 0xff00 && c <= 0xff60) ||
            (c >= 0x20000 && c <= 0x3fffd)) &&
           kBelongs.find(c) == std::u32string_view::npos;
}

bool isHalfWidth(char32_t c) {
    return c < 0x80 || (c >= 0xff61 && c <= 0xffdc);
}

int advance(char32_t c, int column, Letters letters) {
    if (c == '\t') return 8 - column % 8;
    // A soft hyphen: the character sets that have it give it a byte, and old screens a place.
    if (c == 0x00ad) return 1;
    if (c < 0x20 || c == 0x7f || isIgnorable(c)) return 0;
    return isWide(c) || (letters == Letters::EastAsian && !isHalfWidth(c)) ? 2 : 1;
}

// How far an address of the web reaches that begins at the front of `text`; 0 when there is none, or one that
// is longer than anybody would keep whole.
std::size_t addressLength(std::string_view text) {
    constexpr std::size_t kMost = 250;
    for (const std::string_view scheme : {"http://", "https://", "ftp://", "<http://", "<https://"}) {
        if (!text.starts_with(scheme)) continue;
        const auto end = std::min(text.substr(0, kMost + 1).find_first_of(" \t"), text.size());
        return end <= kMost ? end : 0;
    }
    return 0;
}

// Wraps one line (without its LF) into `out`.
class LineWrapper {
  public:
    LineWrapper(std::string_view line, int columns, Letters letters, std::string& out)
        : line_(line), columns_(columns), letters_(letters), out_(out) {}

    void run() {
        for (bool startsWord = true; at_ < line_.size();) {
            const std::size_t address = startsWord ? addressLength(line_.substr(at_)) : 0;
            if (address > 0) {
                takeAddress(address);
                startsWord = false;
            } else {
                startsWord = takeOne();
            }
        }
        out_.append(line_.substr(start_));
    }

  private:
    // Behind a mark of a few columns it stays even when it has no room: it has none on the next line either.
    void takeAddress(std::size_t length) {
        constexpr int kMark = 8;
        const int width = displayColumns(line_.substr(at_, length), letters_);
        const bool helps = width <= columns_ || column_ > kMark;
        if (column_ + width > columns_ && column_ > 0 && helps) breakAt(at_);
        at_ += length;
        column_ += width;
    }

    // Whether a word may begin behind it.
    bool takeOne() {
        std::string_view rest = line_.substr(at_);
        const char32_t c = takeCharacter(rest);
        const int width = advance(c, column_, letters_);
        if (column_ > columns_ && c == ' ') {  // behind a long address
            breakAt(at_ + 1);
            return true;
        }
        if (mayBreakBefore(c)) afterBlank_ = at_;
        if (width > 0 && column_ + width > columns_ && at_ > start_) {
            breakAt(afterBlank_ > start_ ? afterBlank_ : at_);
            return at_ == afterBlank_;
        }
        column_ += width;
        at_ = line_.size() - rest.size();
        const bool isBlank = c == ' ' || c == '\t';
        if (isBlank) afterBlank_ = at_;
        return isBlank || c == '(' || c == '"';
    }

    void breakAt(std::size_t cut) {
        out_.append(line_.substr(start_, cut - start_)).append("\n");
        start_ = at_ = cut;
        column_ = 0;
    }

    std::string_view line_;
    int columns_;
    Letters letters_;
    std::string& out_;
    std::size_t start_ = 0;  // of what is not written yet
    std::size_t at_ = 0;
    std::size_t afterBlank_ = 0;  // the last place to break at; none when it is not behind start_
    int column_ = 0;
};

// Bytes that stay as they are, but for C2, which may begin a control character.
bool isLineText(char c) {
    return (static_cast<unsigned char>(c) >= 0x20 && c != 0x7f && c != '\xc2') || c == '\n' || c == '\t';
}

struct QuotedLine {
    std::size_t depth = 0;
    std::string_view text;
    bool flows = false;
};

QuotedLine readFlowed(std::string_view line) {
    QuotedLine read;
    while (read.depth < line.size() && line[read.depth] == '>') ++read.depth;
    read.text = line.substr(read.depth);
    if (read.text.starts_with(' ')) read.text.remove_prefix(1);  // space-stuffing
    read.flows = read.text.ends_with(' ') && read.text != "-- ";
    return read;
}

// Takes the next line, without its LF, from the front of `text`.
std::string_view takeLine(std::string_view& text) {
    const auto newline = text.find('\n');
    const std::string_view line = text.substr(0, newline);
    text.remove_prefix(newline == std::string_view::npos ? text.size() : newline + 1);
    return line;
}

}  // namespace

Letters lettersOf(std::string_view charset) {
    const std::string_view name = canonicalCharset(charset);
    const bool narrow = !knownCodePage(charset) || name == "UTF-8" || CodePage::find(name) != nullptr;
    return narrow ? Letters::Unicode : Letters::EastAsian;
}

std::string wrap(std::string_view text, int columns, Letters letters) {
    if (columns <= 0) return std::string(text);
    std::string out;
    out.reserve(text.size() + text.size() / 32);
    std::size_t kept = 0;  // from here up to a long line all stays as it is
    for (std::size_t at = 0; at < text.size();) {
        const auto end = std::min(text.find('\n', at), text.size());
        const std::string_view line = text.substr(at, end - at);
        // A byte is at most one column but for tabs.
        const bool fits =
            line.size() <= static_cast<std::size_t>(columns) && line.find('\t') == std::string_view::npos;
        if (!fits) {
            out.append(text.substr(kept, at - kept));
            LineWrapper(line, columns, letters, out).run();
            kept = end;
        }
        at = end + 1;
    }
    return out.append(text.substr(kept));
}

int displayColumns(std::string_view line, Letters letters) {
    int column = 0;
    while (!line.empty()) column += advance(takeCharacter(line), column, letters);
    return column;
}

std::string unflow(std::string_view text, bool delSp) {
    std::string out;
    out.reserve(text.size());
    bool open = false;  // the last line written waits for its continuation
    std::size_t depth = 0;
    while (!text.empty()) {
        QuotedLine line = readFlowed(takeLine(text));
        if (open && (line.depth != depth || line.text == "-- ")) {
            out += '\n';
            open = false;
        }
        if (!open && line.depth > 0) out.append(line.depth, '>').append(line.text.empty() ? "" : " ");
        depth = line.depth;
        open = line.flows;
        if (open && delSp) line.text.remove_suffix(1);
        out.append(line.text);
        if (!open) out += '\n';
    }
    if (open) out += '\n';
    return out;
}

std::string normalizeLines(std::string_view text) {
    if (text.starts_with("\xef\xbb\xbf")) text.remove_prefix(3);
    std::string out;
    out.reserve(text.size() + 1);
    while (!text.empty()) {
        std::size_t keep = 0;
        while (keep < text.size()) {
            keep += printablePrefix(text.substr(keep));
            if (keep == text.size() || !isLineText(text[keep])) break;
            ++keep;
        }
        out.append(text.substr(0, keep));
        text.remove_prefix(keep);
        if (text.empty()) break;
        const bool isBreak = text.front() == '\r';
        const bool isC1 = text.size() > 1 && text.front() == '\xc2' && (text[1] & '\xe0') == '\x80';
        if (isBreak)
            out += '\n';
        else if (text.front() == '\xc2' && !isC1)
            out += '\xc2';
        const bool isPair = isBreak && text.size() > 1 && text[1] == '\n';
        text.remove_prefix(isC1 || isPair ? 2 : 1);
    }
    if (!out.empty() && out.back() != '\n') out += '\n';
    return out;
}

}  // namespace postern::mail
