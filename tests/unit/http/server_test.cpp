// The server over real sockets of this machine: slow clients, too many of them, an end in the middle.

#include "connector/http/server.h"

#include <atomic>
#include <filesystem>
#include <thread>

#include <Poco/Exception.h>
#include <Poco/Net/SocketAddress.h>
#include <Poco/Net/StreamSocket.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "net/system_sockets.h"
#include "tests/kit/platform.h"
#include "tests/kit/wait.h"
#include "tests/temp_folder.h"

namespace postern::http {
namespace {

using Poco::Net::SocketAddress;
using Poco::Net::StreamSocket;
using testing::HasSubstr;
using testing::StartsWith;

// Says what it was asked; "/stream" talks until nobody listens, "/large" has more than a socket holds.
class Echo final : public Site {
  public:
    HttpAnswer answer(const HttpRequest& request) override {
        HttpAnswer answer;
        answer.type = "text/plain";
        answer.body = request.method + " " + request.path + " " + request.body + "\n";
        if (request.path == "/large") answer.body.assign(64 << 20, 'x');
        if (request.path == "/stream")
            answer.stream = [this](const Send& send) {
                ++streams;
                while (send(": beat\n")) tests::waitFor([] { return false; }, Millis(5));
                --streams;
            };
        return answer;
    }
    std::atomic<int> streams{0};
};

class ServerTest : public testing::Test {
  protected:
    HttpServer& start(ServerOptions options = {}) {
        if (options.socketPath.empty()) options.host = "127.0.0.1";
        path_ = options.socketPath;
        server_ = std::make_unique<HttpServer>(std::move(options), echo_);
        const auto started = server_->start();
        EXPECT_TRUE(started.ok()) << started.error().text;
        return *server_;
    }
    StreamSocket connect() {
        StreamSocket socket;
        socket.connect(path_.empty() ? SocketAddress("127.0.0.1", static_cast<std::uint16_t>(server_->port()))
                                     : net::localAddress(path_));
        socket.setReceiveTimeout(Poco::Timespan(20, 0));
        return socket;
    }
    static void give(StreamSocket& socket, const std::string& text) {
        socket.sendBytes(text.data(), static_cast<int>(text.size()));
    }
    // Until the other side ends, or `until` was seen.
    static std::string take(StreamSocket& socket, const std::string& until = "") {
        std::string all;
        char buffer[4096];
        while (until.empty() || all.find(until) == std::string::npos) {
            const int got = socket.receiveBytes(buffer, sizeof buffer);
            if (got <= 0) break;
            all.append(buffer, static_cast<std::size_t>(got));
        }
        return all;
    }
    std::string ask(const std::string& request) {
        StreamSocket socket = connect();
        give(socket, request);
        return take(socket);
    }
    // A refused client may find its connection reset before it reads why.
    bool served(const std::string& path) {
        try {
            return ask("GET " + path + " HTTP/1.1\r\n" + kClose).find("GET " + path) != std::string::npos;
        } catch (const Poco::Exception&) {
            return false;
        }
    }
    static inline const std::string kClose = "Host: localhost\r\nConnection: close\r\n\r\n";

