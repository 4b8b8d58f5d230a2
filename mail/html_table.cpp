#include "mail/html_table.h"

#include <algorithm>
#include <numeric>
#include <optional>

#include "base/text.h"

namespace postern::mail {
namespace {

constexpr int kBetween = 2;            // blanks between two columns
constexpr int kLeastColumn = 14;       // a column is not made narrower to fit
constexpr std::size_t kTallest = 12;   // lines of a cell that may stand beside another
constexpr std::size_t kLongest = 240;  // bytes of a cell of data

bool isEmpty(const HtmlCell& cell) {
    return cell.lines.empty();
}

int columnsOf(const HtmlRow& row) {
    return std::accumulate(row.cells.begin(), row.cells.end(), 0,
                           [](int sum, const HtmlCell& cell) { return sum + cell.span; });
}

// One cell, or one over the whole width: it stands by itself.
bool isWhole(const HtmlRow& row) {
    return row.cells.size() == 1;
}

std::size_t bytesOf(const HtmlCell& cell) {
    std::size_t bytes = 0;
    for (const HtmlLine& line : cell.lines) bytes += line.text.size();
    return bytes;
}

// "1 234,50 EUR", "-12.5 %", "24.00": digits, signs and a short unit.
bool isNumber(const HtmlCell& cell) {
    if (cell.lines.size() != 1) return false;
    std::size_t letters = 0, digits = 0;
    for (const char c : cell.lines.front().text) {
        const bool continues = (c & '\xc0') == '\x80';  // of a UTF-8 character
        if (c >= '0' && c <= '9')
            ++digits;
        else if (!continues && std::string_view(" .,+-%'()/*$").find(c) == std::string_view::npos)
            ++letters;
    }
    return digits > 0 && letters <= 4;
}

class Grid {
  public:
    Grid(std::vector<HtmlRow>& rows, int width, const Ruler& ruler)
        : rows_(rows), width_(width), ruler_(ruler) {}

    std::optional<HtmlLines> lines() {
        measure();
        if (widths_.size() < 2 || !fits()) return std::nullopt;
        HtmlLines out;
        bool wasTall = false;
        for (std::size_t i = 0; i < rows_.size(); ++i) {
            HtmlLines row = isWhole(rows_[i]) ? std::move(rows_[i].cells[0].lines) : rowLines(rows_[i]);
            const bool isTall = row.size() > 1;
            const bool afterHeader = i == 1 && hasHeader();
            appendLines(out, std::move(row), rows_[i].gap || ((isTall || wasTall) && !afterHeader));
            wasTall = isTall;
            if (i == 0 && hasHeader() && rows_.size() > 1) out.push_back(rule());
        }
        return out;
    }

    bool hasHeader() const {
        const auto& first = rows_.front().cells;
        return first.size() > 1 &&
               std::all_of(first.begin(), first.end(), [](const HtmlCell& c) { return c.isHeader; });
    }

  private:
    // Calls visit(cell, column) for each cell of the rows that have several.
    template <class Visit>
    void eachCell(const Visit& visit) {
        for (HtmlRow& row : rows_) {
            if (isWhole(row)) continue;
            std::size_t column = 0;
            for (HtmlCell& cell : row.cells) {
                visit(cell, column);
                column += static_cast<std::size_t>(cell.span);
            }
        }
    }

    void measure() {
        int columns = 0;
        for (const HtmlRow& row : rows_)
            if (!isWhole(row)) columns = std::max(columns, columnsOf(row));
        widths_.assign(static_cast<std::size_t>(columns), 0);
        numeric_.assign(widths_.size(), true);
        eachCell([&](const HtmlCell& cell, std::size_t column) {
            if (cell.span == 1) widths_[column] = std::max(widths_[column], widest(cell.lines, ruler_));
            if (!isEmpty(cell) && !cell.isHeader && cell.span == 1 && !isNumber(cell))
                numeric_[column] = false;
        });
        eachCell([&](const HtmlCell& cell, std::size_t column) {
            const int missing = widest(cell.lines, ruler_) - widthOf(column, cell.span);
            if (cell.span > 1 && missing > 0)
                widths_[column + static_cast<std::size_t>(cell.span) - 1] += missing;
        });
    }

