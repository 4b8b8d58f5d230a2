#include "connector/intake/smtp_data.h"

#include <string>

#include <gtest/gtest.h>

#include "connector/intake/smtp_command.h"

namespace postern::intake {
namespace {

struct Read {
    std::string text;
    std::string left;
    bool end = false;
    TextFlaws flaws;
};

// Feeds `input` in two pieces, cut at `cut`; what a piece leaves behind is put before the next.
Read readText(const std::string& input, std::size_t cut, int longest = 100) {
    DataReader reader;
    reader.begin(longest);
    Read out;
    std::string kept;
    for (const std::string& piece : {input.substr(0, cut), input.substr(cut)}) {
        kept += piece;
        if (out.end) continue;
        std::string_view view = kept;
        out.end = reader.take(view, [&](std::string_view text) { out.text += text; });
        kept = std::string(view);
    }
    out.left = kept;
    out.flaws = reader.flaws();
    return out;
}

TEST(DataReader, EndsOnlyAtTheTrueEndHoweverItIsCut) {
    const struct {
        std::string input, text;
        bool end;
        std::string left;
    } cases[] = {
        {".\r\n", "", true, ""},
        {".\r\nQUIT\r\n", "", true, "QUIT\r\n"},
        {"a\r\n.\r\n", "a\r\n", true, ""},
        {"a\r\n..\r\n.\r\n", "a\r\n.\r\n", true, ""},
        {"..\r\n.b\r\n.\r\n", ".\r\nb\r\n", true, ""},
        {"a.\r\nb\r\n.\r\n", "a.\r\nb\r\n", true, ""},
        {"a\r\n. \r\n.\r\n", "a\r\n \r\n", true, ""},
        {"a\r\n.", "a\r\n", false, "."},
        {"a\r\n.\r", "a\r\n", false, ".\r"},
        {"a\r", "a", false, "\r"},
        {"a", "a", false, ""},
        {"", "", false, ""},
        {"\r\n\r\n.\r\n", "\r\n\r\n", true, ""},
    };
    for (const auto& each : cases) {
        for (std::size_t cut = 0; cut <= each.input.size(); ++cut) {
            const Read got = readText(each.input, cut);
            EXPECT_EQ(got.text, each.text) << each.input << " cut at " << cut;
            EXPECT_EQ(got.end, each.end) << each.input << " cut at " << cut;
            EXPECT_EQ(got.left, each.left) << each.input << " cut at " << cut;
            EXPECT_FALSE(got.flaws.lineEnds() || got.flaws.nul || got.flaws.longLine) << each.input;
        }
    }
}

TEST(DataReader, NotesEveryFlawHoweverItIsCut) {
    const std::string nul(1, '\0');
    const struct {
        std::string input;
        bool bareCr, bareLf, hasNul, longLine;
    } cases[] = {
        {"a\nb\r\n.\r\n", false, true, false, false},
        {"\n.\r\n\r\n.\r\n", false, true, false, false},
        {"a\rb\r\n.\r\n", true, false, false, false},
        {"a\r\r\n.\r\n", true, false, false, false},
        {"a\r.\r\r\n.\r\n", true, false, false, false},
        {"a\n\rb\r\n.\r\n", true, true, false, false},
        {".\n\r\n.\r\n", false, true, false, false},
        {".\rx\r\n.\r\n", true, false, false, false},
        {"a" + nul + "\r\n.\r\n", false, false, true, false},
        {nul + "\r\n.\r\n", false, false, true, false},
        {"12345678\r\n.\r\n", false, false, false, false},
        {".12345678\r\n.\r\n", false, false, false, false},
        {"123456789\r\n.\r\n", false, false, false, true},
        {".123456789\r\n.\r\n", false, false, false, true},
    };
    for (const auto& each : cases) {
        for (std::size_t cut = 0; cut <= each.input.size(); ++cut) {
            const Read got = readText(each.input, cut, 10);
            EXPECT_TRUE(got.end) << each.input << " cut at " << cut;
            EXPECT_EQ(got.left, "") << "no end before the true one: " << each.input << " cut at " << cut;
            EXPECT_EQ(got.flaws.bareCr, each.bareCr) << each.input << " cut at " << cut;
            EXPECT_EQ(got.flaws.bareLf, each.bareLf) << each.input << " cut at " << cut;
            EXPECT_EQ(got.flaws.nul, each.hasNul) << each.input << " cut at " << cut;
            EXPECT_EQ(got.flaws.longLine, each.longLine) << each.input << " cut at " << cut;
        }
    }
}

TEST(DataReader, HandsOnWholeRunsOfLines) {
    DataReader reader;
    reader.begin(100);
    std::string input;
    for (int i = 0; i < 500; ++i) input += "a line of some text\r\n";
    input += "..a dot\r\n.\r\n";
    std::string_view view = input;
    int pieces = 0;
    EXPECT_TRUE(reader.take(view, [&](std::string_view) { ++pieces; }));
    EXPECT_EQ(pieces, 2);
}

TEST(LineReader, ReportsABadLineOnceHoweverItIsCut) {
    using Kind = Line::Kind;
    const struct {
        std::string input;
        std::vector<Kind> wanted;
    } cases[] = {
        {"NOOP\r\n", {Kind::Good}},
        {"\r\n\r\n", {Kind::Good, Kind::Good}},
        {"a\nb\r\nNOOP\r\n", {Kind::BareLf, Kind::Good}},
        {"a\rb\r\nNOOP\r\n", {Kind::BareCr, Kind::Good}},
        {"a\r\r\nNOOP\r\n", {Kind::BareCr, Kind::Good}},
        {"a\n\n\n\r\nNOOP\r\n", {Kind::BareLf, Kind::Good}},
        {"12345678\r\n", {Kind::Good}},
        {"123456789\r\nNOOP\r\n", {Kind::TooLong, Kind::Good}},
        {"12345678901234567890\n\r\nNOOP\r\n", {Kind::TooLong, Kind::Good}},
        {"\x01\r\n\x80\r\n", {Kind::Control, Kind::EightBit}},
        {"unfinished", {}},
    };
    for (const auto& each : cases) {
        for (std::size_t cut = 0; cut <= each.input.size(); ++cut) {
            LineReader reader;
            std::vector<Kind> got;
            std::string kept;
            for (const std::string& piece : {each.input.substr(0, cut), each.input.substr(cut)}) {
                kept += piece;
                std::string_view view = kept;
                while (const auto line = reader.take(view, each.wanted.empty() ? 100 : 10))
                    got.push_back(line->kind);
                kept = std::string(view);
            }
            EXPECT_EQ(got, each.wanted) << each.input << " cut at " << cut;
        }
    }
}

}  // namespace
}  // namespace postern::intake
