#include "base/text.h"

#include <limits>

#include <gtest/gtest.h>

namespace postern {
namespace {

using Fields = std::vector<std::string_view>;

TEST(Text, CaseIsAsciiOnly) {
    EXPECT_EQ(lowerAscii("ABC-\xc3\x84-xyz"), "abc-\xc3\x84-xyz");
    EXPECT_EQ(upperAscii("abc-\xc3\xa4-XYZ"), "ABC-\xc3\xa4-XYZ");
    EXPECT_TRUE(equalsIgnoreCase("Content-Type", "content-TYPE"));
    EXPECT_FALSE(equalsIgnoreCase("abc", "abcd"));
    EXPECT_FALSE(equalsIgnoreCase("@", "`")) << "characters 32 apart that are not letters differ";
    EXPECT_FALSE(equalsIgnoreCase("[", "{"));
}

TEST(Text, TrimTakesBothSides) {
    EXPECT_EQ(trim(" \t\r\n a b \r\n"), "a b");
    EXPECT_EQ(trim(" \r\n\t "), "");
    EXPECT_EQ(trim(""), "");
    EXPECT_EQ(trim("\v"), "\v");
}

TEST(Text, SplitKeepsEmptyFields) {
    EXPECT_EQ(split("a,b,,c,", ','), (Fields{"a", "b", "", "c", ""}));
    EXPECT_EQ(split("", ','), (Fields{""}));
    EXPECT_EQ(split("abc", ','), (Fields{"abc"}));
}

TEST(Text, IntegersAreTakenWholeOrNotAtAll) {
    EXPECT_EQ(parseInt("9223372036854775807"), std::numeric_limits<std::int64_t>::max());
    EXPECT_EQ(parseInt("-9223372036854775808"), std::numeric_limits<std::int64_t>::min());
    EXPECT_EQ(parseInt("007"), 7);
    for (const char* wrong : {"", "-", "+1", " 1", "1 ", "1x", "0x10", "1.0", "9223372036854775808"})
        EXPECT_EQ(parseInt(wrong), std::nullopt) << wrong;
    EXPECT_EQ(parseInt(std::string_view("1\0", 2)), std::nullopt);
}

TEST(Text, SizesAreBinaryMultiples) {
    EXPECT_EQ(parseSize("10 MiB"), 10 << 20);
    EXPECT_EQ(parseSize("64k"), 65536);
    EXPECT_EQ(parseSize("4096"), 4096);
    EXPECT_EQ(parseSize(" 2GB "), 2LL << 30);
    EXPECT_EQ(parseSize("12B"), 12);
    EXPECT_EQ(parseSize("0"), 0);
    for (const char* wrong : {"", "ten", "-1", "9223372036854775807g", "1.5m", "1 mm", "k", "1 m 2"})
        EXPECT_EQ(parseSize(wrong), std::nullopt) << wrong;
}

// KB: a list such as "15m,xx" was once read as "15m" without a word; the whole text counts.
TEST(Text, DurationsNeedAUnit) {
    EXPECT_EQ(parseDurationMillis("1h30m"), 5'400'000);
    EXPECT_EQ(parseDurationMillis("250ms"), 250);
    EXPECT_EQ(parseDurationMillis("7d"), 7LL * 86'400'000);
    EXPECT_EQ(parseDurationMillis("1 h 30 min"), 5'400'000);
    EXPECT_EQ(parseDurationMillis("0s"), 0);
    for (const char* wrong :
         {"", "30", "15m,xx", "h", "-5s", "1h30", "1.5h", "1w", "106751991168d", "9223372036854775807ms1ms"})
        EXPECT_EQ(parseDurationMillis(wrong), std::nullopt) << wrong;
}

TEST(Text, SizesAreShownForPeople) {
    EXPECT_EQ(formatSize(0), "0 B");
    EXPECT_EQ(formatSize(1023), "1023 B");
    EXPECT_EQ(formatSize(1536), "1.5 KiB");
    EXPECT_EQ(formatSize(10 << 20), "10 MiB");
    EXPECT_EQ(formatSize(3LL << 40), "3 TiB");
}

TEST(Text, DurationsAreShownForPeople) {
    EXPECT_EQ(formatDurationMillis(0), "0ms");
    EXPECT_EQ(formatDurationMillis(120), "120ms");
    EXPECT_EQ(formatDurationMillis(45'000), "45s");
    EXPECT_EQ(formatDurationMillis(5'400'000), "1h30m");
    EXPECT_EQ(formatDurationMillis(-60'000), "-1m");
    EXPECT_EQ(formatDurationMillis(90'061'000), "1d1h") << "two parts are enough";
}

TEST(Text, WholeDurationsGoThereAndBack) {
    for (const std::int64_t millis : {1LL, 999LL, 1000LL, 60'000LL, 61'000LL, 3'660'000LL, 7LL * 86'400'000})
        EXPECT_EQ(parseDurationMillis(formatDurationMillis(millis)), millis);
}

TEST(Text, Utf8IsShortestFormWithoutSurrogates) {
    for (const char* right : {"", "a", "\xc2\x80", "\xdf\xbf", "\xe0\xa0\x80", "\xed\x9f\xbf", "\xee\x80\x80",
                              "\xf0\x90\x80\x80", "\xf4\x8f\xbf\xbf"})
        EXPECT_TRUE(validUtf8(right)) << escapeLine(right);
    for (const char* wrong : {"\x80", "\xc0\x80", "\xc1\xbf", "\xc2",
                              "\xc2"
                              "a",
                              "\xe0\x9f\xbf", "\xed\xa0\x80", "\xe2\x82", "\xf0\x8f\xbf\xbf",
                              "\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\xff"})
        EXPECT_FALSE(validUtf8(wrong)) << escapeLine(wrong);
    EXPECT_TRUE(validUtf8(std::string_view("\0", 1)));
}

TEST(Text, EscapedLinesHoldNoControlsAndNoBrokenUtf8) {
    EXPECT_EQ(escapeLine("a\nb\x1b[31m"), "a\\x0ab\\x1b[31m");
    EXPECT_EQ(escapeLine("\xff\xc3\xa9"), "\\xff\xc3\xa9");
    EXPECT_EQ(escapeLine("\xc2\x85"), "\\xc2\\x85");
    EXPECT_EQ(escapeLine("\x7f"), "\\x7f");
    EXPECT_EQ(escapeLine(std::string_view("a\0b", 3)), "a\\x00b");
    EXPECT_EQ(escapeLine("abcdef", 3), "abc...");
    EXPECT_EQ(escapeLine("abc", 3), "abc");
}

TEST(Text, EveryByteAloneIsEscapedToPlainText) {
    for (int byte = 0; byte < 256; ++byte) {
        const std::string out = escapeLine(std::string(1, static_cast<char>(byte)));
        EXPECT_TRUE(validUtf8(out)) << byte;
        for (const char c : out) EXPECT_TRUE(c >= ' ' && c <= '~') << byte;
    }
}

// KB Q195894: a cut inside a character turned mail into question marks.
TEST(Text, Q195894_CutNeverSplitsACharacter) {
    EXPECT_EQ(cutUtf8("a\xc3\xa9z", 2), "a");
    EXPECT_EQ(cutUtf8("a\xc3\xa9z", 3), "a\xc3\xa9");
    EXPECT_EQ(cutUtf8("abc", 3), "abc");
    EXPECT_EQ(cutUtf8("abc", 0), "");
    const std::string text = "x\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80y";
    for (std::size_t limit = 0; limit <= text.size(); ++limit) {
        EXPECT_TRUE(validUtf8(cutUtf8(text, limit))) << limit;
        EXPECT_LE(cutUtf8(text, limit).size(), limit);
        EXPECT_LE(limit - cutUtf8(text, limit).size(), 3u) << limit;
    }
}

}  // namespace
}  // namespace postern
