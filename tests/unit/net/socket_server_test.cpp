// The server with a thread for each client, over real sockets: clients that do not read, do not send, come
// and go, and a stop in the middle of it all.

#include "net/socket_server.h"

#include <atomic>
#include <thread>

#include <Poco/Exception.h>
#include <Poco/Net/SocketAddress.h>
#include <Poco/Net/StreamSocket.h>
#include <gtest/gtest.h>

#include "base/file.h"
#include "base/service_manager.h"
#include "base/socket_grip.h"
#include "net/system_sockets.h"
#include "tests/kit/platform.h"
#include "tests/kit/wait.h"
#include "tests/temp_folder.h"

namespace postern::net {
namespace {

using Poco::Net::SocketAddress;
using Poco::Net::StreamSocket;

constexpr int kTurns = tests::kOnWindows ? 60 : 300;  // Wine takes its time for each connection
constexpr Millis kFar{60'000};   // a stop that waits this long for something fails its test
constexpr Millis kSoon{20'000};  // far above what anything here takes, far below kFar

// Serves by the first byte a client sends: 'e' says "e" and ends, 'h' reads until the other side is silent no
// more, 'f' writes for ever, 't' throws.
class SocketServerTest : public testing::TestWithParam<bool> {
  protected:
    SocketServerTest() { ignoreBrokenPipes(); }

    void SetUp() override {
        if (GetParam()) SKIP_ON_WINDOWS("no Unix sockets");
    }

    void start(int connections, Millis patience) {
        SocketServerOptions options{{}, "test", connections, patience};
        if (GetParam())
            options.place.socketPath = path;
        else
            options.place.host = "127.0.0.1";
        server = std::make_unique<SocketServer>(
            options, [this](StreamSocket& socket) { serve(socket); },
            [](StreamSocket& socket) { socket.sendBytes("!", 1); });
        const auto started = server->start();
        EXPECT_TRUE(started.ok()) << started.error().text;
        port = server->port();
    }

    void serve(StreamSocket& socket) {
        const int now = ++inside;
        for (int before = most; now > before && !most.compare_exchange_weak(before, now);) {
        }
        try {
            talk(socket);
        } catch (const Poco::Exception&) {
            ++broken;
        }
        --inside;
    }

    // Where the system wakes nobody it is looked at again, as the control channel does.
    static bool receive(StreamSocket& socket, char& byte) {
        const Poco::Timespan look(SocketGrip::longestWait(kFar).count() * 1000);
        int got = -1;
        while (got < 0) {
            socket.poll(look, StreamSocket::SELECT_READ);
            got = socket.receiveBytes(&byte, 1);
        }
        return got == 1;
    }

    static void talk(StreamSocket& socket) {
        char wish = 0;
        if (!receive(socket, wish)) return;
        if (wish == 't') throw std::runtime_error("thrown");
        if (wish == 'e') socket.sendBytes(&wish, 1);
        if (wish == 'h')
            while (receive(socket, wish)) {
            }
        socket.setBlocking(true);
        const std::string much(1 << 16, 'x');
        while (wish == 'f') socket.sendBytes(much.data(), static_cast<int>(much.size()));
    }

    StreamSocket connect(const std::string& wish = "") {
        StreamSocket socket;
        socket.connect(GetParam() ? localAddress(path)
                                  : SocketAddress("127.0.0.1", static_cast<std::uint16_t>(port)));
        socket.setReceiveTimeout(Poco::Timespan(20, 0));
        if (!wish.empty()) socket.sendBytes(wish.data(), static_cast<int>(wish.size()));
        return socket;
    }
    // All that comes until the end; "-" when the connection was refused or reset.
    std::string ask(const std::string& wish) {
        std::string all;
        try {
            StreamSocket socket = connect(wish);
            char piece[64];
            for (int got = 0; (got = socket.receiveBytes(piece, sizeof piece)) > 0;)
                all.append(piece, static_cast<std::size_t>(got));
        } catch (const Poco::Exception&) {
            return "-";
        }
        return all;
    }
    Millis stopTime() {
        const SteadyTime before = Clock::system().steady();
        server->stop();
        return std::chrono::duration_cast<Millis>(Clock::system().steady() - before);
    }

    tests::TempFolder folder;
    const std::string path = folder / "a.sock";
    int port = 0;
    std::atomic<int> inside{0}, most{0}, broken{0};
    std::unique_ptr<SocketServer> server;
};

TEST_P(SocketServerTest, AClientThatNeverReadsHoldsAStopNoLongerThanItsPatience) {
    start(4, Millis{100});
    const StreamSocket greedy = connect("f");
    ASSERT_TRUE(tests::waitFor([this] { return inside == 1; }));
    EXPECT_LT(stopTime(), kSoon);
    EXPECT_EQ(broken, 1) << "its writer was woken";
}

TEST_P(SocketServerTest, ClientsThatNeverSendDelayNoStopAtAll) {
    start(4, kFar);
    const StreamSocket silent = connect(), half = connect("h");
    ASSERT_TRUE(tests::waitFor([this] { return inside == 2; }));
    EXPECT_LT(stopTime(), kSoon) << "they are asked, which is enough";
    EXPECT_EQ(broken, tests::kOnWindows ? 2 : 0) << "that end is an error on Windows";
}

TEST_P(SocketServerTest, WhoCameBackAfterItsEndFindsItsPlaceFree) {
    start(1, kFar);
    for (int i = 0; i < kTurns; ++i) ASSERT_EQ(ask("e"), "e") << "turn " << i;
}

TEST_P(SocketServerTest, AStormAtTheLimitIsServedOrRefusedAndNeverExceedsIt) {
    start(3, kFar);
    std::atomic<int> served{0}, refused{0}, odd{0};
    {
        std::vector<std::jthread> clients;
        for (int client = 0; client < 8; ++client)
            clients.emplace_back([&, this] {
                for (int i = 0; i < kTurns / 3; ++i) {
                    const std::string answer = ask("e");
                    ++(answer == "e" ? served : answer == "!" || answer == "-" ? refused : odd);
                }
            });
    }
    EXPECT_EQ(odd, 0);
    EXPECT_EQ(served + refused, 8 * (kTurns / 3));
    EXPECT_GT(served, 0);
    EXPECT_LE(most, 3);
    EXPECT_TRUE(tests::waitFor([this] { return ask("e") == "e"; })) << "and goes on";
}

TEST_P(SocketServerTest, OneTooManyIsToldAndAPlaceThatGetsFreeIsUsed) {
    start(1, kFar);
    StreamSocket first = connect("h");
    ASSERT_TRUE(tests::waitFor([this] { return inside == 1; }));
    const std::string answer = ask("");
    EXPECT_EQ(answer, "!");
    first.close();
    EXPECT_TRUE(tests::waitFor([this] { return ask("e") == "e"; }));
}

TEST_P(SocketServerTest, AStopWhileClientsComeAndGoEndsThemAllAndItMayStartAgain) {
    start(4, Millis{100});
    std::atomic<bool> enough{false};
    {
        const StreamSocket greedy = connect("f");
        std::vector<std::jthread> clients;
        for (int client = 0; client < 5; ++client)
            clients.emplace_back([&, this] {
                while (!enough) (void)ask("e");
            });
        const bool busy = tests::waitFor([this] { return most >= 2; });
        EXPECT_TRUE(busy);
        EXPECT_LT(stopTime(), kSoon);
        enough = true;
    }
    EXPECT_EQ(inside, 0);
    EXPECT_EQ(server->port(), 0);
    EXPECT_FALSE(pathExists(path));
    ASSERT_TRUE(server->start().ok());
    port = server->port();
    EXPECT_EQ(ask("e"), "e");
}

TEST_P(SocketServerTest, AThrowEndsThatConnectionOnly) {
    start(2, kFar);
    EXPECT_EQ(ask("t"), "");
    EXPECT_EQ(ask("e"), "e");
}

INSTANTIATE_TEST_SUITE_P(Places, SocketServerTest, testing::Bool(),
                         [](const auto& which) { return which.param ? "UnixSocket" : "Loopback"; });

TEST(SocketServerPlaces, ASecondOneIsBusyAFileIsNoPlaceAndALongPathIsNone) {
    SKIP_ON_WINDOWS("no Unix sockets");
    const tests::TempFolder folder;
    const auto make = [](const std::string& path) {
        return SocketServer(
            {{.socketPath = path}, "test"}, [](StreamSocket&) {}, [](StreamSocket&) {});
    };
    auto first = make(folder / "a.sock"), second = make(folder / "a.sock"), none = make(folder / "file"),
         distant = make(folder / std::string(120, 'x'));
    ASSERT_TRUE(first.start().ok());
    EXPECT_EQ(second.start().error().code, Errc::Busy);
    ASSERT_TRUE(replaceFile(folder / "file", "precious").ok());
    EXPECT_EQ(none.start().error().code, Errc::Exists);
    EXPECT_TRUE(pathExists(folder / "file"));
    EXPECT_EQ(distant.start().error().code, Errc::Invalid);
    second.stop();
    EXPECT_TRUE(pathExists(folder / "a.sock")) << "not the second's to remove";
}

}  // namespace
}  // namespace postern::net
