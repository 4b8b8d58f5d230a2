#pragma once
// Texts of kinds and settings that are made while the program runs. Thread rule: any thread.

#include <string>

namespace postern::adapters {

// `text` for the life of the program: kinds are made once, and their settings hold plain pointers.
const char* keptText(const std::string& text);

}  // namespace postern::adapters
