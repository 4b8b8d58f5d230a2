#include "base/folder_access.h"

#include <cerrno>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <gtest/gtest.h>

#include "tests/temp_folder.h"

namespace postern {
namespace {

namespace fs = std::filesystem;

// Root may everything: what it may not is asked as nobody.
class FolderAccess : public testing::Test {
  protected:
    FolderAccess() {
        fs::create_directories(inner_);
        EXPECT_TRUE(replaceFile(inner_ + "/file", "x", 0600).ok());
        if (!root_) return;
        for (const std::string& path : {temp_.path(), outer_, inner_, inner_ + "/file"})
            EXPECT_EQ(::chown(path.c_str(), 65534, 65534), 0);
        EXPECT_EQ(::seteuid(65534), 0);
    }
    ~FolderAccess() override {
        if (root_) {
            EXPECT_EQ(::seteuid(0), 0);
        }
        ::chmod(outer_.c_str(), 0700);
        ::chmod(inner_.c_str(), 0700);
    }
    static void expectParts(const std::optional<std::string>& text, const std::vector<std::string>& parts) {
        ASSERT_TRUE(text);
        for (const std::string& part : parts)
            EXPECT_NE(text->find(part), std::string::npos) << "no '" << part << "' in: " << *text;
    }

    const bool root_ = ::geteuid() == 0;
    const tests::TempFolder temp_;
    const std::string outer_ = temp_ / "outer", inner_ = outer_ + "/inner";
};

TEST_F(FolderAccess, NothingStandsInTheWayOfItsOwner) {
    for (const std::string& path : {inner_, inner_ + "/file", inner_ + "/not/made/yet"})
        EXPECT_FALSE(hindrance(path)) << *hindrance(path);
}

TEST_F(FolderAccess, TheFolderItsOwnerAndItsModeAreNamed) {
    ASSERT_EQ(::chmod(inner_.c_str(), 0555), 0);
    const std::string us = nameOfUser(::geteuid());
    for (const std::string& path : {inner_, inner_ + "/not/made/yet"})
        expectParts(hindrance(path), {"user " + us + " (group", "may not write into " + inner_ + ",",
                                      "belongs to " + us + ":", "mode 0555", "setfacl -m u:" + us + ":rwx"});
}

TEST_F(FolderAccess, AFolderOnTheWayIsNamed) {
    ASSERT_EQ(::chmod(outer_.c_str(), 0600), 0);
    expectParts(hindrance(inner_ + "/file"), {"may not pass through " + outer_ + ",", "mode 0600", "o+x"});
}

TEST_F(FolderAccess, AFileIsNamed) {
    ASSERT_EQ(::chmod((inner_ + "/file").c_str(), 0400), 0);
    expectParts(hindrance(inner_ + "/file"), {"may not write to " + inner_ + "/file,", "mode 0400"});
}

TEST_F(FolderAccess, OnlyWhatTheSystemRefusedIsExplained) {
    ASSERT_EQ(::chmod(inner_.c_str(), 0555), 0);
    const Error denied = systemError(EACCES, "x");
    EXPECT_TRUE(explainDenied(denied, {outer_, inner_}).text.starts_with("x: Permission denied; user "));
    EXPECT_NE(explainDenied(denied, {outer_}).text.find("lsattr"), std::string::npos) << "nothing is seen";
    for (const Error& other : {systemError(ENOENT, "x"), fail(Errc::Denied, "it is a link")})
        EXPECT_EQ(explainDenied(other, {inner_}).text, other.text);
}

TEST(FolderFacts, GroupAndBit) {
    const tests::TempFolder temp;
    auto facts = lookAtFolder(temp.path());
    ASSERT_TRUE(facts.ok());
    EXPECT_FALSE(facts->handsOnGroup);
    const auto number = facts->number;
    ASSERT_EQ(::chmod(temp.path().c_str(), 02700), 0);
    facts = lookAtFolder(temp.path());
    EXPECT_TRUE(facts->handsOnGroup);
    EXPECT_EQ(facts->number, number);
    struct stat info {};
    ASSERT_EQ(::stat(temp.path().c_str(), &info), 0);
    EXPECT_EQ(facts->group, info.st_gid);
    EXPECT_EQ(lookAtFolder(temp / "none").error().code, Errc::NotFound);
}

TEST(FileGroup, IsSetAndRead) {
    const tests::TempFolder temp;
    const auto folder = Folder::open(temp.path());
    const auto file = folder->create("file");
    ASSERT_TRUE(file.ok());
    const GroupId wanted = ::geteuid() == 0 ? 54321 : ::getegid();
    const auto set = setFileGroup(*file, wanted);
    ASSERT_TRUE(set.ok()) << set.error().text;
    EXPECT_EQ(fileGroup(*file).valueOr(0), wanted);
    EXPECT_EQ(nameOfGroup(54321), "gid 54321");
}

// In a child with a disk of its own.
TEST(Hindrance, AReadOnlyVolumeIsCalledSo) {
    const tests::TempFolder temp;
    const pid_t child = ::fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
        if (::unshare(CLONE_NEWNS) != 0 || ::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0 ||
            ::mount("tmpfs", temp.path().c_str(), "tmpfs", MS_RDONLY, nullptr) != 0)
            ::_exit(77);
        const auto found = hindrance(temp.path());
        ::_exit(found && found->find("is read-only for this service") != std::string::npos ? 0 : 1);
    }
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    ASSERT_TRUE(WIFEXITED(status));
    if (WEXITSTATUS(status) == 77) GTEST_SKIP() << "this machine lets nobody mount a private disk";
    EXPECT_EQ(WEXITSTATUS(status), 0);
}

}  // namespace
}  // namespace postern