    int widthOf(std::size_t column, int span) const {
        int width = 0;
        bool isFirst = true;
        for (std::size_t c = column; c < column + static_cast<std::size_t>(span); ++c) {
            if (widths_[c] == 0) continue;  // an empty column takes no room
            width += widths_[c] + (isFirst ? 0 : kBetween);
            isFirst = false;
        }
        return width;
    }

    int total() const { return widthOf(0, static_cast<int>(widths_.size())); }

    bool fits() {
        bool isLow = true, isData = hasHeader() || severalRows();
        eachCell([&](const HtmlCell& cell, std::size_t) {
            isLow = isLow && cell.lines.size() <= kTallest;
            const bool laidOut = std::any_of(cell.lines.begin(), cell.lines.end(),
                                             [](const HtmlLine& line) { return line.fixed; });
            isData = isData && bytesOf(cell) <= kLongest && !laidOut;
        });
        if (!isLow) return false;
        return total() <= width_ || (isData && shrink());
    }

    bool severalRows() const {
        return std::count_if(rows_.begin(), rows_.end(), [](const HtmlRow& row) { return !isWhole(row); }) >
               1;
    }

    // Takes from the widest columns until all fit; false when that leaves one too narrow for its words.
    bool shrink() {
        while (total() > width_) {
            auto widestColumn = std::max_element(widths_.begin(), widths_.end());
            if (*widestColumn <= kLeastColumn) return false;
            --*widestColumn;
        }
        bool holds = true;
        std::vector<HtmlRow> before = rows_;
        eachCell([&](HtmlCell& cell, std::size_t column) {
            const int room = widthOf(column, cell.span);
            cell.lines = filled(std::move(cell.lines), room, ruler_);
            holds = holds && widest(cell.lines, ruler_) <= room && cell.lines.size() <= kTallest;
        });
        if (!holds) rows_ = std::move(before);
        return holds;
    }

    // A cell's lines with their gaps as empty ones.
    static std::vector<std::string_view> shownLines(const HtmlCell& cell) {
        std::vector<std::string_view> shown(static_cast<std::size_t>(cell.lines.empty() ? 0 : cell.leading));
        for (const HtmlLine& line : cell.lines) {
            if (line.gap && !shown.empty()) shown.emplace_back();
            shown.emplace_back(line.text);
        }
        return shown;
    }

    HtmlLines rowLines(const HtmlRow& row) const {
        std::vector<std::vector<std::string_view>> cells;
        std::size_t height = 0;
        for (const HtmlCell& cell : row.cells) {
            cells.push_back(shownLines(cell));
            height = std::max(height, cells.back().size());
        }
        HtmlLines out(height);
        for (std::size_t i = 0; i < height; ++i) {
            out[i].fixed = true;
            out[i].text = rowLine(row, cells, i);
        }
        return out;
    }

    std::string rowLine(const HtmlRow& row, const std::vector<std::vector<std::string_view>>& cells,
                        std::size_t index) const {
        std::string text;
        int at = 0, written = 0;  // where the next column begins, and what stands already
        std::size_t column = 0;
        for (std::size_t i = 0; i < cells.size(); ++i) {
            const HtmlCell& cell = row.cells[i];
            const int width = widthOf(column, cell.span);
            const bool isRight = cell.span == 1 ? numeric_[column] : cell.right;
            column += static_cast<std::size_t>(cell.span);
            if (width == 0) continue;
            const std::string_view shown = index < cells[i].size() ? cells[i][index] : "";
            const int columns = ruler_.columns(shown);
            if (!shown.empty()) {
                const int from = std::max(written, isRight ? at + width - columns : at);
                text.append(static_cast<std::size_t>(from - written), ' ').append(shown);
                written = from + columns;
            }
            at += width + kBetween;
        }
        return text;
    }

    HtmlLine rule() const {
        HtmlLine line{{}, false, true};
        for (const int width : widths_) {
            if (width == 0) continue;
            if (!line.text.empty()) line.text.append(kBetween, ' ');
            line.text.append(static_cast<std::size_t>(width), '-');
        }
        return line;
    }

