#include "connector/manual/mdoc.h"

#include <algorithm>
#include <cctype>
#include <cstdio>
#include <optional>
#include <utility>

#include "base/text.h"

namespace postern::manual {

namespace {

constexpr std::size_t kWidth = 78;  // mandoc asks for 80 at most
constexpr std::string_view kDelimiters = ".,:;()[]?!|";

// The first character of `text`, which is cut off it; a byte that belongs to none is '?'.
char32_t nextCharacter(std::string_view& text) {
    const auto first = static_cast<unsigned char>(text[0]);
    const std::size_t size = first < 0x80 ? 1 : first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : first >= 0xc2 ? 2 : 0;
    if (size == 0 || size > text.size() || !validUtf8(text.substr(0, size))) {
        text.remove_prefix(1);
        return U'?';
    }
    char32_t value = size == 1 ? first : first & (0xffU >> (size + 1));
    for (std::size_t i = 1; i < size; ++i) value = value << 6 | (static_cast<unsigned char>(text[i]) & 0x3fU);
    text.remove_prefix(size);
    return value;
}

void append(std::string& out, char32_t c, bool literal) {
    if (c >= 0x7f) {
        char escape[16];
        std::snprintf(escape, sizeof escape, "\\[u%04lX]", static_cast<unsigned long>(c));
        out += c < 0xa0 ? " " : escape;
        return;
    }
    switch (c) {
        case U'\\': out += "\\e"; break;
        case U'^': out += "\\(ha"; break;
        case U'~': out += "\\(ti"; break;
        case U'`': out += "\\(ga"; break;
        case U'"': out += "\\(dq"; break;
        case U'\'': out += literal ? "\\(aq" : "'"; break;
        case U'-': out += literal ? "\\-" : "-"; break;
        default: out += c < 0x20 ? ' ' : static_cast<char>(c);
    }
}

// A line of text that begins with one of these would be read as a command.
std::string asLine(std::string line) {
    if (line.starts_with('.') || line.starts_with('\'')) line.insert(0, "\\&");
    return line;
}

const char* fontOf(Face face) {
    return face == Face::Plain ? "" : "\\fB";
}

// "postern.toml(5)," apart; nothing when it is none.
std::optional<Word> pageIn(const std::string& text) {
    const auto open = text.find('(');
    if (open == std::string::npos || open == 0 || open + 2 >= text.size() || text[open + 2] != ')') return {};
    const char section = text[open + 1];
    if (section < '1' || section > '8' || std::isalpha(static_cast<unsigned char>(text[0])) == 0) return {};
    for (const char c : text.substr(0, open))
        if (std::isalnum(static_cast<unsigned char>(c)) == 0 && c != '-' && c != '.' && c != '_') return {};
    Word word{{}, text, text.substr(0, open), std::string(1, section), text.substr(open + 3)};
    if (word.behind.find_first_not_of(kDelimiters) != std::string::npos) return {};
    return word;
}

// A sentence ends with this word when a new one begins behind it.
bool endsSentence(std::string_view word) {
    while (!word.empty() && (word.back() == ')' || word.back() == '"' || word.back() == '\''))
        word.remove_suffix(1);
    return word.size() > 1 && (word.back() == '.' || word.back() == '!' || word.back() == '?');
}

bool beginsSentence(const Word& word) {
    for (const char c : word.plain) {
        if (std::isupper(static_cast<unsigned char>(c)) != 0) return true;
        if (c != '"' && c != '(' && c != '\'') return false;
    }
    return false;
}

}  // namespace

std::string escaped(std::string_view text, Face face) {
    std::string out;
    while (!text.empty()) append(out, nextCharacter(text), face == Face::Literal);
    return out;
}

std::string argument(std::string_view text) {
    const std::string inner = escaped(text, Face::Literal);
    if (inner.find(' ') != std::string::npos || inner.empty()) return "\"" + inner + "\"";
    // Names of macros have two or three letters; alone, these marks are delimiters.
    const bool risky = text.size() <= 3 || kDelimiters.find(text[0]) != std::string_view::npos;
    return (risky ? "\\&" : "") + inner;
}

void Prose::add(std::string_view text, Face face) {
    while (!text.empty()) {
        const auto blank = text.find_first_of(" \t\r\n");
        const std::string_view head = text.substr(0, blank);
        if (!head.empty() && !word_.empty() && word_.back().face == face) {
            word_.back().text += head;
        } else if (!head.empty()) {
            word_.push_back({std::string(head), face});
        }
        if (blank == std::string_view::npos) return;
        endWord();
        text.remove_prefix(blank + 1);
    }
}

void Prose::endWord() {
    if (word_.empty()) return;
    Word word;
    for (const Piece& piece : word_) {
        // A word that begins with a hyphen is an option, wherever it stands.
        const bool option = word.plain.empty() && piece.text.starts_with('-') && piece.text.size() > 1;
        const bool fonted = piece.face != Face::Plain;
        word.shown += fontOf(piece.face) + escaped(piece.text, option ? Face::Literal : piece.face);
        if (fonted) word.shown += "\\fR";
        word.plain += piece.text;
    }
    if (auto page = pageIn(word.plain)) word = *std::move(page);
    words_.push_back(std::move(word));
    word_.clear();
}

std::vector<Word> Prose::words() {
    endWord();
    return std::exchange(words_, {});
}

Mdoc::Mdoc(std::string_view name, int section, std::string_view date) {
    line(".Dd " + std::string(date));
    line(".Dt " + upperAscii(name) + " " + std::to_string(section));
    line(".Os");
}

void Mdoc::line(std::string_view macros) {
    text_.append(macros).append("\n");
    afterText_ = false;
}

void Mdoc::section(std::string_view title) {
    line(".Sh " + std::string(title));
}

void Mdoc::subsection(std::string_view title) {
    line(".Ss " + argument(title));
}

void Mdoc::paragraph(std::vector<Word> words) {
    if (words.empty()) return;
    if (afterText_) line(".Pp");
    flow(words);
}

void Mdoc::paragraph(std::string_view plain) {
    Prose prose;
    prose.add(plain);
    paragraph(prose.words());
}

void Mdoc::flow(std::string_view plain) {
    Prose prose;
    prose.add(plain);
    flow(prose.words());
}

void Mdoc::flow(const std::vector<Word>& words) {
    std::string line;
    const auto end = [&](bool inSentence) {
        if (line.empty()) return;
        // What ends like a sentence and goes on would get a wide blank.
        if (inSentence && endsSentence(line)) line += "\\&";
        text_.append(asLine(std::move(line))).append("\n");
        line.clear();
    };
    for (std::size_t i = 0; i < words.size(); ++i) {
        const Word& word = words[i];
        if (!word.page.empty()) {
            end(true);
            text_.append(".Xr ").append(word.page).append(" ").append(word.section);
            for (const char c : word.behind) text_.append(" ").append(1, c);
            text_.append("\n");
            continue;
        }
        if (!line.empty() && line.size() + 1 + word.shown.size() > kWidth) end(true);
        line.append(line.empty() ? "" : " ").append(word.shown);
        const bool over = i + 1 < words.size() && endsSentence(word.plain) && beginsSentence(words[i + 1]);
        if (over) end(false);
    }
    end(false);
    afterText_ = true;
}

void Mdoc::literal(const std::vector<std::string>& lines) {
    line(".Bd -literal -offset indent");
    for (const std::string& each : lines) {
        std::string wide;
        for (const char c : each) wide += c == '\t' ? "        " : std::string(1, c);
        text_.append(asLine(escaped(wide, Face::Literal))).append("\n");
    }
    line(".Ed");
    afterText_ = true;
}

void Mdoc::beginList(std::string_view kind) {
    line(".Bl " + std::string(kind));
}

void Mdoc::endList() {
    line(".El");
    afterText_ = true;
}

}  // namespace postern::manual
