#include "connector/admin/shown_lines.h"

#include <cstddef>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace postern::admin {

namespace {

using Lines = std::vector<std::string>;

Lines shown(std::string_view bytes, const std::string& charset = "us-ascii", std::size_t piece = 4096) {
    Lines lines;
    ShownLines shownLines(charset, 100, [&](const std::string& text) -> Result<void> {
        lines.push_back(text);
        return {};
    });
    for (std::size_t at = 0; at < bytes.size(); at += piece)
        EXPECT_TRUE(shownLines.append(bytes.substr(at, piece)).ok());
    EXPECT_TRUE(shownLines.finish().ok());
    return lines;
}

// With the NULs in it.
template <std::size_t N>
std::string bytesOf(const char (&literal)[N]) {
    return {literal, N - 1};
}

TEST(ShownLines, EveryEndOfALineEndsIt) {
    const Lines wanted{"one", "two", "", "three", "", "four"};
    EXPECT_EQ(shown("one\ntwo\n\nthree\n\nfour"), wanted);
    EXPECT_EQ(shown("one\r\ntwo\r\n\r\nthree\r\n\r\nfour\r\n"), wanted);
    EXPECT_EQ(shown("one\rtwo\r\rthree\r\rfour\r"), wanted);
}

TEST(ShownLines, PiecesMakeNoDifference) {
    const std::string text = bytesOf("one\r\ntwo\r\0\0Ada\0\0\x02\0\0\0x\n");
    for (std::size_t piece = 1; piece < text.size(); ++piece)
        EXPECT_EQ(shown(text, "us-ascii", piece), shown(text)) << piece;
}

TEST(ShownLines, FieldsOfAPacketAreLinesAndItsNumbersAreNot) {
    const std::string packet =
        bytesOf("\x02\0\x01\0\x64\0\0\0 14 Nov 23\0Ada Adams\0Bob\0\0Hello\rWorld\r\0\0\0");
    EXPECT_EQ(shown(packet),
              (Lines{"\\x02\\x00\\x01\\x00d\\x00 14 Nov 23", "Ada Adams", "Bob", "Hello", "World", "\\x00"}));
}

TEST(ShownLines, CharactersAreOfTheAdaptersSetAndControlsAreNamed) {
    EXPECT_EQ(shown("gr\x81n\tx\x1b[2J\n", "cp437"), (Lines{"grün    x\\x1b[2J"}));
}

TEST(ShownLines, ALongLineIsCut) {
    EXPECT_EQ(shown(std::string(250, 'x')),
              (Lines{std::string(100, 'x'), std::string(100, 'x'), std::string(50, 'x')}));
}

TEST(ShownLines, AnErrorOfTheReaderIsHandedOn) {
    ShownLines lines("us-ascii", 100,
                     [](const std::string&) -> Result<void> { return fail(Errc::Io, "closed"); });
    EXPECT_EQ(lines.append("x\n").error().text, "closed");
}

}  // namespace

}  // namespace postern::admin
