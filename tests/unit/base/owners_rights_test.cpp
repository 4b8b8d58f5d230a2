#include "base/owners_rights.h"

#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <gtest/gtest.h>

#include "base/file.h"
#include "tests/temp_folder.h"

namespace postern {
namespace {

TEST(OwnersRights, OfOurOwnFilesChangeNothing) {
    const tests::TempFolder folder;
    const auto user = ::geteuid();
    const auto rights = OwnersRights::of(folder.path());
    ASSERT_TRUE(rights.ok()) << rights.error().text;
    EXPECT_EQ(::geteuid(), user);
    EXPECT_EQ(OwnersRights::of(folder / "none").error().code, Errc::NotFound);
}

TEST(OwnersRights, OfAnotherUserMakeHisFilesAndEnd) {
    if (!isAdministrator()) GTEST_SKIP() << "only root can act for others";
    const tests::TempFolder folder;
    ASSERT_EQ(::chmod(folder.path().c_str(), 0755), 0);
    const std::string his = folder / "his";
    ASSERT_TRUE(makeFolders(his).ok());
    ASSERT_EQ(::chown(his.c_str(), 65534, 1), 0);
    const auto group = ::getegid();
    {
        const auto rights = OwnersRights::of(his);
        ASSERT_TRUE(rights.ok()) << rights.error().text;
        EXPECT_FALSE(isAdministrator());
        EXPECT_TRUE(replaceFile(his + "/made", "x").ok());
        EXPECT_EQ(replaceFile(folder / "ours", "x").error().code, Errc::Denied);
    }
    EXPECT_TRUE(isAdministrator());
    EXPECT_EQ(::getegid(), group);
    EXPECT_EQ(::prctl(PR_GET_DUMPABLE), 1) << "leak checkers look into this process";
    struct stat facts {};
    ASSERT_EQ(::stat((his + "/made").c_str(), &facts), 0);
    EXPECT_EQ(facts.st_uid, 65534u);
    EXPECT_EQ(facts.st_gid, 1u);
}

}  // namespace
}  // namespace postern