    Echo echo_;
    std::string path_;
    std::unique_ptr<HttpServer> server_;
};

TEST_F(ServerTest, AVersionThatIsNoneIsNotEchoed) {
    start();
    EXPECT_THAT(ask("GET / once\r\n\r\n"), StartsWith("HTTP/1.1 505 "));
    EXPECT_THAT(ask("GET / HTTP/1.9\r\n\r\n"), StartsWith("HTTP/1.1 505 "));
    EXPECT_THAT(ask("GET / once\r\nExpect: 100-continue\r\n\r\n"), StartsWith("HTTP/1.1 100 "));
    EXPECT_THAT(ask("GET / HTTP/1.0\r\n\r\n"), StartsWith("HTTP/1.0 200 "));
}

TEST_F(ServerTest, AnswersOverLoopback) {
    start();
    EXPECT_THAT(ask("GET /a%20b?c=d HTTP/1.1\r\n" + kClose), HasSubstr("GET /a b \n"));
    EXPECT_THAT(ask("POST /p HTTP/1.1\r\nContent-Length: 3\r\n" + kClose + "xyz"),
                HasSubstr("POST /p xyz\n"));
    const std::string head = ask("HEAD /h HTTP/1.1\r\n" + kClose);
    EXPECT_THAT(head, StartsWith("HTTP/1.1 200"));
    EXPECT_TRUE(head.ends_with("\r\n\r\n")) << "no body";
}

TEST_F(ServerTest, AnswersOnAUnixSocketThatOthersCanNotOpenAndRemovesIt) {
    SKIP_ON_WINDOWS("no Unix sockets");
    tests::TempFolder folder;
    ServerOptions options;
    options.socketPath = folder / "http.sock";
    HttpServer& server = start(options);
    EXPECT_EQ(std::filesystem::status(options.socketPath).permissions(), std::filesystem::perms{0660});
    EXPECT_THAT(ask("GET /u HTTP/1.1\r\n" + kClose), HasSubstr("GET /u \n"));
    HttpServer second(options, echo_);
    EXPECT_FALSE(second.start().ok()) << "one is there already";
    server.stop();
    EXPECT_FALSE(std::filesystem::exists(options.socketPath));
}

TEST_F(ServerTest, ABodyOverTheLimitAndNonsenseAreRefused) {
    start();
    const std::string large(kBodyLimit + 1, 'x');
    EXPECT_THAT(
        ask("POST / HTTP/1.1\r\nContent-Length: " + std::to_string(large.size()) + "\r\n" + kClose + large),
        StartsWith("HTTP/1.1 400"));
    EXPECT_THAT(ask("GET http://%zz/%zz HTTP/1.1\r\n" + kClose), StartsWith("HTTP/1.1 400"));
    EXPECT_THAT(ask("GET /after HTTP/1.1\r\n" + kClose), HasSubstr("GET /after")) << "and goes on";
}

TEST_F(ServerTest, ASilentClientLosesItsConnectionAndDelaysNobody) {
    ServerOptions options;
    options.silence = Millis(300);
    start(options);
    StreamSocket silent = connect();
    give(silent, "GET / HT");
    EXPECT_THAT(ask("GET /other HTTP/1.1\r\n" + kClose), HasSubstr("GET /other"));
    EXPECT_NO_THROW(take(silent)) << "ended by the server, not by our deadline";
}

TEST_F(ServerTest, AClientThatDoesNotReadLosesItsConnection) {
    ServerOptions options;
    options.silence = Millis(300);
    options.connections = 1;
    start(options);
    StreamSocket greedy = connect();
    give(greedy, "GET /large HTTP/1.1\r\n" + kClose);
    EXPECT_TRUE(tests::waitFor([&] { return served("/free"); })) << "its place is free again";
}

TEST_F(ServerTest, TooManyConnectionsAreToldSo) {
    ServerOptions options;
    options.connections = 2;
    start(options);
    StreamSocket first = connect(), second = connect();
    for (StreamSocket* each : {&first, &second}) {
        give(*each, "GET /stream HTTP/1.1\r\nHost: localhost\r\n\r\n");
        take(*each, "beat");
    }
    EXPECT_THAT(ask(""), StartsWith("HTTP/1.1 503"));
    first.close();
    EXPECT_TRUE(tests::waitFor([&] { return echo_.streams == 1; }));
    EXPECT_TRUE(tests::waitFor([&] { return served("/x"); }));
}

TEST_F(ServerTest, AStopEndsStreamsAndSilentClientsAtOnce) {
    HttpServer& server = start();
    StreamSocket streaming = connect(), silent = connect();
    give(streaming, "GET /stream HTTP/1.1\r\nHost: localhost\r\n\r\n");
    take(streaming, "beat");
    const SteadyTime before = Clock::system().steady();
    server.stop();
    EXPECT_LT(Clock::system().steady() - before, Millis(10'000)) << "far below the 30 s of silence";
    EXPECT_EQ(echo_.streams, 0);
    EXPECT_EQ(server.port(), 0);
}

TEST_F(ServerTest, AStopDoesNotWaitForClientsThatAskNothing) {
    ServerOptions options;
    options.patience = Millis(60'000);
    HttpServer& server = start(options);
    StreamSocket silent = connect(), kept = connect();
    give(kept, "GET /kept HTTP/1.1\r\nHost: localhost\r\n\r\n");
    take(kept, "GET /kept");
    const SteadyTime before = Clock::system().steady();
    server.stop();
    EXPECT_LT(Clock::system().steady() - before, Millis(20'000)) << "far below its patience";
}

TEST_F(ServerTest, AStopDoesNotWaitForAClientThatDoesNotRead) {
    HttpServer& server = start();
    StreamSocket greedy = connect();
    give(greedy, "GET /large HTTP/1.1\r\n" + kClose);
    char first = 0;
    ASSERT_EQ(greedy.receiveBytes(&first, 1), 1) << "it is being sent";
    const SteadyTime before = Clock::system().steady();
    server.stop();
    EXPECT_LT(Clock::system().steady() - before, Millis(10'000)) << "far below the 30 s it would take";
}

// Logging on and off, as fast as it goes: one connection for each request, more clients than places.
TEST_F(ServerTest, AStormAtTheLimitLeavesItServing) {
    ServerOptions options;
    options.connections = 2;
    start(options);
    std::atomic<int> answered{0};
    {
        std::vector<std::jthread> clients;
        for (int client = 0; client < 6; ++client)
            clients.emplace_back([&, this] {
                for (int i = 0; i < 50; ++i) answered += served("/storm") ? 1 : 0;
            });
    }
    EXPECT_GT(answered, 0);
    EXPECT_TRUE(tests::waitFor([&] { return served("/after"); }));
}

}  // namespace
}  // namespace postern::http
