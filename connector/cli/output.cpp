#include "connector/cli/output.h"

#include <algorithm>
#include <ostream>

#include "base/text.h"
#include "connector/admin/wire.h"
#include "connector/cli/width.h"

namespace postern::cli {

using admin::Record;
using admin::Value;

namespace {

constexpr std::size_t kMeasured = 500;  // rows looked at for the widths; more would hold back a long list
constexpr int kNarrowest = 8;
constexpr int kGap = 2;
constexpr int kIndent = 4;  // of what stands below its row
constexpr std::size_t kLongest = 4000;

std::string plain(const Value& value) {
    switch (value.kind) {
        case Value::Kind::None: return {};
        case Value::Kind::Text: return escapeLine(value.text, kLongest);
        case Value::Kind::Number:
        case Value::Kind::Size: return std::to_string(value.number);
        case Value::Kind::Time: return formatUtc(fromMillis(value.number));
        case Value::Kind::Flag: break;
    }
    return value.number != 0 ? "true" : "false";
}

std::string forPeople(const Value& value, WallTime now) {
    switch (value.kind) {
        case Value::Kind::None: return "-";
        case Value::Kind::Size: return formatSize(value.number);
        case Value::Kind::Time: return ageText(fromMillis(value.number), now);
        case Value::Kind::Flag: return value.number != 0 ? "yes" : "no";
        default: return plain(value);
    }
}

bool alignedRight(const Value& value) {
    return value.kind == Value::Kind::Number || value.kind == Value::Kind::Size;
}

// Sequences of ECMA-48, for states that ask for a person.
std::string_view colourOf(std::string_view text) {
    if (text == "failed" || text == "in_doubt" || text == "suspended" || text == "unhealthy" ||
        text == "stopped")
        return "\x1b[31m";
    return text == "held" ? "\x1b[33m" : "";
}

std::string pad(int columns) {
    return std::string(static_cast<std::size_t>(std::max(columns, 0)), ' ');
}

std::string headerOf(std::string_view name) {
    std::string text = upperAscii(name);
    std::replace(text.begin(), text.end(), '_', ' ');
    return text;
}

}  // namespace

std::string ageText(WallTime time, WallTime now) {
    const std::int64_t millis = (now - time).count();
    const std::int64_t seconds = std::abs(millis) / 1000;
    if (seconds == 0) return "now";
    // The largest unit alone: nobody needs the seconds of a day-old mail.
    const std::string text = seconds < 60       ? std::to_string(seconds) + "s"
                             : seconds < 3600   ? std::to_string(seconds / 60) + "m"
                             : seconds < 172800 ? std::to_string(seconds / 3600) + "h"
                                                : std::to_string(seconds / 86400) + "d";
    return millis > 0 ? text + " ago" : "in " + text;
}

Output::Output(const Console& console, Form form) : console_(console), form_(form) {}

Output::~Output() {
    finish();
}

bool Output::shown(std::string_view name) const {
    if (isBelow_ && name == below_) return false;
    return std::find(hidden_.begin(), hidden_.end(), name) == hidden_.end() && name != "type";
}

bool Output::sameShape(const Record& record) const {
    return std::equal(names_.begin(), names_.end(), record.fields.begin(), record.fields.end(),
                      [](const std::string& name, const auto& field) { return name == field.first; });
}

Result<void> Output::written() const {
    if (console_.out.good()) return {};
    return fail(Errc::Io, "the output was closed");
}

Result<void> Output::row(const Record& record) {
    any_ = true;
    if (form_ == Form::Table) {
        if (!inTable_ || !sameShape(record)) {
            flushTable();
            inTable_ = true;
            names_.clear();
            for (const auto& field : record.fields) names_.push_back(field.first);
        }
        if (widths_.empty()) {
            held_.push_back(record);
            if (held_.size() >= kMeasured) measure();
        } else {
            console_.out << tableRow(record) << "\n";
        }
        return written();
    }
    if (form_ == Form::Json) {
        console_.out << admin::recordJson(record) << "\n";
        return written();
    }
    std::string line;
    for (const auto& [name, value] : record.fields)
        line += (&name == &record.fields.front().first ? "" : "\t") + plain(value);
    console_.out << line << "\n";
    return written();
}

Result<void> Output::details(const Record& record) {
    if (form_ == Form::Json) return row(record);
    any_ = true;
    flushTable();
    const auto silent = [](const Value& value) {
        return value.kind == Value::Kind::None || (value.kind == Value::Kind::Text && value.text.empty());
    };
    std::size_t widest = 0;
    for (const auto& [name, value] : record.fields)
        if (!silent(value)) widest = std::max(widest, name.size());
    for (const auto& [name, value] : record.fields) {
        if (name == "type") continue;
        if (form_ == Form::Tabs) {
            console_.out << record.text("type") << "\t" << name << "\t" << plain(value) << "\n";
            continue;
        }
        if (silent(value)) continue;
        console_.out << name << pad(static_cast<int>(widest - name.size()) + kGap);
        console_.out << (value.kind == Value::Kind::Time ? plain(value) + ", " : "")
                     << forPeople(value, console_.clock.now()) << "\n";
    }
    return written();
}

void Output::heading(std::string_view text) {
    if (form_ != Form::Table) return;
    flushTable();
    console_.out << "\n" << text << "\n";
}

void Output::finish() {
    if (!any_ && form_ == Form::Table && !empty_.empty()) console_.out << empty_ << "\n";
    any_ = true;
    flushTable();
    console_.out.flush();
}

void Output::flushTable() {
    if (!held_.empty()) measure();
    held_.clear();
    widths_.clear();
    isBelow_ = false;
    inTable_ = false;
}

// Of a whole line, with the gaps.
int Output::tableWidth() const {
    int width = -kGap;
    for (std::size_t i = 0; i < names_.size(); ++i)
        if (shown(names_[i])) width += widths_[i] + kGap;
    return width;
}

// Each column as wide as its widest field; when the line is too long, the widest columns give way.
void Output::measure() {
    const WallTime now = console_.clock.now();
    for (const std::string& name : names_) widths_.push_back(shown(name) ? displayWidth(headerOf(name)) : 0);
    right_.assign(names_.size(), false);
    for (const Record& record : held_)
        for (std::size_t i = 0; i < names_.size(); ++i) {
            const Value& value = record.fields[i].second;
            if (shown(names_[i])) widths_[i] = std::max(widths_[i], displayWidth(forPeople(value, now)));
            if (alignedRight(value)) right_[i] = true;
        }
    if (fit_ && !below_.empty() && tableWidth() > console_.width) isBelow_ = true;
    while (fit_ && tableWidth() > console_.width) {
        // Its own width is over all others'; the widest of them gives way.
        std::size_t widest = 0;
        for (std::size_t i = 1; i < widths_.size(); ++i)
            if (names_[widest] == below_ || (names_[i] != below_ && widths_[i] > widths_[widest])) widest = i;
        if (names_[widest] == below_ || widths_[widest] <= kNarrowest) break;
        --widths_[widest];
    }
    writeHeader();
    for (const Record& record : held_) console_.out << tableRow(record) << "\n";
    held_.clear();
}

void Output::writeHeader() {
    Record header;
    for (const std::string& name : names_) header.add(name, headerOf(name));
    const std::string line = tableLine(header);
    console_.out << (console_.colour ? "\x1b[1m" + line + "\x1b[0m" : line) << "\n";
}

std::string Output::tableRow(const Record& record) const {
    std::string row = tableLine(record);
    if (!isBelow_ || record.text(below_).empty()) return row;
    for (const std::string& line :
         wrapWidth(escapeLine(record.text(below_), kLongest), console_.width - kIndent))
        row += "\n" + pad(kIndent) + line;
    return row;
}

std::string Output::tableLine(const Record& record) const {
    std::string line;
    int owed = 0;  // blanks before the next field; none at the end of a line
    for (std::size_t i = 0; i < record.fields.size() && i < widths_.size(); ++i) {
        const auto& [name, value] = record.fields[i];
        if (!shown(name)) continue;
        const std::string whole = forPeople(value, console_.clock.now());
        const std::string text = fit_ ? fitWidth(whole, widths_[i]) : whole;
        const int rest = widths_[i] - displayWidth(text);
        const std::string_view colour = console_.colour && name == "state" ? colourOf(text) : "";
        line += pad(owed + (right_[i] ? rest : 0));
        line += std::string(colour) + text + (colour.empty() ? "" : "\x1b[0m");
        owed = kGap + (right_[i] ? 0 : rest);
    }
    const auto end = line.find_last_not_of(' ');  // empty fields at the end leave nothing behind
    return line.substr(0, end == std::string::npos ? 0 : end + 1);
}

}  // namespace postern::cli
