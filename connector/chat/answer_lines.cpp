#include "connector/chat/answer_lines.h"

#include <optional>

#include "base/text.h"

namespace postern::chat {

namespace {

constexpr std::size_t kLongest = 350;  // bytes: a line of IRC has 510, with who says it and to whom

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

}  // namespace

std::vector<std::string> answerLines(std::string_view verb, const std::vector<admin::Record>& rows) {
    std::vector<std::string> lines;
    for (const admin::Record& row : rows) {
        if (const auto line = lineOf(verb, row)) {
            lines.push_back(cut(*line));
        } else {
            addFacts(row, lines);
        }
    }
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
