#include "connector/manual/mdoc.h"

#include <gtest/gtest.h>

#include "base/text.h"

namespace postern::manual {
namespace {

// What stands behind the three lines of the head.
std::string written(Mdoc page) {
    const std::string text = page.take();
    std::size_t at = 0;
    for (int i = 0; i < 3; ++i) at = text.find('\n', at) + 1;
    return text.substr(at);
}

Mdoc fresh() {
    return {"postern-x", 5, "November 22, 2026"};
}

std::string flowed(std::string_view plain) {
    Mdoc page = fresh();
    page.flow(plain);
    return written(std::move(page));
}

TEST(Mdoc, EscapesWhatIsReadAsACommand) {
    struct Case {
        const char *text, *plain, *literal;
    };
    const Case cases[] = {
        {"a\\fBb", "a\\efBb", "a\\efBb"},
        {"it's", "it's", "it\\(aqs"},
        {"say \"x\"", "say \\(dqx\\(dq", "say \\(dqx\\(dq"},
        {"`^~", "\\(ga\\(ha\\(ti", "\\(ga\\(ha\\(ti"},
        {"two-part", "two-part", "two\\-part"},
        {"\xe2\x9c\x94", "\\[u2714]", "\\[u2714]"},
        {"\xf0\x9f\x93\xac", "\\[u1F4EC]", "\\[u1F4EC]"},
        {"a\x01z\x7f", "a z ", "a z "},
        {"a\xff\xc3", "a??", "a??"},
        {"", "", ""},
    };
    for (const Case& each : cases) {
        EXPECT_EQ(escaped(each.text), each.plain) << each.text;
        EXPECT_EQ(escaped(each.text, Face::Literal), each.literal) << each.text;
    }
}

TEST(Mdoc, AnArgumentIsNoMacroAndNoDelimiter) {
    const std::pair<const char*, const char*> cases[] = {
        {"Fl", "\\&Fl"},
        {".", "\\&."},
        {"|", "\\&|"},
        {"(", "\\&("},
        {"adapter", "adapter"},
        {"dry-run", "dry\\-run"},
        {"a b", "\"a b\""},
        {"", "\"\""},
        {"say \"x y\"", "\"say \\(dqx y\\(dq\""},
        {":mail", "\\&:mail"},
        {"[[table]]", "\\&[[table]]"},
    };
    for (const auto& [text, wanted] : cases) EXPECT_EQ(argument(text), wanted) << text;
}

TEST(Mdoc, NoLineOfTextBeginsLikeACommand) {
    EXPECT_EQ(flowed(".Sh is no heading here"), "\\&.Sh is no heading here\n");
    EXPECT_EQ(flowed("'quoted' at once"), "\\&'quoted' at once\n");
    Mdoc page = fresh();
    page.literal({".Pp", "'x", "", "\tset in", "--all -x \\n"});
    EXPECT_EQ(written(std::move(page)),
              ".Bd -literal -offset indent\n\\&.Pp\n\\(aqx\n\n        set in\n\\-\\-all \\-x \\en\n.Ed\n");
}

// Wherever the lines are broken, also where a word with a dot comes first.
TEST(Mdoc, LongTextBecomesShortLines) {
    std::string text;
    for (int i = 0; i < 400; ++i) text += "word .toml 'x' e.g. more ";
    const std::string lines = flowed(text);
    for (const std::string_view line : split(lines, '\n')) {
        EXPECT_LE(line.size(), 80U) << line;
        EXPECT_FALSE(line.starts_with('.')) << line;
        EXPECT_FALSE(line.starts_with('\'')) << line;
    }
    const std::string longWord(200, 'x');
    EXPECT_EQ(flowed("a " + longWord + " b"), "a\n" + longWord + "\nb\n");
}

TEST(Mdoc, ASentenceBeginsANewLineAndAnAbbreviationDoesNot) {
    EXPECT_EQ(flowed("One. Two (three.) \"Four\" five e.g. six? Seven."),
              "One.\nTwo (three.)\n\\(dqFour\\(dq five e.g. six?\nSeven.\n");
    // Broken inside a sentence: the dot must not look like its end.
    const std::string almost(70, 'x');
    EXPECT_EQ(flowed(almost + " etc. goes on and on"), almost + " etc.\\&\ngoes on and on\n");
}

TEST(Mdoc, PagesBecomeReferences) {
    EXPECT_EQ(flowed("as postern.toml(5), and see postern(1)."),
              "as\n.Xr postern.toml 5 ,\nand see\n.Xr postern 1 .\n");
    EXPECT_EQ(flowed("f(x) and (2) and main() stay"), "f(x) and (2) and main() stay\n");
}

TEST(Mdoc, ParagraphsHaveABlankLineBetweenThem) {
    Mdoc page = fresh();
    page.section("DESCRIPTION");
    page.paragraph("One");
    page.paragraph("Two");
    page.beginList("-bullet");
    page.line(".It");
    page.flow("a");
    page.endList();
    page.paragraph("Three");
    EXPECT_EQ(written(std::move(page)),
              ".Sh DESCRIPTION\nOne\n.Pp\nTwo\n.Bl -bullet\n.It\na\n.El\n.Pp\nThree\n");
}

TEST(Mdoc, PiecesThatTouchStayOneWord) {
    Prose prose;
    prose.add("(");
    prose.add("--to x", Face::Literal);
    prose.add("), then");
    const std::vector<Word> words = prose.words();
    ASSERT_EQ(words.size(), 3U);
    EXPECT_EQ(words[0].shown, "(\\fB\\-\\-to\\fR");
    EXPECT_EQ(words[1].shown, "\\fBx\\fR),");
    EXPECT_EQ(words[1].plain, "x),");
    EXPECT_TRUE(prose.words().empty());
}

}  // namespace
}  // namespace postern::manual
