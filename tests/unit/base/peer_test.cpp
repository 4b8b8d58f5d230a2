#include "base/peer.h"

#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <gtest/gtest.h>

#include "base/file.h"
#include "tests/temp_folder.h"

namespace postern {
namespace {

TEST(Peer, OfALocalSocketIsKnownByName) {
    int pair[2];
    ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
    const auto user = peerUser(pair[0]);
    ASSERT_TRUE(user.ok()) << user.error().text;
    EXPECT_EQ(*user, userName());
    EXPECT_TRUE(peerIsMaster(pair[0]).valueOr(false)) << "it is ourselves";
    for (const int handle : pair) ::close(handle);
}

TEST(Peer, OfSomethingElseIsUnavailable) {
    int pipes[2];
    ASSERT_EQ(::pipe(pipes), 0);
    EXPECT_FALSE(peerUser(pipes[0]).ok());
    EXPECT_FALSE(peerIsMaster(pipes[0]).ok());
    for (const int handle : pipes) ::close(handle);
}

TEST(FileOwner, IsWhoMadeIt) {
    const tests::TempFolder folder;
    const auto owner = fileOwner(folder.path());
    ASSERT_TRUE(owner.ok()) << owner.error().text;
    EXPECT_EQ(*owner, userName());
    EXPECT_EQ(fileOwner(folder / "none").error().code, Errc::NotFound);
}

TEST(FileMode, IsSet) {
    const tests::TempFolder folder;
    const std::string file = folder / "file";
    ASSERT_TRUE(replaceFile(file, "x", 0600).ok());
    ASSERT_TRUE(setFileMode(file, 0640).ok());
    struct stat info {};
    ASSERT_EQ(::stat(file.c_str(), &info), 0);
    EXPECT_EQ(info.st_mode & 07777u, 0640u);
    EXPECT_FALSE(setFileMode(folder / "none", 0640).ok());
}

TEST(FileOwner, IsSetByNameOrNumber) {
    const tests::TempFolder folder;
    const std::string file = folder / "file";
    ASSERT_TRUE(replaceFile(file, "x").ok());
    const std::string user = userName(), group = std::to_string(::getgid());
    for (const std::string& owner : {user, user + ":" + group, ":" + group, std::string()}) {
        const auto set = setFileOwner(file, owner);
        EXPECT_TRUE(set.ok()) << owner << ": " << set.error().text;
    }
    EXPECT_EQ(setFileOwner(file, "no-such-user-here").error().code, Errc::NotFound);
    EXPECT_EQ(setFileOwner(file, ":no-such-group-here").error().code, Errc::NotFound);
}

TEST(Terminal, HasAWidthAlsoWhereThereIsNone) {
    EXPECT_GT(terminalWidth(), 0);
}

}  // namespace
}  // namespace postern
