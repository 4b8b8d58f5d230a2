// The page for people has every command, and none that is not there.

#include "connector/cli/verbs.h"

#include <fstream>
#include <set>

#include <gtest/gtest.h>

namespace postern::cli {
namespace {

std::set<std::string> commandsOfThePage() {
    std::ifstream page(POSTERN_CLI_PAGE);
    EXPECT_TRUE(page.good());
    std::set<std::string> commands;
    const std::string begin = "| `postern ";
    for (std::string line; std::getline(page, line);)
        if (line.starts_with(begin))
            commands.insert(line.substr(begin.size(), line.find('`', begin.size()) - begin.size()));
    return commands;
}

TEST(VerbsTest, ThePageHasEachCommandAndNoOther) {
    std::set<std::string> commands;
    for (const Verb& verb : verbs())
        if (!verb.forPrograms)
            commands.insert((verb.group[0] == '\0' ? "" : std::string(verb.group) + " ") + verb.name);
    EXPECT_EQ(commandsOfThePage(), commands);
}

}  // namespace
}  // namespace postern::cli
