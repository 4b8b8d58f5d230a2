#include "connector/config/tree.h"

#include <algorithm>
#include <cctype>
#include <cstdio>
#include <sstream>

#include <toml++/toml.h>

#include "base/file.h"
#include "base/peer.h"
#include "base/text.h"

namespace postern::config {

namespace {

constexpr std::size_t kFileLimit = 4 << 20;

Place placeOf(const toml::source_region& source, const std::string& file) {
    return {file, static_cast<int>(source.begin.line), static_cast<int>(source.begin.column)};
}

Node convert(const toml::node& from, const std::string& file);

void convertChildren(const toml::table& table, const std::string& file, Node& into) {
    for (const auto& [key, value] : table) {
        Node child = convert(value, file);
        child.key = std::string(key.str());
        child.place = placeOf(key.source(), file);
        into.children.push_back(std::move(child));
    }
}

void convertScalar(const toml::node& from, Node& into) {
    std::ostringstream written;
    if (const auto* text = from.as_string()) {
        into.kind = Node::Kind::Text;
        written << text->get();
    } else if (const auto* integer = from.as_integer()) {
        into.kind = Node::Kind::Integer;
        into.integer = integer->get();
        written << into.integer;
    } else if (const auto* boolean = from.as_boolean()) {
        into.kind = Node::Kind::Boolean;
        into.boolean = boolean->get();
        written << (into.boolean ? "true" : "false");
    } else {
        into.kind = Node::Kind::Other;
        from.visit([&](const auto& value) {
            if constexpr (toml::is_value<decltype(value)>) written << value.get();
        });
    }
    into.text = written.str();
}

Node convert(const toml::node& from, const std::string& file) {
    Node node;
    node.place = placeOf(from.source(), file);
    if (const auto* table = from.as_table()) {
        convertChildren(*table, file, node);
    } else if (const auto* list = from.as_array()) {
        node.kind = Node::Kind::List;
        for (const auto& value : *list) node.children.push_back(convert(value, file));
    } else {
        convertScalar(from, node);
    }
    return node;
}

// The commonest mistake: a path, a name or a time without its quotes. Nothing when it is another.
std::string quotesMissing(std::string_view text, const toml::source_region& source) {
    const std::vector<std::string_view> lines = split(text, '\n');
    if (source.begin.line < 1 || source.begin.line > lines.size()) return {};
    const std::string_view line = lines[source.begin.line - 1];
    const auto equals = line.find('=');
    if (equals == std::string_view::npos) return {};
    const std::string_view key = trim(line.substr(0, equals));
    const std::string_view value = trim(line.substr(equals + 1, line.find('#') - equals - 1));
    const bool bare = !key.empty() && std::all_of(key.begin(), key.end(), [](char c) {
        return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' || c == '-';
    });
    const bool number = value.find_first_not_of("0123456789+-._") == std::string_view::npos;  // or nothing
    if (!bare || number || value.find_first_of("\"'[{") != std::string_view::npos) return {};
    return "; a text needs quotes: " + std::string(key) + " = \"...\"";
}

}  // namespace

std::string_view kindName(Node::Kind kind) {
    switch (kind) {
        case Node::Kind::Text: return "a text";
        case Node::Kind::Integer: return "a whole number";
        case Node::Kind::Boolean: return "true or false";
        case Node::Kind::Table: return "a table";
        case Node::Kind::List: return "a list";
        case Node::Kind::Other: break;
    }
    return "a date, time or fraction";
}

const Node* childNamed(const Node& table, std::string_view key) {
    for (const Node& child : table.children)
        if (child.key == key) return &child;
    return nullptr;
}

ParsedFile parseText(std::string_view text, const std::string& name) {
    ParsedFile parsed;
    try {
        parsed.root = convert(toml::parse(text), name);
    } catch (const toml::parse_error& error) {
        parsed.problem = Problem{placeOf(error.source(), name),
                                 escapeLine(error.description()) + quotesMissing(text, error.source())};
    }
    return parsed;
}

static std::string unreadable(const std::string& path, Errc code, const std::string& why) {
    if (code != Errc::Denied) return "can not be read: " + why;
    const auto owner = fileOwner(path);
    return "can not be read by " + effectiveUser() + ": " + why +
           (owner.ok() ? "; it belongs to " + *owner : std::string());
}

ParsedFile parseFile(const std::string& path) {
    const Result<std::string> text = readFile(path, kFileLimit);
    if (!text.ok()) {
        std::string why = text.error().text;
        if (why.starts_with(path + ": ")) why.erase(0, path.size() + 2);  // the place says it
        return {{}, Problem{{path, 0, 0}, unreadable(path, text.error().code, why)}};
    }
    return parseText(*text, path);
}

std::string basicString(std::string_view text) {
    std::string out = "\"";
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        if (c == '"' || c == '\\') {
            out += {'\\', c};
        } else if (byte < 0x20 || byte == 0x7f) {
            char code[8];
            std::snprintf(code, sizeof code, "\\u%04X", byte);
            out += code;
        } else {
            out += c;
        }
    }
    return out + "\"";
}

}  // namespace postern::config
