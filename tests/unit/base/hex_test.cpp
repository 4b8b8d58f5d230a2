#include "base/hex.h"

#include <algorithm>

#include <gtest/gtest.h>

namespace postern {
namespace {

TEST(Hex, DigitsOfBothCasesAndNothingElse) {
    const std::string_view small = "0123456789abcdef", large = "0123456789ABCDEF";
    for (int byte = 0; byte < 256; ++byte) {
        const char c = static_cast<char>(byte);
        const auto at = std::min(small.find(c), large.find(c));
        EXPECT_EQ(hexDigit(c), at == small.npos ? -1 : static_cast<int>(at)) << byte;
    }
}

TEST(Hex, XtextIsDecodedOrRefusedWhole) {
    const std::pair<const char*, const char*> cases[] = {{"", ""},
                                                         {"a+2Bb", "a+b"},
                                                         {"+3d+3D", "=="},
                                                         {"QQ314159+2B+3D", "QQ314159+="},
                                                         {"j+C3+BC", "j\xC3\xBC"}};
    for (const auto& [text, wanted] : cases) EXPECT_EQ(decodeXtext(text), wanted) << text;
    for (const char* text : {"+", "+2", "a+2", "+2G", "+G2", "a=b", "a b", "\xC3\xBC", "a\x7f"})
        EXPECT_EQ(decodeXtext(text), std::nullopt) << text;
}

}  // namespace
}  // namespace postern
