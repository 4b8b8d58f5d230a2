// Folders as Windows has them: links and mount points, removal, and the rename that one of many wins.

#include <atomic>
#include <thread>

#include <gtest/gtest.h>

#include "base/file.h"
#include "base/windows/named.h"
#include "tests/kit/platform.h"
#include "tests/temp_folder.h"

namespace postern {
namespace {

class WindowsFolder : public testing::Test {
  protected:
    bool link(const std::string& to, const std::string& name, DWORD kind = 0) {
        constexpr DWORD kWithoutPrivilege = 2;  // in developer mode
        return ::CreateSymbolicLinkW(windows::systemPath(temp / name).c_str(),
                                     windows::systemPath(to).c_str(), kind | kWithoutPrivilege) != 0;
    }
    const tests::TempFolder temp;
    const Folder stage = std::move(Folder::make(temp / "stage")).value();
    const Folder live = std::move(Folder::make(temp / "live")).value();
};

TEST_F(WindowsFolder, LinksAreSeenAndNotFollowed) {
    SKIP_UNDER_WINE("it makes no links");
    ASSERT_TRUE(replaceFile(temp / "elsewhere", "secret").ok());
    if (!link(temp / "elsewhere", "stage/link")) GTEST_SKIP() << "this user may make no links";
    EXPECT_FALSE(stage.facts("link")->regular);
    EXPECT_EQ(stage.openRead("link").error().code, Errc::Invalid);
    EXPECT_EQ(stage.openShared("link").error().code, Errc::Invalid);
    EXPECT_EQ(stage.create("link").error().code, Errc::Exists);
    EXPECT_EQ(*stage.moveNoReplace("link", live, "link"), Moved::Done) << "the link itself";
    EXPECT_TRUE(live.remove("link").ok());
    EXPECT_EQ(*readFile(temp / "elsewhere", 10), "secret");
}

TEST_F(WindowsFolder, AFolderIsNoRegularFileAndIsNotRemovedAsOne) {
    ASSERT_TRUE(makeFolders(temp / "stage/below").ok());
    EXPECT_FALSE(stage.facts("below")->regular);
    EXPECT_FALSE(stage.remove("below").ok());
    EXPECT_FALSE(stage.openShared("below").ok());
    EXPECT_TRUE(*stage.has("below"));
}

TEST_F(WindowsFolder, RenamesInsideOneThatWasRenamedStayInside) {
    SKIP_UNDER_WINE("it remembers an open folder by its path");
    ASSERT_TRUE(replaceFile(temp / "stage/a", "ours").ok());
    std::filesystem::rename(temp / "stage", temp / "stage.old");
    ASSERT_TRUE(makeFolders(temp / "stage").ok());
    ASSERT_TRUE(replaceFile(temp / "stage/a", "another's").ok());
    EXPECT_EQ(stage.stillThere().error().code, Errc::Unavailable);
    EXPECT_EQ(*stage.moveNoReplace("a", stage, "b"), Moved::Done);
    EXPECT_EQ(*readFile(temp / "stage/a", 20), "another's") << "the path leads to another folder now";
    EXPECT_EQ(*readFile(temp / "stage.old/b", 20), "ours");
}

// Of many who rename one file to many names, and of many who rename many files to one name, one wins each
// time. The others are told the truth.
TEST_F(WindowsFolder, OfManyMoversOneWins) {
    constexpr int kRounds = 30, kMovers = 8;
    for (int round = 0; round < kRounds; ++round) {
        const std::string name = "item-" + std::to_string(round);
        for (int i = 0; i < kMovers; ++i) ASSERT_TRUE(stage.create(name + "-" + std::to_string(i)).ok());
        ASSERT_TRUE(stage.create(name).ok());
        std::atomic<int> done{0}, missing{0}, exists{0}, strange{0};
        const auto count = [&](const Result<Moved>& moved) {
            if (!moved.ok())
                ++strange;
            else
                ++(*moved == Moved::Done ? done : *moved == Moved::SourceMissing ? missing : exists);
        };
        {
            std::vector<std::jthread> movers;
            for (int i = 0; i < kMovers; ++i)
                movers.emplace_back([&, i] {
                    const std::string number = "-" + std::to_string(i);
                    count(stage.moveNoReplace(name, live, name + number));
                    count(stage.moveNoReplace(name + number, live, name));
                });
        }
        ASSERT_EQ(done, 2) << "round " << round;
        ASSERT_EQ(missing, kMovers - 1);
        ASSERT_EQ(exists, kMovers - 1);
        ASSERT_EQ(strange, 0);
    }
}

TEST_F(WindowsFolder, TheWholeTreeIsSynced) {
    ASSERT_TRUE(makeFolders(temp / "stage/deep/deeper").ok());
    ASSERT_TRUE(replaceFile(temp / "stage/deep/deeper/mail", "x").ok());
    const windows::OwnHandle kept(::CreateFileW(windows::systemPath(temp / "stage/deep/deeper/mail").c_str(),
                                                GENERIC_READ, 0, nullptr, OPEN_EXISTING, 0, nullptr));
    ASSERT_TRUE(kept.valid());
    EXPECT_TRUE(stage.syncVolume().ok()) << "what another program keeps for itself is left out";
    EXPECT_TRUE(stage.mayWrite().ok());
}

TEST_F(WindowsFolder, RemovedOnesAreNoticed) {
    SKIP_UNDER_WINE("a folder that is open stays until it is closed, and nothing says so");
    std::filesystem::remove(temp / "live");
    EXPECT_EQ(live.stillThere().error().code, Errc::Unavailable);
    ASSERT_TRUE(stage.create("a").ok());
    const auto moved = stage.moveNoReplace("a", live, "a");
    EXPECT_FALSE(moved.ok() && *moved == Moved::Done);
    EXPECT_TRUE(*stage.has("a"));
}

}  // namespace
}  // namespace postern
