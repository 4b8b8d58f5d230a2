#include "base/usable_folder.h"

#include <gtest/gtest.h>

#include "base/file.h"
#include "base/folder_access.h"
#include "base/owners_rights.h"
#include "base/peer.h"
#include "tests/kit/platform.h"
#include "tests/temp_folder.h"

namespace postern {
namespace {

TEST(UsableFolder, SaysWhatALookTells) {
    const tests::TempFolder folder;
    ASSERT_TRUE(replaceFile(folder / "file", "x").ok());
    const auto said = [&](const std::string& path, bool made) { return folderObstacle({path, made, true}); };
    EXPECT_EQ(said(folder.path(), false), "");
    EXPECT_EQ(said(folder / "new/one", true), "");
    EXPECT_EQ(said(folder / "new/one", false), "there is no folder " + (folder / "new/one") + ": make it");
    EXPECT_EQ(said(folder / "file", true), (folder / "file") + " is no folder");
    EXPECT_EQ(said(folder / "file/below", true), (folder / "file") + " is no folder");
    if (!tests::kOnWindows) {
        EXPECT_EQ(said("/proc/postern", true), "/proc/postern stands on a file system that keeps no files");
    }
    EXPECT_FALSE(pathExists(folder / "new")) << "it only looks";
}

TEST(UsableFolder, AnotherUsersIsNamed) {
    SKIP_ON_WINDOWS("nobody acts with another user's rights");
    if (!isAdministrator()) GTEST_SKIP() << "only root can act for others";
    const tests::TempFolder folder;
    ASSERT_TRUE(setFileMode(folder.path(), 0755).ok());
    for (const char* name : {"his", "ours"}) ASSERT_TRUE(makeFolders(folder / name).ok());
    ASSERT_TRUE(setFileOwner(folder / "his", "65534").ok());
    const auto rights = OwnersRights::of(folder / "his");
    ASSERT_TRUE(rights.ok()) << rights.error().text;
    EXPECT_EQ(folderObstacle({folder / "his/new", true, true}), "");
    const std::string said = folderObstacle({folder / "ours", true, true});
    EXPECT_EQ(said, hindrance(folder / "ours").value_or("none")) << "as the adapter will say it";
    EXPECT_NE(said.find(folder / "ours"), std::string::npos) << said;
    EXPECT_NE(said.find(effectiveUser()), std::string::npos) << said;
    EXPECT_EQ(folderObstacle({folder / "ours", true, false}), "") << "nobody asked whose";
}

}  // namespace
}  // namespace postern
