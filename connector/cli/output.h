#pragma once
// Rows for people and for programs. One of three forms, chosen once:
//
//   Table  on a terminal: aligned columns under a header; sizes and times in human words
//   Tabs   in a pipe: one line a row, fields separated by tabs, no header; sizes in bytes, times in RFC 3339
//   Json   with --json: one object a line
//
// Columns of Tabs and names of Json are stable; new ones come last. Control characters are printed escaped
// (\x1b, in JSON \u001b), so that no subject can command a terminal (KB Q264341).
// Thread rule: one thread.

#include <string>
#include <string_view>
#include <vector>

#include "connector/admin/record.h"
#include "connector/cli/console.h"

namespace postern::cli {

enum class Form { Table, Tabs, Json };

class Output {
  public:
    Output(const Console& console, Form form);
    ~Output();  // finishes

    // One row of a list. Rows with other field names than the one before begin a new table.
    Result<void> row(const admin::Record& record);
    // One thing with many facts: a line for each fact, in Tabs behind the record's "type".
    Result<void> details(const admin::Record& record);
    // A title over what follows; for people only.
    void heading(std::string_view text);
    // Leaves a column out of tables; programs always get it.
    void hide(std::string_view name) { hidden_.emplace_back(name); }
    // Tables are cut to the terminal's width, for overviews; else fields are shown whole, however long.
    void fitScreen() { fit_ = true; }
    // Where lines would be longer than that, this column stands below its row, whole and wrapped.
    void below(std::string_view name) { below_ = name; }
    // For people: said instead of an empty list.
    void whenEmpty(std::string_view text) { empty_ = text; }
    // Writes what is still held back.
    void finish();

    Form form() const { return form_; }
    admin::RowSink sink() {
        return [this](const admin::Record& record) { return row(record); };
    }

  private:
    bool shown(std::string_view name) const;
    bool sameShape(const admin::Record& record) const;
    void flushTable();
    void measure();
    void writeHeader();
    int tableWidth() const;
    std::string tableLine(const admin::Record& record) const;
    std::string tableRow(const admin::Record& record) const;
    Result<void> written() const;

    const Console& console_;
    const Form form_;
    std::vector<std::string> hidden_;
    std::vector<admin::Record> held_;  // the first rows of a table, until the columns are measured
    std::vector<std::string> names_;   // of the table being written
    std::vector<int> widths_;
    std::vector<bool> right_;  // columns of numbers
    bool fit_ = false;
    std::string below_;
    bool isBelow_ = false;  // in the table being written
    bool any_ = false;
    bool inTable_ = false;
    std::string empty_;
};

// "3m ago", "in 2h", "now".
std::string ageText(WallTime time, WallTime now);

}  // namespace postern::cli
