#include "base/rewrite_file.h"

#include <sys/stat.h>
#include <unistd.h>

#include <gtest/gtest.h>

#include "base/file.h"
#include "tests/temp_folder.h"

namespace postern {
namespace {

struct stat lookAt(const std::string& path) {
    struct stat facts {};
    EXPECT_EQ(::stat(path.c_str(), &facts), 0) << path;
    return facts;
}

TEST(RewriteFile, ANewOneIsForItsOwnerAndGroupWhateverTheUmask) {
    tests::TempFolder folder;
    for (const mode_t mask : {mode_t{0}, mode_t{077}}) {
        const mode_t before = ::umask(mask);
        const std::string path = folder / ("new" + std::to_string(mask));
        EXPECT_TRUE(rewriteFile(path, "text").ok());
        ::umask(before);
        EXPECT_EQ(lookAt(path).st_mode & 07777, 0640u);
        EXPECT_EQ(*readFile(path, 100), "text");
    }
}

TEST(RewriteFile, AnOldOneKeepsItsMode) {
    tests::TempFolder folder;
    const std::string path = folder / "old";
    for (const mode_t mode : {mode_t{0600}, mode_t{0644}, mode_t{0660}}) {
        ASSERT_TRUE(replaceFile(path, "before").ok());
        ASSERT_EQ(::chmod(path.c_str(), mode), 0);
        ASSERT_TRUE(rewriteFile(path, "after").ok());
        EXPECT_EQ(lookAt(path).st_mode & 07777, mode);
        EXPECT_EQ(*readFile(path, 100), "after");
    }
}

TEST(RewriteFile, AnOldOneKeepsItsOwnerAndANewOneGetsItsFolders) {
    if (::geteuid() != 0) GTEST_SKIP() << "only root can give files away";
    tests::TempFolder folder;
    const std::string path = folder / "old";
    ASSERT_TRUE(replaceFile(path, "before").ok());
    ASSERT_EQ(::chown(path.c_str(), 65534, 65534), 0);
    ASSERT_TRUE(rewriteFile(path, "after").ok());
    EXPECT_EQ(lookAt(path).st_uid, 65534u);
    EXPECT_EQ(lookAt(path).st_gid, 65534u);
    ASSERT_EQ(::chown(folder.path().c_str(), 0, 65534), 0);
    ASSERT_TRUE(rewriteFile(folder / "new", "text").ok());
    EXPECT_EQ(lookAt(folder / "new").st_uid, 0u);
    EXPECT_EQ(lookAt(folder / "new").st_gid, 65534u);
}

TEST(RewriteFile, BehindALinkTheFileIsReplacedAndTheLinkStays) {
    tests::TempFolder folder;
    const std::string path = folder / "file", link = folder / "link";
    ASSERT_TRUE(replaceFile(path, "before").ok());
    ASSERT_EQ(::symlink("file", link.c_str()), 0);
    ASSERT_TRUE(rewriteFile(link, "after").ok());
    EXPECT_EQ(*readFile(path, 100), "after");
    struct stat facts {};
    ASSERT_EQ(::lstat(link.c_str(), &facts), 0);
    EXPECT_TRUE(S_ISLNK(facts.st_mode));
}

TEST(RewriteFile, ANewOneIsLikeTheModel) {
    tests::TempFolder folder;
    const std::string model = folder / "model";
    ASSERT_TRUE(replaceFile(model, "main").ok());
    for (const mode_t mode : {mode_t{0600}, mode_t{0640}, mode_t{0664}}) {
        ASSERT_EQ(::chmod(model.c_str(), mode), 0);
        const std::string path = folder / ("new" + std::to_string(mode));
        ASSERT_TRUE(rewriteFile(path, "text", model).ok());
        EXPECT_EQ(lookAt(path).st_mode & 07777, mode);
    }
    EXPECT_EQ(rewriteFile(folder / "none", "text", folder / "no such model").error().code, Errc::NotFound);
    EXPECT_FALSE(pathExists(folder / "none"));
}

TEST(RewriteFile, ANewOneHasTheModelsOwnerAndAnOldOneItsOwn) {
    if (::geteuid() != 0) GTEST_SKIP() << "only root can give files away";
    tests::TempFolder folder;
    const std::string model = folder / "model";
    ASSERT_TRUE(replaceFile(model, "main").ok());
    ASSERT_EQ(::chown(model.c_str(), 1, 65534), 0);
    ASSERT_TRUE(rewriteFile(folder / "new", "text", model).ok());
    EXPECT_EQ(lookAt(folder / "new").st_uid, 1u);
    EXPECT_EQ(lookAt(folder / "new").st_gid, 65534u);
    ASSERT_EQ(::chown((folder / "new").c_str(), 0, 1), 0);
    ASSERT_TRUE(rewriteFile(folder / "new", "other", model).ok());
    EXPECT_EQ(lookAt(folder / "new").st_uid, 0u);
    EXPECT_EQ(lookAt(folder / "new").st_gid, 1u);
}

}  // namespace
}  // namespace postern
