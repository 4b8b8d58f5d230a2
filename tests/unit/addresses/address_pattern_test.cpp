#include "connector/addresses/address_pattern.h"

#include <gtest/gtest.h>

namespace postern::addresses {
namespace {

TEST(PatternMatches, TakesWhatItSaysAndNothingElse) {
    const struct {
        const char* pattern;
        const char* address;
        bool wanted;
    } cases[] = {
        {"joe@example.org", "joe@example.org", true},
        {"Joe@Example.ORG", "jOE@eXAMPLE.org", true},
        {"joe@example.org", "joe@sub.example.org", false},
        {"joe@example.org", "xjoe@example.org", false},
        {"*@example.org", "anyone@EXAMPLE.org", true},
        {"*@example.org", "anyone@sub.example.org", false},
        {"*@example.org", "anyone@badexample.org", false},
        {"*@example.org", "\"a@b\"@example.org", true},
        {"*@*.example.org", "anyone@sub.example.org", true},
        {"*@*.example.org", "anyone@a.b.Example.org", true},
        {"*@*.example.org", "anyone@example.org", false},
        {"*@*.example.org", "anyone@.example.org", false},
        {"*@*.example.org", "anyone@subexample.org", false},
        {"*", "anyone@anywhere", true},
    };
    for (const auto& each : cases) {
        EXPECT_EQ(patternMatches(each.pattern, each.address), each.wanted)
            << each.pattern << " and " << each.address;
    }
}

}  // namespace
}  // namespace postern::addresses
