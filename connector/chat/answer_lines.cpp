#include "connector/chat/answer_lines.h"

#include <algorithm>
#include <iterator>
#include <optional>
#include <utility>

#include "base/text.h"

namespace postern::chat {

namespace {

constexpr std::size_t kLongest = 350;   // bytes: a line of IRC has 510, with who says it and to whom
constexpr std::size_t kMostLines = 15;  // of one answer, without those that count what is left out
constexpr std::size_t kListed = 100;    // rows of a list that names no limit (admin/look.cpp)

std::string shown(const admin::Value& value) {
    switch (value.kind) {
        case admin::Value::Kind::None: return {};
        case admin::Value::Kind::Text: return escapeLine(value.text, 200);
        case admin::Value::Kind::Number: return std::to_string(value.number);
        case admin::Value::Kind::Size: return formatSize(value.number);
        case admin::Value::Kind::Time: return formatUtc(fromMillis(value.number));
        case admin::Value::Kind::Flag: break;
    }
    return value.number != 0 ? "yes" : "no";
}

std::string field(const admin::Record& row, std::string_view name) {
    const admin::Value* value = row.find(name);
    return value == nullptr ? std::string() : shown(*value);
}

// "name value" for what is known and not 0, on as many lines as it takes.
void addFacts(const admin::Record& row, std::vector<std::string>& lines) {
    std::string line;
    for (const auto& [name, value] : row.fields) {
        const std::string text = shown(value);
        if (name == "type" || text.empty() || text == "0") continue;
        if (!line.empty() && line.size() + name.size() + text.size() > kLongest) {
            lines.push_back(std::move(line));
            line.clear();
        }
        line += (line.empty() ? "" : ", ") + name + " " + text;
    }
    if (!line.empty()) lines.push_back(std::move(line));
}

std::string itemLine(const admin::Record& row) {
    std::string line = field(row, "id") + " " + field(row, "state") + " " + field(row, "adapter") + ": " +
                       field(row, "sender") + " to " + field(row, "recipient");
    const admin::Value* recipients = row.find("recipients");
    if (recipients != nullptr && recipients->number > 1)
        line += " and " + std::to_string(recipients->number - 1) + " more";
    line += ", " + field(row, "size");
    for (const char* name : {"due", "reason", "waits"})
        if (const std::string text = field(row, name); !text.empty())
            line += std::string(", ") + name + " " + text;
    return line;
}

std::string historyLine(const admin::Record& row) {
    const std::string detail = field(row, "detail");
    return field(row, "id") + " " + field(row, "at") + " " + field(row, "who") + ": " + field(row, "what") +
           (detail.empty() ? "" : ", " + detail);
}

// A line for each row; nothing: its facts are told one by one.
std::optional<std::string> lineOf(std::string_view verb, const admin::Record& row) {
    if (verb == "queue.list") return itemLine(row);
    if (row.text("type") == "history") return historyLine(row);
    if (verb == "operate") return field(row, "id") + ": " + field(row, "text");
    return std::nullopt;
}

std::string cut(const std::string& line) {
    return line.size() <= kLongest ? line : std::string(cutUtf8(line, kLongest)) + " ...";
}

struct Said {
    std::string text;
    bool bygone = false;  // of a history
};

std::vector<Said> saidOf(std::string_view verb, const std::vector<admin::Record>& rows) {
    std::vector<Said> all;
    for (const admin::Record& row : rows) {
        if (const auto line = lineOf(verb, row)) {
            all.push_back({cut(*line), row.text("type") == "history"});
            continue;
        }
        std::vector<std::string> facts;
        addFacts(row, facts);
        for (std::string& fact : facts) all.push_back({std::move(fact)});
    }
    return all;
}

// As a shell takes it for one word.
std::string quoted(const std::string& value) {
    constexpr std::string_view kPlain =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789@%_+=:,./-";
    const std::string shown = escapeLine(value, 100);
    if (shown.find_first_not_of(kPlain) == std::string::npos) return shown;
    std::string text = "\"";
    for (const char c : shown) {
        if (std::string_view("\"\\$`").find(c) != std::string_view::npos) text += '\\';
        text += c;
    }
    return text + "\"";
}

// What shows all of it in a shell; of a change, the items that it is about.
std::string commandFor(const admin::Request& request) {
    const bool change = request.verb == "operate", list = change || request.verb == "queue.list";
    std::string command = "postern " + (change ? "queue.list" : request.verb);
    std::replace(command.begin(), command.end(), '.', ' ');
    for (const auto& [name, value] : request.fields) {
        const bool how =
            name == "limit" ||
            (change && (name == "change" || name == "reason" || name == "dry_run" || name == "yes"));
        if (value.empty() || how) continue;
        std::string option = name;
        std::replace(option.begin(), option.end(), '_', '-');
        const bool items = name == "ids";
        if (list || !items) command += " --" + (items ? "id" : option);
        if (name != "all") command += " " + quoted(value);
    }
    return command;
}

}  // namespace

std::vector<std::string> answerLines(const admin::Request& request, const std::vector<admin::Record>& rows,
                                     std::size_t more) {
    const std::vector<Said> all = saidOf(request.verb, rows);
    const auto bygone =
        std::find_if(all.begin(), all.end(), [](const Said& said) { return said.bygone; }) - all.begin();
    const bool hasHistory = static_cast<std::size_t>(bygone) < all.size();
    std::size_t excess = all.size() > kMostLines ? all.size() - kMostLines : 0;
    std::size_t older = hasHistory ? more : 0, rest = hasHistory ? 0 : more;
    std::vector<std::string> lines;
    for (const Said& said : all) {
        if (excess > 0 && said.bygone) {
            --excess;
            ++older;
        } else {
            lines.push_back(said.text);
        }
    }
    rest += excess;
    lines.resize(lines.size() - excess);
    // Of a history and of what is not one: all in one count, behind the rest.
    if (rest > 0) rest += std::exchange(older, 0);
    // The list itself ends after so many.
    const bool few = request.verb != "queue.list" || rows.size() + more < kListed;
    if (older > 0)
        lines.insert(lines.begin() + std::min<std::ptrdiff_t>(bygone, std::ssize(lines)),
                     "... " + std::to_string(older) + " older lines are left out; '" + commandFor(request) +
                         "' shows all");
    if (rest > 0)
        lines.push_back("... " + std::to_string(rest) + (few ? " more; '" : " more or even others; '") +
                        commandFor(request) + "' shows all");
    return lines;
}

std::vector<std::int64_t> wouldChange(const std::vector<admin::Record>& rows) {
    std::vector<std::int64_t> ids;
    for (const admin::Record& row : rows) {
        const admin::Value* id = row.find("id");
        const admin::Value* done = row.find("done");
        if (id != nullptr && done != nullptr && done->number != 0) ids.push_back(id->number);
    }
    return ids;
}

}  // namespace postern::chat
