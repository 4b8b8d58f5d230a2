#pragma once
// The command line as plain facts, read from its grammar (connector/cli/grammar.h). The manual page and the
// shells' completion are made of them.

#include <string>
#include <vector>

namespace postern::manual {

struct Option {
    std::string name;   // "--adapter", or "ITEM" of an argument
    std::string value;  // "NAME"; empty: a flag
    std::string help;
    std::string group;  // "Options", "Filters", or those of which one is needed: "What was seen"
    bool argument = false;
    bool required = false;
    bool repeats = false;  // may be given, or hold, several
};

struct Command {
    std::string name;
    std::string summary;
    std::string footer;  // what stands below its help, lines broken anywhere
    std::vector<Option> options;
    std::vector<Command> commands;
};

// The one of that name in `command`, or none.
const Command* commandNamed(const Command& command, const std::string& name);

}  // namespace postern::manual
