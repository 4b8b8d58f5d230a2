#include "mail/html_lines.h"

#include <algorithm>
#include <iterator>

#include "mail/code_page.h"
#include "mail/fallback.h"

namespace postern::mail {
namespace {

// One line into pieces of at most `width` columns; the blanks at which it is broken are dropped.
void fillLine(const HtmlLine& line, int width, const Ruler& ruler, HtmlLines& out) {
    const std::string_view text = line.text;
    HtmlLine piece{{}, line.gap, false};
    int used = 0;
    for (std::size_t at = 0; at < text.size();) {
        const auto blanks = std::min(text.find_first_not_of(' ', at), text.size());
        const auto end = std::min(text.find(' ', blanks), text.size());
        const std::string_view word = text.substr(blanks, end - blanks);
        const int columns = ruler.columns(word);
        const int before = static_cast<int>(blanks - at);
        if (!piece.text.empty() && used + before + columns > width) {
            out.push_back(std::move(piece));
            piece = {};
            used = 0;
        } else {
            piece.text.append(text.substr(at, blanks - at));
            used += before;
        }
        piece.text.append(word);
        used += columns;
        at = end;
    }
    out.push_back(std::move(piece));
}

}  // namespace

HtmlLines filled(HtmlLines lines, int width, const Ruler& ruler) {
    HtmlLines out;
    out.reserve(lines.size());
    for (HtmlLine& line : lines) {
        const bool fits = line.fixed || ruler.columns(line.text) <= width;
        if (fits)
            out.push_back(std::move(line));
        else
            fillLine(line, width, ruler, out);
    }
    return out;
}

void appendLines(HtmlLines& lines, HtmlLines more, bool gap) {
    if (more.empty()) return;
    more.front().gap = gap && !lines.empty();
    if (lines.empty())
        lines = std::move(more);
    else
        lines.insert(lines.end(), std::make_move_iterator(more.begin()), std::make_move_iterator(more.end()));
}

int widest(const HtmlLines& lines, const Ruler& ruler) {
    int columns = 0;
    for (const HtmlLine& line : lines) columns = std::max(columns, ruler.columns(line.text));
    return columns;
}

std::string_view withoutTrailingBlanks(std::string_view text) {
    const std::string_view whole = text;
    std::size_t end = 0;  // behind the last visible character
    while (!text.empty()) {
        const char32_t c = takeCharacter(text);
        if (!isUnseen(c)) end = whole.size() - text.size();
    }
    return whole.substr(0, end);
}

bool showsNothing(std::string_view lines) {
    while (!lines.empty()) {
        const char32_t c = takeCharacter(lines);
        if (c != '\n' && !isUnseen(c)) return false;
    }
    return true;
}

}  // namespace postern::mail
