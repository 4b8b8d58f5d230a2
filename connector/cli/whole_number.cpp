#include "connector/cli/whole_number.h"

#include <CLI/CLI.hpp>

#include "base/text.h"

namespace postern::cli {

CLI::Option* wholeFrom(std::int64_t least, CLI::Option* option) {
    return option->check([least](const std::string& text) {
        const auto number = parseInt(text);
        if (number && *number >= least) return std::string();
        return "must be a whole number from " + std::to_string(least) + " on, not \"" + escapeLine(text, 40) +
               "\"";
    });
}

}  // namespace postern::cli