    std::vector<HtmlRow>& rows_;
    int width_;
    const Ruler& ruler_;
    std::vector<int> widths_;
    std::vector<bool> numeric_;
};

// Whether the first row can be said with each value: short, and nothing of it is lost.
bool isRowOfLabels(const std::vector<HtmlRow>& rows) {
    constexpr std::size_t kLongestLabel = 60;
    std::vector<bool> hasData;
    for (std::size_t i = 1; i < rows.size(); ++i) {
        if (isWhole(rows[i])) continue;
        std::size_t column = 0;
        for (const HtmlCell& cell : rows[i].cells) {
            if (hasData.size() <= column) hasData.resize(column + 1);
            hasData[column] = hasData[column] || !isEmpty(cell);
            column += static_cast<std::size_t>(cell.span);
        }
    }
    std::size_t column = 0;
    for (const HtmlCell& cell : rows.front().cells) {
        const bool isSaid = column < hasData.size() && hasData[column];
        if (!isEmpty(cell) && (!isSaid || cell.lines.size() > 1 || bytesOf(cell) > kLongestLabel))
            return false;
        column += static_cast<std::size_t>(cell.span);
    }
    return true;
}

// Every row as lines of "column: value". REQUIRES: isRowOfLabels().
HtmlLines asRecords(std::vector<HtmlRow> rows) {
    std::vector<std::string> labels;
    for (const HtmlCell& cell : rows.front().cells) {
        labels.emplace_back(isEmpty(cell) ? "" : cell.lines.front().text);
        labels.resize(labels.size() + static_cast<std::size_t>(cell.span) - 1);
    }
    HtmlLines out;
    for (std::size_t i = 1; i < rows.size(); ++i) {
        bool isFirst = true;
        std::size_t column = 0;
        for (HtmlCell& cell : rows[i].cells) {
            const std::string label = column < labels.size() ? labels[column] : "";
            column += static_cast<std::size_t>(cell.span);
            if (isEmpty(cell)) continue;
            if (!label.empty() && !isWhole(rows[i])) cell.lines.front().text.insert(0, label + ": ");
            appendLines(out, std::move(cell.lines), isFirst);
            isFirst = false;
        }
    }
    return out;
}

bool isBig(const HtmlLines& lines, const Ruler& ruler) {
    constexpr int kShort = 60;
    return lines.size() > 1 || (!lines.empty() && ruler.columns(lines.front().text) > kShort);
}

// The row's cells in one line, when they fit there.
std::optional<HtmlLine> inOneLine(const HtmlRow& row, int width, const Ruler& ruler) {
    HtmlLine line{{}, false, true};
    for (const HtmlCell& cell : row.cells) {
        if (isEmpty(cell)) continue;
        if (cell.lines.size() > 1) return std::nullopt;
        if (!line.text.empty()) line.text.append(kBetween, ' ');
        line.text += cell.lines.front().text;
    }
    if (ruler.columns(line.text) > width) return std::nullopt;
    return line;
}

HtmlLines stacked(std::vector<HtmlRow> rows, int width, const Ruler& ruler) {
    HtmlLines out;
    bool wasBig = false;
    const auto add = [&](HtmlLines lines, bool gap) {
        if (lines.empty()) return;
        const bool big = isBig(lines, ruler);
        appendLines(out, std::move(lines), gap || big || wasBig);
        wasBig = big;
    };
    for (HtmlRow& row : rows) {
        bool gap = row.gap;
        if (auto line = isWhole(row) ? std::nullopt : inOneLine(row, width, ruler)) {
            add({std::move(*line)}, gap);
            continue;
        }
        for (HtmlCell& cell : row.cells) {
            add(std::move(cell.lines), gap);
            gap = false;
        }
    }
    return out;
}

// Rows without any text leave a gap; the others keep their empty cells, which hold a place.
std::vector<HtmlRow> withoutEmptyRows(std::vector<HtmlRow> rows) {
    std::vector<HtmlRow> kept;
    bool gap = false;
    for (HtmlRow& row : rows) {
        const bool empty = std::all_of(row.cells.begin(), row.cells.end(), isEmpty);
        gap = gap || empty || row.gap;
        if (empty) continue;
        row.gap = gap && !kept.empty();
        gap = false;
        kept.push_back(std::move(row));
    }
    return kept;
}

}  // namespace

HtmlLines layOutTable(std::vector<HtmlRow> rows, int width, const Ruler& ruler) {
    rows = withoutEmptyRows(std::move(rows));
    if (rows.empty()) return {};
    Grid grid(rows, width, ruler);
    if (auto lines = grid.lines()) return std::move(*lines);
    if (grid.hasHeader() && rows.size() > 1 && isRowOfLabels(rows)) return asRecords(std::move(rows));
    return stacked(std::move(rows), width, ruler);
}

}  // namespace postern::mail
