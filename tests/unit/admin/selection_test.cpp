#include "connector/admin/selection.h"

#include <gtest/gtest.h>

namespace postern::admin {
namespace {

std::string shown(std::string_view text) {
    const auto selection = parseSelection(text);
    if (!selection.ok()) return "error: " + selection.error().text;
    std::string all;
    for (const auto& part : selection->parts)
        all += part.message ? "m" + std::to_string(part.message.value) + ";"
                            : std::to_string(part.first) + ".." + std::to_string(part.last) + ";";
    return all;
}

TEST(Selection, TakesIdsRangesAndMessages) {
    EXPECT_EQ(shown("3"), "3..3;");
    EXPECT_EQ(shown("3-7"), "3..7;");
    EXPECT_EQ(shown(" 3,  5-5\tm12 "), "3..3;5..5;m12;");
    EXPECT_EQ(shown("9223372036854775807"), "9223372036854775807..9223372036854775807;");
}

TEST(Selection, RefusesTheRestAndNamesIt) {
    for (const char* bad :
         {"x", "0", "-3", "3-", "-", "7-3", "m", "m0", "m-1", "M3", "3.5", "99999999999999999999", "1-2-3"})
        EXPECT_EQ(shown(bad), std::string("error: \"") + bad + "\" is no item: write 3, 3-7 or m12");
    EXPECT_EQ(shown(""), "error: no item is named");
    EXPECT_EQ(shown(" , "), "error: no item is named");
    EXPECT_EQ(shown("1-100001"), "error: 1-100001 is more than 100000 items");
    EXPECT_EQ(shown("1-9223372036854775807"), "error: 1-9223372036854775807 is more than 100000 items");
}

}  // namespace
}  // namespace postern::admin
