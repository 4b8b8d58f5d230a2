#include "connector/config/edit.h"

#include <algorithm>

#include "base/text.h"
#include "connector/config/tree.h"

namespace postern::config {

namespace {

constexpr int kLongestValue = 1000;  // lines

using Lines = std::vector<std::string>;

Lines linesOf(std::string_view text) {
    Lines lines;
    for (const std::string_view line : split(text, '\n')) lines.emplace_back(line);
    if (!lines.empty() && lines.back().empty()) lines.pop_back();
    return lines;
}

std::string textOf(const Lines& lines) {
    std::string text;
    for (const std::string& line : lines) text += line + "\n";
    return text;
}

// Lines [begin, end) of the keys of one table, its header left out.
struct Range {
    std::size_t begin = 0, end = 0;
};

bool isHeader(std::string_view line, std::string_view table) {
    std::string plain;
    for (const char c : line.substr(0, line.find('#')))
        if (c != ' ' && c != '\t' && c != '"' && c != '\r') plain += c;
    return plain == "[" + std::string(table) + "]";
}

// A line that opens any table. Inside a value of several lines one may look so: then the last check refuses.
bool opensTable(std::string_view line) {
    return trim(line).starts_with('[');
}

Result<Range> rangeOf(const Lines& lines, std::string_view table) {
    std::size_t begin = 0;
    if (!table.empty()) {
        while (begin < lines.size() && !isHeader(lines[begin], table)) ++begin;
        if (begin == lines.size())
            return fail(Errc::Invalid, "there is no line [" + std::string(table) + "]: change it by hand");
        ++begin;
    }
    std::size_t end = begin;
    while (end < lines.size() && !opensTable(lines[end])) ++end;
    return Range{begin, end};
}

bool setsKey(std::string_view line, std::string_view key) {
    std::string_view rest = trim(line);
    const bool quoted = rest.starts_with('"');
    if (quoted) rest.remove_prefix(1);
    if (!rest.starts_with(key)) return false;
    rest.remove_prefix(key.size());
    if (quoted && rest.starts_with('"')) rest.remove_prefix(1);
    return trim(rest).starts_with('=');
}

// Where the value that begins in this line ends: as soon as what was read is TOML.
std::size_t valueEnd(const Lines& lines, std::size_t begin) {
    std::string text;
    const std::size_t last = std::min(lines.size(), begin + kLongestValue);
    for (std::size_t i = begin; i < last; ++i) {
        text += lines[i] + "\n";
        if (!parseText(text, "").problem) return i + 1;
    }
    return begin;
}

// The remark at the end of a line.
std::string remarkOf(const std::string& line) {
    char quote = 0;
    for (std::size_t i = 0; i < line.size(); ++i) {
        const char c = line[i];
        if (quote == '"' && c == '\\') {
            ++i;
        } else if (quote != 0) {
            if (c == quote) quote = 0;
        } else if (c == '"' || c == '\'') {
            quote = c;
        } else if (c == '#') {
            return "  " + std::string(trim(std::string_view(line).substr(i)));
        }
    }
    return "";
}

// Behind the last value of the table.
std::size_t placeForNew(const Lines& lines, const Range& range) {
    std::size_t place = range.begin;
    for (std::size_t i = range.begin; i < range.end; ++i) {
        const std::string_view line = trim(lines[i]);
        if (!line.empty() && line[0] != '#') place = i + 1;
    }
    return place;
}

Result<void> changeKey(Lines& lines, std::string_view table, const KeyChange& change) {
    POSTERN_LET(range, rangeOf(lines, table));
    std::size_t at = range.begin;
    while (at < range.end && !setsKey(lines[at], change.key)) ++at;
    const bool there = at < range.end;
    const std::string line = change.key + " = " + change.value.value_or("");
    const auto place = [&](std::size_t index) { return lines.begin() + static_cast<std::ptrdiff_t>(index); };
    if (!there && !change.value) return fail(Errc::Invalid, "\"" + change.key + "\" is not set");
    if (!there) {
        lines.insert(place(placeForNew(lines, range)), line);
        return {};
    }
    const std::size_t end = valueEnd(lines, at);
    if (end == at) return fail(Errc::Invalid, "\"" + change.key + "\" can not be changed: do it by hand");
    const std::string remark = remarkOf(lines[end - 1]);
    Lines kept;  // remarks among the values of a list lose their lines, and stand above
    for (std::size_t i = at; i + 1 < end; ++i)
        if (const std::string inside = remarkOf(lines[i]); !inside.empty()) kept.emplace_back(trim(inside));
    lines.erase(place(at), place(end));
    if (!change.value) return {};
    kept.push_back(line + remark);
    lines.insert(place(at), kept.begin(), kept.end());
    return {};
}

// All that a file says, in one form.
std::string said(const Node& node) {
    std::string text = std::string(kindName(node.kind)) + " \"" + escapeLine(node.text, 1 << 20) + "\" (";
    for (const Node& child : node.children) text += child.key + ": " + said(child) + ", ";
    return text + ")";
}

Node* nodeAt(Node& root, std::string_view table) {
    Node* at = &root;
    if (table.empty()) return at;
    for (const std::string_view name : split(table, '.')) {
        const auto found = std::find_if(at->children.begin(), at->children.end(),
                                        [&](const Node& child) { return child.key == name; });
        if (found == at->children.end()) return nullptr;
        at = &*found;
    }
    return at;
}

Error unclear() {
    return fail(Errc::Invalid,
                "the file is written in a way that can not be changed line by line: change it "
                "by hand");
}

// What the file should say then: the old tree with the values that were asked for.
Result<void> expect(Node& root, std::string_view table, const KeyChange& change) {
    Node* node = nodeAt(root, table);
    if (node == nullptr) return unclear();
    auto& children = node->children;
    std::erase_if(children, [&](const Node& child) { return child.key == change.key; });
    if (!change.value) return {};
    const ParsedFile value = parseText(change.key + " = " + *change.value, "");
    if (value.problem || value.root.children.size() != 1)
        return fail(Errc::Invalid, "\"" + change.key + "\" is no key, or its value none");
    const auto behind = std::find_if(children.begin(), children.end(),
                                     [&](const Node& child) { return child.key > change.key; });
    children.insert(behind, value.root.children[0]);
    return {};
}

Result<void> sameAs(const Node& expected, const std::string& text) {
    const ParsedFile after = parseText(text, "");
    if (after.problem || said(after.root) != said(expected)) return unclear();
    return {};
}

}  // namespace

Result<std::string> editKeys(std::string_view text, std::string_view table,
                             const std::vector<KeyChange>& changes) {
    ParsedFile before = parseText(text, "");
    if (before.problem) return fail(Errc::Invalid, before.problem->text);
    Lines lines = linesOf(text);
    for (const KeyChange& change : changes) {
        POSTERN_TRY(changeKey(lines, table, change));
        POSTERN_TRY(expect(before.root, table, change));
    }
    std::string after = textOf(lines);
    POSTERN_TRY(sameAs(before.root, after));
    return after;
}

Result<std::string> removeTable(std::string_view text, std::string_view table) {
    ParsedFile before = parseText(text, "");
    if (before.problem) return fail(Errc::Invalid, before.problem->text);
    Lines lines = linesOf(text);
    POSTERN_LET(range, rangeOf(lines, table));
    std::size_t begin = range.begin - 1;
    while (begin > 0 && trim(lines[begin - 1]).starts_with('#')) --begin;
    // The remarks above the next table are its own.
    std::size_t end = range.end;
    while (end < lines.size() && end > range.begin && trim(lines[end - 1]).starts_with('#')) --end;
    lines.erase(lines.begin() + static_cast<std::ptrdiff_t>(begin),
                lines.begin() + static_cast<std::ptrdiff_t>(end));
    const auto dot = table.rfind('.');
    Node* around = nodeAt(before.root, dot == std::string_view::npos ? "" : table.substr(0, dot));
    if (around == nullptr) return unclear();
    std::erase_if(around->children, [&](const Node& child) { return child.key == table.substr(dot + 1); });
    // The last one takes the table around it along.
    if (around != &before.root && around->children.empty())
        std::erase_if(before.root.children, [&](const Node& child) { return &child == around; });
    std::string after = textOf(lines);
    POSTERN_TRY(sameAs(before.root, after));
    return after;
}

Result<std::string> valueText(adapters::SettingType type, const std::vector<std::string>& values) {
    using adapters::SettingType;
    if (type == SettingType::List) {
        std::string list;
        if (values.size() == 1 && values.front().empty()) return std::string("[]");
        for (const std::string& value : values) list += (list.empty() ? "" : ", ") + basicString(value);
        return "[" + list + "]";
    }
    if (values.size() != 1) return fail(Errc::Invalid, "takes one value");
    const std::string& value = values.front();
    const bool bare = (type == SettingType::Boolean && (value == "true" || value == "false")) ||
                      (type == SettingType::Integer && value == std::to_string(parseInt(value).value_or(0)));
    return bare ? value : basicString(value);
}

}  // namespace postern::config
