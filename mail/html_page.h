#pragma once
// A page of text that grows while HTML is read: boxes inside each other (quotations, list items, table
// cells), each with its lines, closed into the one around it. Nesting is counted, never recursed into, and
// what nests deeper than anybody writes is not indented any more. Internal to this room. Thread rule: one
// thread.

#include <array>
#include <string>
#include <string_view>
#include <vector>

#include "mail/html_lines.h"
#include "mail/html_table.h"

namespace postern::mail {

class HtmlPage {
  public:
    enum class Box { Page, Quote, Indent, List, Item, Cell, Table };

    // Text is filled to `width` columns only where it must be: in quotations, items and tables. The lines of
    // plain paragraphs are left to wrap(). The ruler outlives the page.
    HtmlPage(int width, const Ruler& ruler);

    void text(std::string_view words);         // runs of blanks become one
    void preformatted(std::string_view text);  // line breaks and blanks stay
    void literal(std::string_view text);       // as it is, within the line
    void mark(std::string_view text);          // behind the last word, whatever was closed since

    void endLine();
    void paragraph() {
        endLine();
        top().gap = true;
    }
    void lineBreak();
    void rule();
    void beginHeading();
    void endHeading(char underline);

    void open(Box kind);
    void openList(bool numbered, int start);
    void close(Box kind);  // and what stands open inside it; nothing when there is none
    void item();

    void openTable();
    void row();
    void cell(int span, int rowSpan, bool isHeader, bool right);
    void closeTable();

    // To be called between two tags: writes what nothing refers to any more.
    void bound();

    // Closes everything. Lines end with LF.
    std::string take();

  private:
    // A cell of several rows: its lines go on beside the rows below.
    struct Reserved {
        int rows = 0;  // that are still to come
        int span = 1;
        HtmlLines lines;
        std::size_t next = 0;  // of the lines, the first that is still to come
    };
    struct Open {
        Box kind = Box::Page;
        int width = 0;
        HtmlLines lines;
        std::string line;    // that is being written
        bool space = false;  // a blank is due before the next word
        bool gap = false;    // a blank line is due before the next line
        std::string mark;    // Item
        bool numbered = false;
        int next = 1;               // List
        HtmlCell cell;              // Cell
        int rowSpan = 1;            // Cell
        std::vector<HtmlRow> rows;  // Table: the last one is being filled
        bool rowOpen = false;
        std::size_t column = 0;          // Table: where the next cell of that row begins
        bool hasEarlier = false;         // Table: rows that are lines already
        std::vector<Reserved> reserved;  // Table: by column
    };

    Open& top() { return boxes_.back(); }
    void write(std::size_t count);  // of the page's lines, the first
    bool push(Box kind, int indent);
    void pop();
    void popTable(Open box);
    void popCell(Open box);
    // The innermost open box of that kind; 0 when it is not open, or hidden behind a cell or a table.
    std::size_t find(Box kind) const;
    bool hasTable() const;
    void toTable();
    static void addCell(Open& table, HtmlCell cell);
    static void addBelow(Open& table);
    static void skipReserved(Open& table);
    static void endRow(Open& table);
    static void settle(Open& table);
    static void takeRest(Reserved& reserved, HtmlLines& lines);
    void takeLastCell();

    const Ruler& ruler_;
    std::vector<Open> boxes_;
    std::array<int, 7> ignored_{};  // opened too deep, by kind
    std::string out_;               // the page's first lines
    std::size_t kept_ = 0;          // lines and cells inside of boxes, about
    std::size_t headingBox_ = 0, headingLine_ = 0;
};

}  // namespace postern::mail
