#include "connector/routing/address_table.h"

#include <fstream>

#include <gtest/gtest.h>

#include "tests/temp_folder.h"

namespace postern::routing {
namespace {

std::string told(const std::vector<config::Problem>& problems) {
    std::string out;
    for (const config::Problem& each : problems)
        out += config::placeText(each.place) + ": " + each.text + "\n";
    return out;
}

AddressTable::Read parse(std::string text) {
    return AddressTable::parse(std::move(text), "t");
}

std::shared_ptr<const AddressTable> good(std::string text) {
    auto read = parse(std::move(text));
    EXPECT_EQ(told(read.problems), "");
    return read.table ? read.table : std::make_shared<const AddressTable>();
}

std::string legacy(const AddressTable& table, std::string_view address) {
    return std::string(table.legacyOf(address).value_or("-"));
}
std::string internet(const AddressTable& table, std::string_view name) {
    return std::string(table.addressOf(name).value_or("-"));
}

TEST(AddressTable, ReadsEveryWayOfWriting) {
    const auto table = good(
        "\xEF\xBB\xBFInternet address,Legacy address\r\n# people\r\n\r\n"
        "joe@x.org,Joe at PO1\r\n"
        "  Jane.Doe@X.org , \"Doe, Jane at PO1\"\n"
        "\"\"\"a b\"\"@x.org\",\"the \"\"boss\"\"\"\n"
        "\"#1@x.org\",number one\n"
        "\xC3\xA4@x.org,\xC3\x84rger\n"
        "x@sub-net.x.org,X\n"
        "\"\"\"joe2\"\"@x.org\",plain\n"
        "last@x.org,Last");
    EXPECT_EQ(table->size(), 8U);
    EXPECT_EQ(legacy(*table, "JOE@x.ORG"), "Joe at PO1");
    EXPECT_EQ(legacy(*table, "jane.doe@x.org"), "Doe, Jane at PO1");
    EXPECT_EQ(legacy(*table, "\"a b\"@x.org"), "the \"boss\"");
    EXPECT_EQ(legacy(*table, "#1@x.org"), "number one");
    EXPECT_EQ(legacy(*table, "\xC3\xA4@x.org"), "\xC3\x84rger");
    EXPECT_EQ(legacy(*table, "x@sub-net.x.org"), "X");
    EXPECT_EQ(legacy(*table, "joe2@x.org"), "plain");
    EXPECT_EQ(legacy(*table, "last@x.org"), "Last");
    EXPECT_EQ(legacy(*table, "joe@x.or"), "-");
    EXPECT_EQ(legacy(*table, ""), "-");
    EXPECT_EQ(internet(*table, "last"), "last@x.org");
    EXPECT_EQ(internet(*table, "doe, jane AT po1"), "Jane.Doe@X.org");
}

TEST(AddressTable, AnEmptyOneKnowsNobody) {
    for (const char* text : {"", "\n", "# nobody", "\xEF\xBB\xBF"}) {
        EXPECT_EQ(good(text)->size(), 0U);
        EXPECT_EQ(legacy(*good(text), "a@b"), "-");
        EXPECT_EQ(internet(*good(text), ""), "-");
    }
    EXPECT_EQ(legacy(AddressTable(), "a@b"), "-");
}

TEST(AddressTable, Q216492_RunsOfBlanksAreOne) {
    const auto table = good("j@x,John  Smith/Org\n");
    for (const char* name : {"John Smith/Org", "john   smith/ORG", "  John\tSmith/Org "})
        EXPECT_EQ(internet(*table, name), "j@x") << name;
    EXPECT_EQ(internet(*table, "JohnSmith/Org"), "-");
}

TEST(AddressTable, Q237588_NamesThatDifferInCaseAreOneWithOneWarning) {
    const auto read = parse("a@x,\"Smith, Jimmy\"\nb@x,\"SMITH, Jimmy\"\n");
    ASSERT_TRUE(read.table);
    EXPECT_EQ(told(read.warnings), "t:2: \"SMITH, Jimmy\" stands in line 1 too: answers to it go to a@x\n");
    EXPECT_EQ(internet(*read.table, "smith, jimmy"), "a@x");
    EXPECT_EQ(legacy(*read.table, "b@x"), "SMITH, Jimmy");
}

TEST(AddressTable, SaysWhatIsWrongAndWhere) {
    const struct {
        const char* text;
        const char* wanted;
    } cases[] = {
        {"a@x", "t:1: one field only: write \"internet address,legacy address\"\n"},
        {"# x\na@x,b,c", "t:2: more than two fields: a name with a comma must stand in quotes\n"},
        {"a@x,", "t:1: the legacy address is empty\n"},
        {"a@x,\"b", "t:1: a quote that does not end on the line\n"},
        {"a@x,\"b\"c", "t:1: text behind a closing quote: a quote inside a field is written twice\n"},
        {"a@x,b\x01", "t:1: the legacy address has a control character\n"},
        {"a@x,\xFF", "t:1: the legacy address is not UTF-8\n"},
        {"joe,Joe", "t:1: \"joe\": the address has no @domain\n"},
        {"a@x,A\nb@x,B\nA@X,C",
         "t:3: \"A@X\" stands in line 1 too: an Internet address has one legacy address\n"},
        {"internet,legacy\ninternet,legacy", "t:2: \"internet\": the address has no @domain\n"},
    };
    for (const auto& each : cases) {
        const auto read = parse(each.text);
        EXPECT_EQ(told(read.problems), each.wanted) << each.text;
        EXPECT_FALSE(read.table) << each.text;
    }
}

TEST(AddressTable, TellsTwentyAndCountsTheOthers) {
    std::string text;
    for (int i = 0; i < 25; ++i) text += "nobody,x\n";
    const auto read = parse(text);
    EXPECT_EQ(read.problems.size(), 21U);
    EXPECT_EQ(config::placeText(read.problems.back().place) + ": " + read.problems.back().text,
              "t: and 5 more");
}

TEST(AddressTable, AFileThatIsNotThereIsAProblem) {
    const auto read = AddressTable::read("/nowhere/people.csv");
    EXPECT_FALSE(read.table);
    ASSERT_EQ(read.problems.size(), 1U);
    EXPECT_NE(read.problems[0].text.find("can not be read"), std::string::npos);
}

TEST(AddressTable, ReadsAFileToItsLastByte) {
    tests::TempFolder folder;
    for (const char* end : {"", "\n", "\r\n"}) {
        std::ofstream(folder / "t.csv") << "a@x,A\nb@x,B" << end;
        const auto read = AddressTable::read(folder / "t.csv");
        ASSERT_TRUE(read.table) << told(read.problems);
        EXPECT_EQ(legacy(*read.table, "b@x"), "B");
        EXPECT_EQ(read.table->size(), 2U);
    }
}

TEST(AddressTable, ManyAreAllFoundBothWays) {
    std::string text;
    for (int i = 0; i < 50'000; ++i)
        text += "User" + std::to_string(i) + "@x.org,Name " + std::to_string(i) + "\n";
    const auto table = good(text);
    for (int i = 0; i < 50'000; ++i) {
        const std::string number = std::to_string(i);
        ASSERT_EQ(legacy(*table, "user" + number + "@x.org"), "Name " + number);
        ASSERT_EQ(internet(*table, "name " + number), "User" + number + "@x.org");
    }
    EXPECT_EQ(legacy(*table, "user50000@x.org"), "-");
}

}  // namespace
}  // namespace postern::routing
