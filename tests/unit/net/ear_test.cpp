#include <Poco/Net/SocketAddress.h>
#include <Poco/Net/StreamSocket.h>
#include <gtest/gtest.h>

#include "net/system_sockets.h"
#include "net/wire.h"

namespace postern::net {
namespace {

TEST(EarTest, AUnixSocketIsRefusedWhereThereAreNone) {
    if (hasLocalSockets()) GTEST_SKIP() << "there are some here";
    const auto ear = Ear::open({{}, 0, "chat.sock"});
    ASSERT_FALSE(ear.ok());
    EXPECT_EQ(ear.error().code, Errc::Invalid);
    EXPECT_NE(ear.error().text.find("127.0.0.1"), std::string::npos) << ear.error().text;
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
