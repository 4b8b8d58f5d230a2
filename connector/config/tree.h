#pragma once
// A TOML file as a tree with places, so that the rest of the room needs no TOML library.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "connector/config/config.h"

namespace postern::config {

struct Node {
    enum class Kind { Text, Integer, Boolean, Table, List, Other };
    Kind kind = Kind::Table;
    std::string key;   // its name in the table around it; empty in a list
    std::string text;  // Text; of Integer, Boolean and Other as it would be written
    std::int64_t integer = 0;
    bool boolean = false;
    std::vector<Node> children;  // Table, List
    Place place;                 // of the key; in a list, of the value
};

std::string_view kindName(Node::Kind kind);  // "a text", "a list": for messages
const Node* childNamed(const Node& table, std::string_view key);

struct ParsedFile {
    Node root;                       // a table; empty after a problem
    std::optional<Problem> problem;  // unreadable, or not TOML: with the place of the error
};
// `name` is how messages call the file.
ParsedFile parseFile(const std::string& path);
ParsedFile parseText(std::string_view text, const std::string& name);

// A text as a basic string of TOML, with its quotes.
std::string basicString(std::string_view text);

}  // namespace postern::config
