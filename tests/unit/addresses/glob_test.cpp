#include "connector/addresses/glob.h"

#include <string>

#include <gtest/gtest.h>

namespace postern::addresses {
namespace {

TEST(Glob, MatchesTheWhole) {
    const struct {
        const char* pattern;
        const char* text;
        bool wanted;
    } cases[] = {
        {"*lottery*", "You won the LOTTERY!", true},
        {"lottery", "lottery!", false},
        {"l?ttery", "l\xC3\xB6ttery", true},
        {"?", "\xE2\x82\xAC", true},
        {"??", "\xE2\x82\xAC", false},
        {"*", "", true},
        {"", "", true},
        {"", "x", false},
        {"a*b*c", "a-b-b-c", true},
        {"a*b*c", "a-c-b", false},
        {"*a", "aaaa", true},
        {"**x**", "x", true},
        {"*ab", "aab", true},
    };
    for (const auto& each : cases)
        EXPECT_EQ(globMatches(each.pattern, each.text), each.wanted) << each.pattern << " on " << each.text;
}

// With a matcher that goes back to every star this would run for years.
TEST(Glob, ManyStarsEnd) {
    std::string pattern;
    for (int i = 0; i < 60; ++i) pattern += "*a";
    EXPECT_FALSE(globMatches(pattern + "b", std::string(20'000, 'a')));
    EXPECT_TRUE(globMatches(pattern, std::string(20'000, 'a')));
}

}  // namespace
}  // namespace postern::addresses
