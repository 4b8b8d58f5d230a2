// A listener whose accept fails for good: told once, looked at once a second, and open again when it has
// recovered. The others go on meanwhile.

#include <sys/socket.h>
#include <unistd.h>

#include <Poco/Net/ServerSocket.h>
#include <Poco/Net/SocketAddress.h>
#include <Poco/Net/StreamSocket.h>
#include <gtest/gtest.h>

#include "base/log_tap.h"
#include "base/service_manager.h"
#include "connector/intake/listener.h"
#include "net/wire.h"
#include "tests/kit/wait.h"
#include "tests/unit/intake/house.h"

namespace postern::intake {
namespace {

using Poco::Net::SocketAddress;
using Poco::Net::StreamSocket;

class Breath : public testing::Test {
  protected:
    Breath() {
        ignoreBrokenPipes();
        setLogTap([this](LogEvent event, ItemId, std::string_view line) {
            if (event == LogEvent::SessionRefused && line.find("listener=ill") != std::string_view::npos)
                ++told_;
        });
    }
    ~Breath() override {
        server_.reset();
        setLogTap({});
    }

    // "ill" on the socket of `opened_`, which the test can spoil, and "well".
    void start() {
        auto ill = listenerOf(config::Protocol::Smtp);
        ill.host = "127.0.0.1";
        ill.name = "ill";
        ill.port = opened_.address().port();
        auto well = ill;
        well.name = "well";
        well.port = 0;
        well.limits.errors = well.limits.idleCommands = 1'000'000;
        ASSERT_TRUE(net::offerSockets({::dup(opened_.impl()->sockfd())}).empty());
        server_ = std::make_unique<IntakeServer>(house_.acceptor(), house_.clock(), "mx.example.org");
        const auto started = server_->start({ill, well});
        ASSERT_TRUE(started.ok()) << started.error().text;
        watcher_ = connect(server_->bound().at(1).port);
        EXPECT_EQ(line(watcher_).substr(0, 3), "220");
    }
    static StreamSocket connect(int port) {
        StreamSocket socket(SocketAddress("127.0.0.1", static_cast<std::uint16_t>(port)));
        socket.setReceiveTimeout(Poco::Timespan(30, 0));
        return socket;
    }
    static std::string line(StreamSocket& socket) {
        std::string line;
        for (char letter = 0; !line.ends_with("\r\n"); line += letter)
            if (socket.receiveBytes(&letter, 1) != 1) return "(closed)";
        return line;
    }
    // The loop has made so many turns.
    void turns(int count) {
        for (int i = 0; i < count; ++i) {
            watcher_.sendBytes("RSET\r\n", 6);
            ASSERT_EQ(line(watcher_).substr(0, 3), "250");
        }
    }
    void aSecondLater() {
        house_.clock().advance(Millis(1'001));
        server_->tick();
        turns(3);
    }

    House house_;
    std::atomic<int> told_{0};
    Poco::Net::ServerSocket opened_{SocketAddress("127.0.0.1", 0)};
    std::unique_ptr<IntakeServer> server_;
    StreamSocket watcher_;
};

TEST_F(Breath, AListenerThatFailsIsToldOnceAndComesBack) {
    start();
    ASSERT_EQ(::shutdown(opened_.impl()->sockfd(), SHUT_RDWR), 0);
    ASSERT_TRUE(tests::waitFor([&] { return told_ > 0; })) << "it is silent about it";
    for (int i = 0; i < 5; ++i) aSecondLater();
    EXPECT_EQ(told_, 1);

    ASSERT_EQ(::listen(opened_.impl()->sockfd(), 16), 0);
    StreamSocket caller = connect(opened_.address().port());  // the system may have chosen another one
    turns(3);
    EXPECT_EQ(server_->counters().accepted, 1) << "it does not rest";
    aSecondLater();
    EXPECT_EQ(line(caller).substr(0, 3), "220");
}

}  // namespace
}  // namespace postern::intake
