// Files that people wrote, changed line by line.

#include "connector/config/edit.h"

#include <gtest/gtest.h>

namespace postern::config {
namespace {

constexpr const char* kFile = R"(# ours
store = "/s"   # the disk

# for fax
[adapter.fax]
kind = "drop"      # plain # files
folder = "/a#b"  # here
rules = [
  "one",  # first
  "two",
]
# the end of it

# for mail
[adapter."box"]
kind = "maildir"
)";

std::string edited(std::string_view table, const std::vector<KeyChange>& changes) {
    const auto done = editKeys(kFile, table, changes);
    return done.ok() ? *done : "refused: " + done.error().text;
}

std::string replaced(std::string text, const std::string& from, const std::string& to) {
    const auto at = text.find(from);
    EXPECT_NE(at, std::string::npos) << from;
    return text.replace(at, from.size(), to);
}

TEST(EditTest, AValueIsChangedAndItsRemarkStays) {
    EXPECT_EQ(edited("adapter.fax", {{"folder", "\"/c\""}}),
              replaced(kFile, "folder = \"/a#b\"  # here", "folder = \"/c\"  # here"));
    EXPECT_EQ(edited("", {{"store", "\"/t\""}}),
              replaced(kFile, "\"/s\"   # the disk", "\"/t\"  # the disk"));
    EXPECT_EQ(edited("adapter.box", {{"kind", "\"mh\""}}), replaced(kFile, "\"maildir\"", "\"mh\""));
}

TEST(EditTest, AValueOfSeveralLinesGoesAsAWhole) {
    const std::string list = "rules = [\n  \"one\",  # first\n  \"two\",\n]\n";
    EXPECT_EQ(edited("adapter.fax", {{"rules", std::nullopt}}), replaced(kFile, list, ""));
    EXPECT_EQ(edited("adapter.fax", {{"rules", "[\"x\"]"}}),
              replaced(kFile, list, "# first\nrules = [\"x\"]\n"))
        << "what people wrote stays";
}

TEST(EditTest, ANewKeyStandsBehindTheLastOfItsTable) {
    EXPECT_EQ(edited("adapter.fax", {{"batch", "3"}}),
              replaced(kFile, "]\n# the end", "]\nbatch = 3\n# the end"));
    EXPECT_EQ(edited("", {{"reserve", "0"}}), replaced(kFile, "disk\n", "disk\nreserve = 0\n"));
    EXPECT_EQ(*editKeys("", "", {{"kind", "\"drop\""}}), "kind = \"drop\"\n");
}

TEST(EditTest, WhatIsNotThereIsSaid) {
    EXPECT_EQ(edited("adapter.fax", {{"batch", std::nullopt}}), "refused: \"batch\" is not set");
    EXPECT_TRUE(edited("adapter.none", {{"batch", "3"}}).starts_with("refused: "));
    EXPECT_FALSE(editKeys("a = 1", "", {{"b", "1\nc = 2"}}).ok()) << "a value brings no second key";
    EXPECT_FALSE(editKeys("a = ", "", {{"b", "1"}}).ok());
}

// Lines that only look like keys or tables, and tables that no header shows.
TEST(EditTest, AFileThatLinesDoNotShowIsRefused) {
    EXPECT_FALSE(editKeys("text = \"\"\"\nkey = 1\n\"\"\"\nkey = 2\n", "", {{"key", "3"}}).ok());
    EXPECT_FALSE(
        editKeys("adapter = { fax = { kind = \"drop\" } }\n", "adapter.fax", {{"kind", "\"mh\""}}).ok());
    EXPECT_FALSE(editKeys("list = [\n[\"a\"],\n]\n", "", {{"key", "3"}}).ok());
}

TEST(EditTest, ATableGoesWithItsRemarks) {
    const std::string text = kFile;
    const auto begin = text.find("# for fax"), end = text.find("# for mail");
    EXPECT_EQ(*removeTable(kFile, "adapter.fax"), text.substr(0, begin) + text.substr(end));
    EXPECT_EQ(*removeTable(kFile, "adapter.box"), text.substr(0, end));
    EXPECT_EQ(*removeTable("[adapter.fax]\nkind = 1\n", "adapter.fax"), "");
    EXPECT_FALSE(removeTable(kFile, "adapter.none").ok());
}

TEST(EditTest, ValuesAsPeopleTypeThem) {
    using adapters::SettingType;
    EXPECT_EQ(*valueText(SettingType::Text, {"a\"b\\c\nd"}), "\"a\\\"b\\\\c\\u000Ad\"");
    EXPECT_EQ(*valueText(SettingType::Integer, {"12"}), "12");
    EXPECT_EQ(*valueText(SettingType::Integer, {"twelve"}), "\"twelve\"") << "the check says what is wrong";
    EXPECT_EQ(*valueText(SettingType::Integer, {"012"}), "\"012\"") << "no number in TOML";
    EXPECT_EQ(*valueText(SettingType::Boolean, {"true"}), "true");
    EXPECT_EQ(*valueText(SettingType::List, {"a", "b"}), "[\"a\", \"b\"]");
    EXPECT_EQ(*valueText(SettingType::List, {""}), "[]");
    EXPECT_FALSE(valueText(SettingType::Text, {"a", "b"}).ok());
}

}  // namespace
}  // namespace postern::config
