#include "base/text.h"

#include <gtest/gtest.h>

namespace postern {
namespace {

TEST(Text, SizesAreBinaryMultiples) {
    EXPECT_EQ(parseSize("10 MiB"), 10 << 20);
    EXPECT_EQ(parseSize("64k"), 65536);
    EXPECT_EQ(parseSize("4096"), 4096);
    EXPECT_EQ(parseSize("ten"), std::nullopt);
    EXPECT_EQ(parseSize("-1"), std::nullopt);
    EXPECT_EQ(parseSize("9223372036854775807g"), std::nullopt);
}

TEST(Text, DurationsNeedAUnit) {
    EXPECT_EQ(parseDurationMillis("1h30m"), 5'400'000);
    EXPECT_EQ(parseDurationMillis("250ms"), 250);
    EXPECT_EQ(parseDurationMillis("30"), std::nullopt);
    EXPECT_EQ(parseDurationMillis("15m,xx"), std::nullopt);
}

TEST(Text, EscapedLinesHoldNoControlsAndNoBrokenUtf8) {
    EXPECT_EQ(escapeLine("a\nb\x1b[31m"), "a\\x0ab\\x1b[31m");
    EXPECT_EQ(escapeLine("\xff\xc3\xa9"), "\\xff\xc3\xa9");
    EXPECT_EQ(escapeLine("\xc2\x85"), "\\xc2\\x85");
    EXPECT_EQ(escapeLine("abcdef", 3), "abc...");
}

TEST(Text, CutNeverSplitsACharacter) {
    EXPECT_EQ(cutUtf8("a\xc3\xa9z", 2), "a");
    EXPECT_EQ(cutUtf8("a\xc3\xa9z", 3), "a\xc3\xa9");
}

}  // namespace
}  // namespace postern
