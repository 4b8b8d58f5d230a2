// docs/STATES.md, the CHECK in 0002_queue.sql and kAllStates are one list.

#include <regex>
#include <set>

#include <gmock/gmock.h>

#include "base/file.h"
#include "tests/unit/queue/fixture.h"

namespace postern::queue {
namespace {

std::string sourceFile(const std::string& path) {
    const auto text = readFile(std::string(POSTERN_SOURCE_DIR) + "/" + path, 1 << 20);
    EXPECT_TRUE(text.ok()) << path;
    return text.valueOr("");
}

std::set<std::string> matches(const std::string& text, const std::regex& pattern) {
    std::set<std::string> found;
    for (std::sregex_iterator it(text.begin(), text.end(), pattern), end; it != end; ++it)
        found.insert((*it)[1]);
    return found;
}

std::set<std::string> inCode() {
    std::set<std::string> names;
    for (const State state : kAllStates) names.insert(std::string(stateName(state)));
    return names;
}

TEST(States, NamesGoBothWays) {
    for (const State state : kAllStates) EXPECT_EQ(stateOf(stateName(state)), state);
    EXPECT_EQ(stateOf("queued"), std::nullopt);
    EXPECT_EQ(inCode().size(), std::size(kAllStates));
}

TEST(States, TheSchemaHasTheSameList) {
    const std::string schema = sourceFile("queue/schema/0002_queue.sql");
    std::smatch check;
    ASSERT_TRUE(std::regex_search(schema, check, std::regex(R"(CHECK \(state = ([^)]*)\))")));
    EXPECT_EQ(matches(check[1], std::regex("'([a-z_]+)'")), inCode());
}

TEST(States, TheDocumentHasTheSameList) {
    // The first table has a row per state: | `ready` | ...
    const std::string document = sourceFile("docs/STATES.md");
    const std::string states = document.substr(0, document.find("\n## Changes"));
    EXPECT_EQ(matches(states, std::regex(R"((?:^|\n)\| `([a-z_]+)` \|)")), inCode());
}

// Every verb and every operation that changes a state stands in the table of changes.
TEST(States, TheDocumentHasEveryChange) {
    const std::string document = sourceFile("docs/STATES.md");
    for (const char* operation : {"enqueue", "claim", "markPublishing", "settle", "giveBack", "takeLapsed",
                                  "freeClaimed", "failExpired", "moveItem", "takeReturned", "purgeSettled"})
        EXPECT_THAT(document, testing::HasSubstr("`" + std::string(operation) + "`"));
    for (const Verb verb : kAllVerbs)
        EXPECT_THAT(document, testing::HasSubstr("`" + std::string(verbName(verb)) + "`"));
}

}  // namespace
}  // namespace postern::queue
