#pragma once
// Lines of a page that is made from HTML. Internal to this room. Thread rule: pure functions.

#include <string>
#include <string_view>
#include <vector>

#include "mail/ruler.h"

namespace postern::mail {

struct HtmlLine {
    std::string text;    // UTF-8, no blanks behind it
    bool gap = false;    // a blank line stands before it
    bool fixed = false;  // laid out already: not to be filled
};
using HtmlLines = std::vector<HtmlLine>;

// Lines that are not fixed are broken at blanks to at most `width` columns; a longer word stays whole.
HtmlLines filled(HtmlLines lines, int width, const Ruler& ruler);

// `more` behind `lines`; its first line has a gap before it if `gap`. Never one at the beginning.
void appendLines(HtmlLines& lines, HtmlLines more, bool gap);

// Columns of the widest line.
int widest(const HtmlLines& lines, const Ruler& ruler);

// Without blanks and invisible characters at its end; empty when there is nothing else.
std::string_view withoutTrailingBlanks(std::string_view text);

// Whether lines of text have nothing that anybody sees.
bool showsNothing(std::string_view lines);

}  // namespace postern::mail
