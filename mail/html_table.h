#pragma once
// Tables of HTML as lines: columns side by side where they fit, cell under cell where they do not. Mails use
// tables for layout more often than for data, so the content decides. Internal to this room. Thread rule:
// pure.

#include <vector>

#include "mail/html_lines.h"

namespace postern::mail {

struct HtmlCell {
    HtmlLines lines;
    int leading = 0;  // empty lines before them: people move a cell's text down with line breaks
    int span = 1;     // columns
    bool isHeader = false;
    bool right = false;  // asked for
};

struct HtmlRow {
    std::vector<HtmlCell> cells;
    bool gap = false;  // an empty row stood before it
};

// Columns beyond this are not kept apart.
inline constexpr int kMostColumns = 64;

HtmlLines layOutTable(std::vector<HtmlRow> rows, int width, const Ruler& ruler);

}  // namespace postern::mail
