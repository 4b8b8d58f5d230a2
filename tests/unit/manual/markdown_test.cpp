#include "connector/manual/markdown.h"

#include <gtest/gtest.h>

#include "base/text.h"
#include "tests/kit/platform.h"

namespace postern::manual {
namespace {

std::string plainOf(std::string_view markdown) {
    std::string all;
    for (const Word& word : proseOf(markdown)) all += (all.empty() ? "" : " ") + word.plain;
    return all;
}

std::string part(std::string_view markdown, const std::string& title = "") {
    Mdoc page("x", 5, "November 22, 2026");
    std::vector<std::string> lines;
    for (const std::string_view line : split(markdown, '\n')) lines.emplace_back(line);
    writePart(page, lines, title);
    const std::string text = page.take();
    std::size_t at = 0;
    for (int i = 0; i < 3; ++i) at = text.find('\n', at) + 1;
    return text.substr(at);
}

std::string installed(std::string_view name) {
    return placeBelow(kDocuments, name);
}

TEST(Markdown, LiteralsAndStrongWordsAreBold) {
    const auto words = proseOf("Set `wrap`, **not `now`** and ` at `.");
    ASSERT_EQ(words.size(), 8U);
    EXPECT_EQ(words[1].shown, "\\fBwrap\\fR,");
    EXPECT_EQ(words[2].shown, "\\fBnot\\fR");
    EXPECT_EQ(words[3].shown, "\\fBnow\\fR");
    EXPECT_EQ(plainOf("``a`b``"), "a`b");
    EXPECT_EQ(plainOf("an ` alone and ** too"), "an ` alone and ** too");
}

TEST(Markdown, LinksLeadToPagesAndFiles) {
    EXPECT_EQ(plainOf("see [smtp](smtp.md)."), "see postern-smtp(5).");
    EXPECT_TRUE(tests::kOnWindows || installed("a/b") == "/usr/share/doc/postern/a/b");
    EXPECT_EQ(plainOf("[PROMISE.md](../PROMISE.md)"), installed("docs/PROMISE.md"));
    EXPECT_EQ(plainOf("[CONVERSION](../CONVERSION.md)"), installed("docs/CONVERSION.md"));
    EXPECT_EQ(plainOf("[setup/fidonet.md](../setup/fidonet.md#nncp)"), installed("docs/setup/fidonet.md"));
    EXPECT_EQ(plainOf("[SETTINGS.md](SETTINGS.md#trouble)."), installed("docs/adapters/SETTINGS.md") + ".");
    EXPECT_EQ(plainOf("[who](../WEB.md#roles)"), "who (" + installed("docs/WEB.md") + ")");
    EXPECT_EQ(plainOf("[whose files](#whose-files-are-they)"), "whose files");
    EXPECT_EQ(plainOf("[pat](https://getpat.io)"), "pat (https://getpat.io)");
    EXPECT_EQ(plainOf("a [b] (c) and [d"), "a [b] (c) and [d");
}

TEST(Markdown, BlocksBecomeListsAndLiterals) {
    EXPECT_EQ(part("Text\ngoes on:\n\n    .a\n\n      b\n\nMore."),
              "Text goes on:\n.Bd -literal -offset indent\n\\&.a\n\n  b\n.Ed\n.Pp\nMore.\n");
    EXPECT_EQ(part("- one\n  goes on\n- two\n"), ".Bl -bullet\n.It\none goes on\n.It\ntwo\n.El\n");
    EXPECT_EQ(part("1. one\n2. two\n"), ".Bl -enum\n.It\none\n.It\ntwo\n.El\n");
    EXPECT_EQ(part("```\n# x\n```\n"), ".Bd -literal -offset indent\n# x\n.Ed\n");
}

TEST(Markdown, ATableBecomesAListWithTheNamesOfItsColumns) {
    EXPECT_EQ(part("| end | means |\n| --- | --- |\n| `a\\|b` | c |\n"),
              "\\fBend\\fR: means\n.Bl -tag -width Ds\n.It No \\&\\fBa|b\\fR\nc\n.El\n");
    EXPECT_EQ(part("| end | one | two |\n| --- | --- | --- |\n| x | c | d |\n"),
              "\\fBend\\fR: one; two\n.Bl -tag -width Ds\n.It No \\&x\none: c. two: d\n.El\n");
}

TEST(Markdown, ListsOfSettingsAreLeftToTheTable) {
    const char* keys = "| key | |\n| --- | --- |\n| `a` | b |\n";
    EXPECT_EQ(part(std::string("The ones to know:\n\n") + keys, "Settings"), "");
    EXPECT_EQ(part(std::string(keys) + "\nBut this.\n", "Settings"), ".Ss Settings\nBut this.\n");
}

TEST(Markdown, PartsBeginAtHeadingsOutsideOfFences) {
    const auto parts = partsOf("# T\nintro\n```\n# no\n```\n## S\nx\n");
    ASSERT_EQ(parts.size(), 3U);
    EXPECT_EQ(parts[1].title, "T");
    EXPECT_EQ(parts[1].level, 1);
    EXPECT_EQ(parts[1].lines.size(), 4U);
    EXPECT_EQ(parts[2].title, "S");
    EXPECT_EQ(parts[2].level, 2);
}

// Unclosed marks, half tables, nothing at all: shown as they are.
TEST(Markdown, StrangeTextIsNoTrouble) {
    for (const char* text :
         {"|", "||", "- ", "1. ", "```", "    ", "[", "[](", "[]()", "**", "`", "|a\\", "\t"})
        EXPECT_NO_FATAL_FAILURE(part(text)) << text;
    EXPECT_EQ(part("|"), ".Bl -tag -width Ds\n.El\n");
}

}  // namespace
}  // namespace postern::manual
