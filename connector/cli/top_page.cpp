#include "connector/cli/top_page.h"

#include <algorithm>
#include <sstream>

#include "base/text.h"
#include "connector/admin/wire.h"
#include "connector/cli/output.h"
#include "connector/cli/width.h"

namespace postern::cli {

using admin::Record;
using admin::Value;

namespace {

std::int64_t numberOf(const Record& record, std::string_view name) {
    const Value* value = record.find(name);
    return value == nullptr ? 0 : value->number;
}

// "12.5/s": one digit is enough to see that something moves.
std::string rateText(std::int64_t items, std::int64_t millis) {
    if (millis <= 0) return "-";
    const std::int64_t tenths = (items * 10'000 + millis / 2) / millis;
    return std::to_string(tenths / 10) + "." + std::to_string(tenths % 10) + "/s";
}

std::int64_t sum(const TopFrame& frame, std::string_view name) {
    std::int64_t total = 0;
    for (const Record& each : frame.adapters) total += numberOf(each, name);
    return total;
}

std::string serviceLine(const TopFrame& frame, const TopView& view) {
    const Record& service = frame.service;
    const WallTime at = fromMillis(numberOf(service, "at"));
    std::string line = "postern top";
    if (!view.title.empty()) line += " - " + view.title;
    if (!service.text("version").empty()) line += ", " + std::string(service.text("version"));
    line += ", " + (frame.trouble.empty() ? std::string(service.text("state")) : std::string("no service"));
    if (const Value* started = service.find("started"); started != nullptr && frame.trouble.empty())
        line += " for " + formatDurationMillis((numberOf(service, "at") - started->number) / 1000 * 1000);
    if (const Value* space = service.find("free_bytes"); space != nullptr && space->kind == Value::Kind::Size)
        line += ", " + formatSize(space->number) + " free";
    return line + ", " + formatUtc(at);
}

std::string sumLine(const TopFrame& frame) {
    const std::int64_t over = numberOf(frame.service, "over_ms");
    std::string line;
    line += "ready " + std::to_string(sum(frame, "ready"));
    line += "  claimed " + std::to_string(sum(frame, "claimed") + sum(frame, "publishing"));
    line += "  held " + std::to_string(sum(frame, "held"));
    line += "  in doubt " + std::to_string(sum(frame, "in_doubt"));
    return line + "  in " + rateText(sum(frame, "in"), over) + "  out " + rateText(sum(frame, "out"), over);
}

std::string keyLine(const TopView& view) {
    return (view.paused ? std::string("PAUSED  ")
                        : "every " + formatDurationMillis(view.interval.count()) + "  ") +
           "by " + topSorts()[view.sort] + "   q quit, space pause, left right sort, up down adapter";
}

// The columns as people see them: rates, and what is in a watcher's hands as one number.
Record shownRow(const Record& adapter, std::int64_t over) {
    Record row;
    for (const auto& [name, value] : adapter.fields) {
        if (name == "in" || name == "out")
            row.add(name, rateText(value.number, over));
        else if (name == "claimed")
            row.add(name, value.number + numberOf(adapter, "publishing"));
        else if (name == "oldest_ready")
            row.add("oldest", value);
        else if (name != "type" && name != "publishing")
            row.add(name, value);
    }
    return row;
}

std::vector<std::string> rendered(const TopFrame& frame, const Console& console, int columns, bool colour) {
    std::ostringstream out;
    Console page{console.in, out, console.err, console.clock, true, columns, colour};
    {
        Output output(page, Form::Table);
        output.fitScreen();
        for (const Record& each : frame.adapters)
            if (!output.row(shownRow(each, numberOf(frame.service, "over_ms"))).ok()) break;
    }
    std::vector<std::string> lines;
    const std::string text = out.str();
    for (const std::string_view line : split(text, '\n'))
        if (!line.empty()) lines.emplace_back(line);
    return lines;
}

// A header and a line for each adapter. Where even the narrowest columns are too wide, they are cut, without
// colours: a cut one would colour the rest of the page.
std::vector<std::string> tableLines(const TopFrame& frame, const Console& console, int columns) {
    std::vector<std::string> lines = rendered(frame, console, columns, false);
    const bool fits = std::all_of(lines.begin(), lines.end(),
                                  [&](const std::string& line) { return displayWidth(line) <= columns; });
    if (fits) return rendered(frame, console, columns, console.colour);
    for (std::string& line : lines) line = fitWidth(line, columns);
    return lines;
}

}  // namespace

const std::vector<std::string>& topSorts() {
    static const std::vector<std::string> all{"adapter",  "ready", "oldest_ready", "held",
                                              "in_doubt", "in",    "out"};
    return all;
}

void sortAdapters(TopFrame& frame, const TopView& view) {
    const std::string& by = topSorts()[view.sort];
    // The oldest first, and what has none last.
    const auto weight = [&](const Record& record) {
        const Value* value = record.find(by);
        if (by != "oldest_ready") return numberOf(record, by);
        return value == nullptr || value->kind == Value::Kind::None ? INT64_MIN : -value->number;
    };
    std::sort(frame.adapters.begin(), frame.adapters.end(), [&](const Record& a, const Record& b) {
        if (by != "adapter" && weight(a) != weight(b)) return weight(a) > weight(b);
        return a.text("adapter") < b.text("adapter");
    });
}

std::string topPage(const TopFrame& frame, const TopView& view, const Console& console, int columns) {
    std::string page;
    const auto say = [&](const std::string& line) {
        page += fitWidth(escapeLine(line, 4000), columns) + "\n";
    };
    say(serviceLine(frame, view));
    say(sumLine(frame));
    if (view.keys) say(keyLine(view));
    if (!frame.trouble.empty()) say(frame.trouble + (view.keys ? "; trying again" : ""));
    page += "\n";
    // Two columns for the mark of the chosen line; a narrow terminal cuts the last columns of the table.
    const std::vector<std::string> lines = tableLines(frame, console, columns - 2);
    for (std::size_t i = 0; i < lines.size(); ++i) {
        const bool chosen = view.keys && i == view.chosen + 1;
        page += (view.keys ? (chosen ? "> " : "  ") : "") + lines[i] + "\n";
    }
    if (!view.keys || view.chosen >= frame.adapters.size()) return page;
    const Record& adapter = frame.adapters[view.chosen];
    if (adapter.text("last_error").empty()) return page;
    page += "\n";
    for (const std::string& line : wrapWidth(escapeLine(adapter.text("last_error"), 1000), columns))
        page += line + "\n";
    return page;
}

std::string topJson(const TopFrame& frame) {
    std::string text = "{\"service\":" + admin::recordJson(frame.service) + ",\"adapters\":[";
    for (const Record& each : frame.adapters) {
        if (&each != &frame.adapters.front()) text += ",";
        text += admin::recordJson(each);
    }
    return text + "],\"trouble\":" + admin::jsonString(frame.trouble) + "}";
}

}  // namespace postern::cli
