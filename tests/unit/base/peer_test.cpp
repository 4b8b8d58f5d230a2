#include "base/peer.h"

#include <sys/socket.h>
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
    for (const int handle : pair) ::close(handle);
}

TEST(Peer, OfSomethingElseIsUnavailable) {
    int pipes[2];
    ASSERT_EQ(::pipe(pipes), 0);
    EXPECT_FALSE(peerUser(pipes[0]).ok());
    for (const int handle : pipes) ::close(handle);
}

TEST(FileOwner, IsWhoMadeIt) {
    const tests::TempFolder folder;
    const auto owner = fileOwner(folder.path());
    ASSERT_TRUE(owner.ok()) << owner.error().text;
    EXPECT_EQ(*owner, userName());
    EXPECT_EQ(fileOwner(folder / "none").error().code, Errc::NotFound);
}

TEST(Terminal, HasAWidthAlsoWhereThereIsNone) {
    EXPECT_GT(terminalWidth(), 0);
}

}  // namespace
}  // namespace postern
