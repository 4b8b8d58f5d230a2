#include <sys/stat.h>

#include <Poco/Net/SocketAddress.h>
#include <Poco/Net/StreamSocket.h>
#include <gtest/gtest.h>

#include "base/file.h"
#include "net/wire.h"
#include "tests/temp_folder.h"

namespace postern::net {
namespace {

unsigned modeOf(const std::string& path) {
    struct stat info {};
    EXPECT_EQ(::stat(path.c_str(), &info), 0) << path;
    return info.st_mode & 07777u;
}

TEST(EarTest, AUnixSocketHasTheModeItWasGiven) {
    const tests::TempFolder folder;
    for (const unsigned mode : {0600u, 0660u, 0666u, 0777u}) {
        const auto ear = Ear::open({{}, 0, folder / "a.sock", mode, {}});
        ASSERT_TRUE(ear.ok()) << ear.error().text;
        EXPECT_EQ(modeOf(folder / "a.sock"), mode);
    }
}

TEST(EarTest, AnOwnerThatIsNotThereIsAnErrorAndLeavesNoFile) {
    const tests::TempFolder folder;
    const auto ear = Ear::open({{}, 0, folder / "a.sock", 0660, "no-such-user-here"});
    ASSERT_FALSE(ear.ok());
    EXPECT_NE(ear.error().text.find("no-such-user-here"), std::string::npos) << ear.error().text;
    EXPECT_FALSE(pathExists(folder / "a.sock"));
}

TEST(EarTest, TellsWhoCame) {
    auto ear = Ear::open({"127.0.0.1", 0, {}});
    ASSERT_TRUE(ear.ok()) << ear.error().text;
    const Poco::Net::StreamSocket client(
        Poco::Net::SocketAddress("127.0.0.1", static_cast<Poco::UInt16>(ear->port())));
    for (;;) {
        auto accepted = ear->accept();
        ASSERT_TRUE(accepted.ok());
        if (!accepted->has_value()) continue;
        EXPECT_EQ((*accepted)->address, "127.0.0.1");
        EXPECT_EQ((*accepted)->name, client.address().toString());
        return;
    }
}

}  // namespace
}  // namespace postern::net
