#include "connector/intake/line_ends.h"

#include <gtest/gtest.h>

namespace postern::intake {
namespace {

std::string convert(const std::vector<std::string>& pieces) {
    LineEnds lineEnds;
    std::string out;
    for (const std::string& piece : pieces) lineEnds.feed(piece, out);
    return out;
}

TEST(LineEnds, Q98209_EveryLineEndBecomesCrLf) {
    EXPECT_EQ(convert({"a\nb\r\nc\rd"}), "a\r\nb\r\nc\r\nd");
    EXPECT_EQ(convert({"\n\r\n\r"}), "\r\n\r\n\r\n");
    EXPECT_EQ(convert({"\r\r\n\n"}), "\r\n\r\n\r\n");
    EXPECT_EQ(convert({""}), "");
}

TEST(LineEnds, ItDoesNotMatterHowTheBytesAreCut) {
    const std::string text = "a\r\nb\n\r\n\rc\r";
    const std::string whole = convert({text});
    for (std::size_t cut = 0; cut <= text.size(); ++cut)
        EXPECT_EQ(convert({text.substr(0, cut), text.substr(cut)}), whole) << cut;
    std::vector<std::string> bytes;
    for (const char c : text) bytes.emplace_back(1, c);
    EXPECT_EQ(convert(bytes), whole);
}

}  // namespace
}  // namespace postern::intake
