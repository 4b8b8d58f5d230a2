// The server with a thread for each client, when its listening socket fails: told, not spun on, and served
// again when it has recovered.

#include <sys/socket.h>
#include <unistd.h>

#include <Poco/Net/ServerSocket.h>
#include <Poco/Net/SocketAddress.h>
#include <Poco/Net/StreamSocket.h>
#include <gtest/gtest.h>

#include "base/log_tap.h"
#include "net/socket_server.h"
#include "tests/kit/wait.h"

namespace postern::net {
namespace {

TEST(SocketServerBreath, AListenerThatFailsIsToldOnceAndServesAgain) {
    std::atomic<int> told{0};
    setLogTap([&](LogEvent event, ItemId, std::string_view line) {
        if (event == LogEvent::ControlRefused && line.find("accept: ") != std::string_view::npos) ++told;
    });
    Poco::Net::ServerSocket opened(Poco::Net::SocketAddress("127.0.0.1", 0));
    ASSERT_TRUE(offerSockets({::dup(opened.impl()->sockfd())}).empty());
    SocketServer server(
        {{"127.0.0.1", opened.address().port(), {}}, "test", 4, Millis(2'000)},
        [](Poco::Net::StreamSocket& socket) { socket.sendBytes("e", 1); }, [](Poco::Net::StreamSocket&) {});
    ASSERT_TRUE(server.start().ok());

    ASSERT_EQ(::shutdown(opened.impl()->sockfd(), SHUT_RDWR), 0);
    ASSERT_TRUE(tests::waitFor([&] { return told > 0; }));
    ASSERT_EQ(::listen(opened.impl()->sockfd(), 16), 0);
    Poco::Net::StreamSocket client(opened.address());  // the system may have chosen another port
    client.setReceiveTimeout(Poco::Timespan(30, 0));
    char letter = 0;
    EXPECT_EQ(client.receiveBytes(&letter, 1), 1);
    server.stop();
    setLogTap({});
    EXPECT_EQ(told, 1);
}

}  // namespace
}  // namespace postern::net
