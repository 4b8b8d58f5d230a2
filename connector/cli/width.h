#pragma once
// How wide text stands on a terminal. Thread rule: pure functions.

#include <string>
#include <string_view>
#include <vector>

namespace postern::cli {

// Columns that valid UTF-8 takes: East Asian wide characters and emoji two, combining marks none.
int displayWidth(std::string_view text);

// The text itself when it is at most `columns` wide, else as much of it as leaves room for the "…" behind it.
std::string fitWidth(std::string_view text, int columns);

// The text in lines of at most `columns`: broken at blanks, and inside a word where it is wider than a line.
std::vector<std::string> wrapWidth(std::string_view text, int columns);

}  // namespace postern::cli
