#pragma once
// Options that take a whole number.

#include <cstdint>

namespace CLI {
class Option;
}

namespace postern::cli {

// Refuses what is no whole number or a smaller one, with a text that says so. Returns the option.
CLI::Option* wholeFrom(std::int64_t least, CLI::Option* option);

}  // namespace postern::cli
