#include "mail/html_page.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "mail/html_tokens.h"

namespace postern::mail {
namespace {

constexpr std::size_t kMostBoxes = 120;
constexpr int kMostOfAKind = 8;             // quotations, indents, lists
constexpr int kMostTables = 24;             // inside each other
constexpr std::size_t kMostRows = 2000;     // kept at once
constexpr std::size_t kMostKept = 100'000;  // lines and cells that are not laid out yet
constexpr std::size_t kMostLines = 1000;    // of the page itself: those before them are written
constexpr int kLeastWidth = 24;

int limitOf(HtmlPage::Box kind) {
    using Box = HtmlPage::Box;
    switch (kind) {
        case Box::Table: return kMostTables;
        case Box::Quote:
        case Box::Indent:
        case Box::List: return kMostOfAKind;
        default: return static_cast<int>(kMostBoxes);
    }
}

// Every line with `prefix` before it; a gap becomes a line of its own, so that quotations hold together.
HtmlLines quoted(const HtmlLines& lines) {
    HtmlLines out;
    for (const HtmlLine& line : lines) {
        if (line.gap && !out.empty()) out.push_back({">", false, true});
        out.push_back({(line.text.starts_with('>') ? ">" : "> ") + line.text, false, true});
    }
    return out;
}

HtmlLines indented(HtmlLines lines, const std::string& first, std::size_t others) {
    for (std::size_t i = 0; i < lines.size(); ++i) {
        lines[i].text.insert(0, i == 0 ? first : std::string(others, ' '));
        lines[i].fixed = true;
    }
    return lines;
}

// The lines from `next` on, at most `count`; `next` goes behind them.
HtmlLines takeSome(HtmlLines& lines, std::size_t& next, std::size_t count) {
    const auto begin = lines.begin() + static_cast<std::ptrdiff_t>(next);
    next += std::min(count, lines.size() - next);
    const auto end = lines.begin() + static_cast<std::ptrdiff_t>(next);
    HtmlLines some(std::make_move_iterator(begin), std::make_move_iterator(end));
    if (!some.empty()) some.front().gap = false;
    return some;
}

}  // namespace

HtmlPage::HtmlPage(int width, const Ruler& ruler) : ruler_(ruler) {
    boxes_.emplace_back();
    boxes_.back().width = width;
}

void HtmlPage::text(std::string_view words) {
    while (!words.empty()) {
        std::size_t size = 0;
        while (size < words.size() && !isHtmlSpace(words[size])) ++size;
        if (size > 0) literal(words.substr(0, size));
        words.remove_prefix(size);
        if (words.empty()) return;
        top().space = true;
        words.remove_prefix(1);
    }
}

void HtmlPage::literal(std::string_view text) {
    Open& box = top();
    if (box.space && !box.line.empty()) box.line += ' ';
    box.space = false;
    box.line += text;
}

void HtmlPage::preformatted(std::string_view text) {
    while (!text.empty()) {
        const auto end = std::min(text.find('\n'), text.size());
        std::string_view line = text.substr(0, end);
        if (line.ends_with('\r')) line.remove_suffix(1);
        top().line += line;
        if (end == text.size()) return;
        if (!withoutTrailingBlanks(top().line).empty()) {
            top().lines.push_back({std::string(withoutTrailingBlanks(top().line)), top().gap, true});
            top().gap = false;
        } else {
            top().gap = true;
        }
        top().line.clear();
        text.remove_prefix(end + 1);
        ++kept_;
        bound();
    }
}

void HtmlPage::mark(std::string_view text) {
    Open& box = top();
    if (box.line.empty() && !box.lines.empty() && !box.lines.back().fixed) {
        box.lines.back().text += text;
        return;
    }
    const bool space = std::exchange(box.space, false);
    box.line += box.line.empty() ? text.substr(1) : text;
    box.space = space;
}

void HtmlPage::endLine() {
    Open& box = top();
    const std::string_view shown = withoutTrailingBlanks(box.line);
    if (!shown.empty()) {
        box.lines.push_back({std::string(shown), !box.lines.empty() && box.gap, false});
        box.gap = false;
        ++kept_;
    } else if (!box.line.empty()) {
        box.gap = true;  // nothing but blanks: people space with them
    }
    box.line.clear();
    box.space = false;
}

// Memory stays a small part of the HTML's, whatever it is: lines of the page are written as soon as nothing
// refers to them, and what takes too long to be laid out is closed where it is. What comes behind it stands
// on the page, line by line.
void HtmlPage::bound() {
    if (kept_ > kMostKept)
        while (boxes_.size() > 1) pop();
    if (boxes_.size() > 1) return;
    kept_ = 0;
    const std::size_t size = top().lines.size();
    if (size <= kMostLines) return;
    if (headingBox_ != 1 || headingLine_ == 0) {
        headingBox_ = 0;  // nothing of so many lines is a heading
        return write(size - 1);
    }
    const std::size_t before = std::min(headingLine_, size - 1);
    write(before);
    headingLine_ -= before;
}

void HtmlPage::write(std::size_t count) {
    HtmlLines& lines = top().lines;
    for (std::size_t i = 0; i < count; ++i) {
        if (lines[i].gap && !out_.empty()) out_ += '\n';
        out_.append(lines[i].text).append("\n");
    }
    lines.erase(lines.begin(), lines.begin() + static_cast<std::ptrdiff_t>(count));
}

void HtmlPage::lineBreak() {
    constexpr int kMostLeading = 6;
    Open& box = top();
    if (box.line.empty() && box.lines.empty())
        box.cell.leading = std::min(box.cell.leading + 1, kMostLeading);
    if (box.line.empty()) box.gap = true;
    endLine();
}

void HtmlPage::rule() {
    static constexpr std::string_view kRule = "----------------------------------------";
    endLine();
    Open& box = top();
    if (!box.lines.empty() && box.lines.back().text == kRule) return;
    appendLines(box.lines, {{std::string(kRule), false, true}}, std::exchange(box.gap, false));
}

void HtmlPage::beginHeading() {
    paragraph();
    headingBox_ = boxes_.size();
    headingLine_ = top().lines.size();
}

void HtmlPage::endHeading(char underline) {
    endLine();
    HtmlLines& lines = top().lines;
    if (headingBox_ == boxes_.size() && headingLine_ < lines.size() && !lines.back().fixed) {
        const int columns = std::min(ruler_.columns(lines.back().text), top().width);
        lines.push_back({std::string(static_cast<std::size_t>(columns), underline), false, true});
    }
    headingBox_ = 0;
    top().gap = true;
}

bool HtmlPage::push(Box kind, int indent) {
    endLine();
    int same = 0;
    for (const Open& box : boxes_) same += box.kind == kind ? 1 : 0;
    if (same >= limitOf(kind) || boxes_.size() >= kMostBoxes) {
        ++ignored_[static_cast<std::size_t>(kind)];
        return false;
    }
    Open box;
    box.kind = kind;
    box.width = std::max(kLeastWidth, top().width - indent);
    boxes_.push_back(std::move(box));
    return true;
}

void HtmlPage::open(Box kind) {
    if (kind == Box::Quote) paragraph();
    push(kind, kind == Box::Quote ? 2 : 4);
}

void HtmlPage::openList(bool numbered, int start) {
    endLine();
    const bool isNested = top().kind == Box::Item || top().kind == Box::List;
    if (!isNested) top().gap = true;
    if (!push(Box::List, top().kind == Box::List ? 2 : 0)) return;
    top().numbered = numbered;
    top().next = start;
}

void HtmlPage::item() {
    close(Box::Item);
    const std::size_t list = find(Box::List);
    std::string mark = "* ";
    if (list > 0 && boxes_[list].numbered) mark = std::to_string(boxes_[list].next++) + ". ";
    if (!push(Box::Item, static_cast<int>(mark.size()))) return;
    top().mark = std::move(mark);
}

std::size_t HtmlPage::find(Box kind) const {
    for (std::size_t i = boxes_.size(); i-- > 1;) {
        if (boxes_[i].kind == kind) return i;
        if (boxes_[i].kind == Box::Cell || boxes_[i].kind == Box::Table) return 0;
        // An item of a list around this one is not this list's to close.
        if (kind == Box::Item && boxes_[i].kind == Box::List) return 0;
    }
    return 0;
}

void HtmlPage::close(Box kind) {
    endLine();
    int& ignored = ignored_[static_cast<std::size_t>(kind)];
    if (ignored > 0) {
        --ignored;
        return;
    }
    const std::size_t found = find(kind);
    if (found == 0) return;
    while (boxes_.size() > found) pop();
}

void HtmlPage::pop() {
    endLine();
    Open box = std::move(boxes_.back());
    boxes_.pop_back();
    if (box.kind == Box::Cell) return popCell(std::move(box));
    if (box.kind == Box::Table) return popTable(std::move(box));
    HtmlLines lines = std::move(box.lines);
    Open& outer = top();
    bool gapBehind = outer.gap && lines.empty();
    switch (box.kind) {
        case Box::Quote:
            lines = quoted(filled(std::move(lines), box.width, ruler_));
            gapBehind = true;
            break;
        case Box::Indent: lines = indented(filled(std::move(lines), box.width, ruler_), "    ", 4); break;
        case Box::Item:
            lines = indented(filled(std::move(lines), box.width, ruler_), box.mark, box.mark.size());
            break;
        case Box::List:
            if (outer.kind == Box::List) lines = indented(std::move(lines), "  ", 2);
            gapBehind = outer.kind != Box::List && outer.kind != Box::Item;
            break;
        default: break;
    }
    appendLines(outer.lines, std::move(lines), outer.gap);
    outer.gap = gapBehind;
}

void HtmlPage::popTable(Open box) {
    endRow(box);
    settle(box);
    HtmlLines laidOut = layOutTable(std::move(box.rows), box.width, ruler_);
    const bool caption = !box.lines.empty() && !box.hasEarlier;
    appendLines(box.lines, std::move(laidOut), caption);
    Open& outer = top();
    if (box.lines.empty()) return;
    const bool isBlock = box.lines.size() > 1;
    appendLines(outer.lines, std::move(box.lines), outer.gap || isBlock);
    outer.gap = isBlock;
}

void HtmlPage::popCell(Open box) {
    Open& table = top();
    box.cell.lines = std::move(box.lines);
    if (box.rowSpan > 1) {
        if (table.reserved.size() <= table.column) table.reserved.resize(table.column + 1);
        Reserved& reserved = table.reserved[table.column];
        // Where a row has too many columns its last cell stands in another one's place.
        HtmlLines waiting = takeSome(reserved.lines, reserved.next, reserved.lines.size());
        appendLines(waiting, std::move(box.cell.lines), false);
        reserved = {box.rowSpan - 1, box.cell.span, std::move(waiting), 0};
        const bool gap = !reserved.lines.empty() && reserved.lines.front().gap;
        box.cell.lines = takeSome(reserved.lines, reserved.next, 1);
        if (gap) box.cell.lines.front().gap = true;
    }
    addCell(table, std::move(box.cell));
}

void HtmlPage::addCell(Open& table, HtmlCell cell) {
    table.column += static_cast<std::size_t>(cell.span);
    table.rows.back().cells.push_back(std::move(cell));
}

bool HtmlPage::hasTable() const {
    return std::any_of(boxes_.begin(), boxes_.end(), [](const Open& box) { return box.kind == Box::Table; });
}

void HtmlPage::toTable() {
    while (top().kind != Box::Table) pop();
    endLine();
}

void HtmlPage::openTable() {
    push(Box::Table, 0);
}

void HtmlPage::row() {
    if (ignored_[static_cast<std::size_t>(Box::Table)] > 0 || !hasTable()) return endLine();
    toTable();
    Open& table = top();
    endRow(table);
    if (table.rows.size() < kMostRows) return;
    settle(table);
    appendLines(table.lines, layOutTable(std::move(table.rows), table.width, ruler_), false);
    table.hasEarlier = true;
    table.rows.clear();
}

// The next lines of a cell that began in a row above.
void HtmlPage::addBelow(Open& table) {
    Reserved& reserved = table.reserved[table.column];
    HtmlCell below;
    below.span = reserved.span;
    const bool isLast = --reserved.rows == 0;
    below.lines = takeSome(reserved.lines, reserved.next, isLast ? reserved.lines.size() : 1);
    addCell(table, std::move(below));
}

void HtmlPage::skipReserved(Open& table) {
    while (table.column < table.reserved.size() && table.reserved[table.column].rows > 0) addBelow(table);
}

// What waits behind the row's last cell belongs to this row too. Cells that have nothing left to say are not
// made up there: a row of one cell stays one.
void HtmlPage::endRow(Open& table) {
    if (!std::exchange(table.rowOpen, false)) return;
    for (std::size_t i = table.column; i < table.reserved.size(); ++i) {
        Reserved& reserved = table.reserved[i];
        if (reserved.rows == 0 || i < table.column) continue;  // a wide cell may stand over another
        if (reserved.next == reserved.lines.size()) {
            --reserved.rows;
            continue;
        }
        if (i > table.column) {
            HtmlCell between;
            between.span = static_cast<int>(i - table.column);
            addCell(table, std::move(between));
        }
        addBelow(table);
    }
}

// No row comes in which they could go on: all lines that wait stand in the last one.
void HtmlPage::settle(Open& table) {
    std::size_t column = 0;
    if (!table.rows.empty())
        for (HtmlCell& cell : table.rows.back().cells) {
            if (column < table.reserved.size()) takeRest(table.reserved[column], cell.lines);
            column += static_cast<std::size_t>(cell.span);
        }
    for (Reserved& reserved : table.reserved) takeRest(reserved, table.lines);
    table.reserved.clear();
}

void HtmlPage::takeRest(Reserved& reserved, HtmlLines& lines) {
    const bool gap = reserved.next < reserved.lines.size() && reserved.lines[reserved.next].gap;
    appendLines(lines, takeSome(reserved.lines, reserved.next, reserved.lines.size()), gap);
}

void HtmlPage::cell(int span, int rowSpan, bool isHeader, bool right) {
    if (ignored_[static_cast<std::size_t>(Box::Table)] > 0 || !hasTable()) {
        endLine();
        return;
    }
    toTable();
    Open& table = top();
    if (!table.rowOpen) {
        table.rows.emplace_back();
        table.column = 0;
    }
    table.rowOpen = true;
    skipReserved(table);
    ++kept_;
    if (!push(Box::Cell, 0)) return;
    takeLastCell();
    top().cell.span = span;
    top().cell.isHeader = isHeader;
    top().cell.right = right;
    top().rowSpan = rowSpan;
}

// A row that has all the columns there may be goes on in its last one.
void HtmlPage::takeLastCell() {
    Open& table = boxes_[boxes_.size() - 2];
    auto& cells = table.rows.back().cells;
    if (cells.size() < kMostColumns) return;
    table.column -= static_cast<std::size_t>(cells.back().span);
    top().lines = std::move(cells.back().lines);
    cells.pop_back();
}

void HtmlPage::closeTable() {
    int& ignored = ignored_[static_cast<std::size_t>(Box::Table)];
    if (ignored > 0 || !hasTable()) {
        ignored = std::max(0, ignored - 1);
        return endLine();
    }
    toTable();
    pop();
}

std::string HtmlPage::take() {
    while (boxes_.size() > 1) pop();
    endLine();
    write(top().lines.size());
    return std::move(out_);
}

}  // namespace postern::mail
