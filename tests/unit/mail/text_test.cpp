#include "mail/text.h"

#include <random>

#include <gtest/gtest.h>

#include "base/text.h"

namespace postern::mail {
namespace {

std::string withoutBreaks(std::string text) {
    text.erase(std::remove(text.begin(), text.end(), '\n'), text.end());
    return text;
}

// One character is never cut, so a line is at least as wide as its widest one: a tab is 8.
void expectWrapped(const std::string& text, int columns) {
    const int widest = text.find('\t') == std::string::npos ? 2 : 8;
    const std::string wrapped = wrap(text, columns);
    EXPECT_EQ(withoutBreaks(wrapped), withoutBreaks(text)) << "columns " << columns;
    for (const std::string_view line : split(wrapped, '\n'))
        EXPECT_LE(displayColumns(line), std::max(columns, widest)) << line;
}

TEST(Wrap, LosesNoByte_Q124745_Q217193) {
    for (const int columns : {1, 2, 40, 72, 76, 79, 300}) {
        for (const std::size_t length : {0U, 1U, 78U, 79U, 80U, 158U, 159U, 160U, 1000U}) {
            std::string words, block(length, 'x');
            for (std::size_t i = 0; i < length; ++i)
                words += i % 7 == 6 ? ' ' : static_cast<char>('a' + i % 26);
            expectWrapped(words, columns);
            expectWrapped(block, columns);
        }
    }
}

TEST(Wrap, LongLine_Q176396) {
    const std::string line(100000, 'x');
    expectWrapped(line, 72);
    EXPECT_EQ(wrap(line, 0), line);  // Q149780
}

TEST(Wrap, BreaksBehindBlanks) {
    EXPECT_EQ(wrap("aaa bbb ccc\n", 8), "aaa bbb \nccc\n");
    EXPECT_EQ(wrap("aaa bbb\nccc", 7), "aaa bbb\nccc");
    EXPECT_EQ(wrap("aaaaaaaaaa b", 4), "aaaa\naaaa\naa b");
    EXPECT_EQ(wrap("../.login .profile\n", 72), "../.login .profile\n");  // Q187643
    EXPECT_EQ(wrap("", 72), "");
    EXPECT_EQ(wrap("\n\n", 72), "\n\n");
}

TEST(Wrap, NeverInsideACharacter_Q195894) {
    EXPECT_EQ(wrap("日本語", 4), "日本\n語");
    EXPECT_EQ(wrap("日本語", 5), "日本\n語");
    EXPECT_EQ(wrap("éééé", 2), "éé\néé");
    EXPECT_EQ(wrap("e\xcc\x81"
                   "e\xcc\x81"
                   "e\xcc\x81",
                   2),
              "e\xcc\x81"
              "e\xcc\x81\ne\xcc\x81");
    // Written without blanks: a quotation's mark does not stand alone, and no line begins with a full stop.
    EXPECT_EQ(wrap("> 日本語日本語", 8), "> 日本語\n日本語");
    EXPECT_EQ(wrap("日本語です。はい", 10), "日本語で\nす。はい");
    EXPECT_EQ(wrap("안녕하세요 여러분", 12), "안녕하세요 \n여러분");
    EXPECT_EQ(displayColumns("日a\xcc\x81"), 3);
    EXPECT_EQ(displayColumns("a\tb"), 9);
}

// Screens of these sets have one column for a byte.
TEST(Wrap, LettersOfEastAsianSetsAreAsWideAsTheirBytes) {
    for (const char* charset : {"shift_jis", "iso-2022-jp", "euc-kr", "gb18030", "big5"})
        EXPECT_EQ(lettersOf(charset), Letters::EastAsian) << charset;
    for (const char* charset : {"utf-8", "us-ascii", "cp866", "windows-1252", "unheard-of"})
        EXPECT_EQ(lettersOf(charset), Letters::Unicode) << charset;
    EXPECT_EQ(wrap("ααα", 2, Letters::EastAsian), "α\nα\nα");
    EXPECT_EQ(wrap("ααα", 2), "αα\nα");
    EXPECT_EQ(wrap("ｱｱｱ", 2, Letters::EastAsian), "ｱｱ\nｱ") << "half-width";
    EXPECT_EQ(displayColumns("“ж” a日", Letters::EastAsian), 10);
    EXPECT_EQ(displayColumns("e\xcc\x81", Letters::EastAsian), 1);
}

TEST(Wrap, ASoftHyphenTakesAPlace) {
    EXPECT_EQ(wrap("abc\xc2\xad"
                   "d",
                   4),
              "abc\xc2\xad\nd");
}

TEST(Wrap, AnyBytes) {
    std::mt19937 random(7);
    for (int run = 0; run < 500; ++run) {
        std::string text(random() % 300, '\0');
        for (char& c : text) c = static_cast<char>(random());
        expectWrapped(text, 1 + static_cast<int>(random() % 80));
    }
}

TEST(Flowed, Rfc3676) {
    EXPECT_EQ(unflow("one \ntwo\nthree\n", false), "one two\nthree\n");
    EXPECT_EQ(unflow("one \ntwo\n", true), "onetwo\n");
    EXPECT_EQ(unflow("> a \n> b\nc\n", false), "> a b\nc\n");
    EXPECT_EQ(unflow(">> a \n> b\n", false), ">> a \n> b\n");
    EXPECT_EQ(unflow("x \n-- \nsig\n", false), "x \n-- \nsig\n");
    EXPECT_EQ(unflow(" From\n", false), "From\n");
    EXPECT_EQ(unflow("end ", false), "end \n");
    EXPECT_EQ(unflow("", false), "");
}

TEST(Lines, Normalized) {
    EXPECT_EQ(normalizeLines("a\r\nb\rc\nd"), "a\nb\nc\nd\n");  // Q185180
    EXPECT_EQ(normalizeLines("\xef\xbb\xbf"
                             "a"),
              "a\n");
    EXPECT_EQ(normalizeLines(std::string("a\0b\x1a\x1b\x7f\tc", 8)), "ab\tc\n");
    EXPECT_EQ(normalizeLines("\n a"), "\n a\n");  // Q98209
    EXPECT_EQ(normalizeLines(""), "");
    EXPECT_EQ(normalizeLines("\xc2\x85"
                             "\xc2\xa9\xc3\xa9"),
              "\xc2\xa9\xc3\xa9\n");
    EXPECT_EQ(normalizeLines("\xc2"), "\xc2\n");
    EXPECT_EQ(normalizeLines("\xc2x"), "\xc2x\n");
}

TEST(Wrap, AddressesOfTheWebStayWhole) {
    const std::string url = "https://example.org/a/long/path/that/is/wider?than=the&line=itself";
    EXPECT_EQ(wrap("see " + url + " now", 20), "see " + url + " \nnow");
    EXPECT_EQ(wrap("please see it " + url, 20), "please see it \n" + url);
    EXPECT_EQ(wrap("[1] http://x/y\n", 10), "[1] \nhttp://x/y\n");
    EXPECT_EQ(wrap("(" + url + ")", 20), "(" + url + ")");
    EXPECT_EQ(wrap("nohttp://abcdefghijkl", 10), "nohttp://a\nbcdefghijk\nl");
    const std::string endless = "https://" + std::string(1000, 'x');
    EXPECT_EQ(withoutBreaks(wrap(endless, 80)), endless);
    expectWrapped(endless, 80);
}

}  // namespace
}  // namespace postern::mail
