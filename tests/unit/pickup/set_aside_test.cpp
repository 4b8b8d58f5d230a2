#include "base/set_aside.h"

#include <fstream>

#include <gtest/gtest.h>

#include "tests/temp_folder.h"

namespace postern::pickup {
namespace {

TEST(SetAside, NothingIsReplacedAndEachFileHasItsReason) {
    tests::TempFolder folder;
    const auto from = Folder::make(folder / "in"), to = Folder::make(folder / "bad");
    ASSERT_TRUE(from.ok() && to.ok());
    const char* wanted[] = {"a.eml", "a.eml~1", "a.eml~2"};
    for (int i = 0; i < 3; ++i) {
        std::ofstream(folder / "in/a.eml") << i;
        const auto name = setAside(*from, "a.eml", *to, "a.eml", "reason " + std::to_string(i));
        ASSERT_TRUE(name.ok()) << name.error().text;
        EXPECT_EQ(*name, wanted[i]);
        EXPECT_EQ(*readFile(folder / "bad/" + *name, 10), std::to_string(i));
        EXPECT_EQ(*readFile(folder / "bad/" + *name + ".reason.txt", 100),
                  "reason " + std::to_string(i) + "\n");
    }
    EXPECT_FALSE(pathExists(folder / "in/a.eml"));
}

TEST(SetAside, AReasonThatStandsThereAloneIsNotReplaced) {
    tests::TempFolder folder;
    const auto from = Folder::make(folder / "in"), to = Folder::make(folder / "bad");
    std::ofstream(folder / "in/a.eml") << "x";
    std::ofstream(folder / "bad/a.eml.reason.txt") << "somebody's";
    const auto name = setAside(*from, "a.eml", *to, "a.eml", "ours");
    ASSERT_TRUE(name.ok());
    EXPECT_EQ(*name, "a.eml~1");
    EXPECT_EQ(*readFile(folder / "bad/a.eml.reason.txt", 100), "somebody's");
}

TEST(SetAside, AFileThatIsGoneLeavesNothingBehind) {
    tests::TempFolder folder;
    const auto from = Folder::make(folder / "in"), to = Folder::make(folder / "bad");
    EXPECT_EQ(setAside(*from, "a.eml", *to, "a.eml", "x").error().code, Errc::NotFound);
    int found = 0;
    ASSERT_TRUE(to->list([&](std::string_view) { return ++found > 0; }).ok());
    EXPECT_EQ(found, 0);
}

}  // namespace
}  // namespace postern::pickup
