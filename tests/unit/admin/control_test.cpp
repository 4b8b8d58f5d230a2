// Server and client of the control socket, over real sockets in a temporary folder.

#include <atomic>
#include <filesystem>
#include <fstream>
#include <thread>

#include <Poco/Net/SocketAddress.h>
#include <Poco/Net/StreamSocket.h>
#include <gtest/gtest.h>

#include "base/file.h"
#include "base/service_manager.h"
#include "connector/admin/control_client.h"
#include "connector/admin/control_server.h"
#include "tests/fake_clock.h"
#include "tests/kit/wait.h"
#include "tests/temp_folder.h"

namespace postern::admin {
namespace {

// "echo": the fields as a row; "count": how many bytes came; "refuse": an error before any byte is taken;
// "wait": until the gate is opened; "throw": what a handler must not do.
class ControlTest : public testing::Test {
  protected:
    ControlTest() { ignoreBrokenPipes(); }

    Result<void> handle(const Request& request, ByteStream& body, const RowSink& row) {
        if (request.verb == "echo") return echo(request, row);
        if (request.verb == "count") return count(body, row);
        if (request.verb == "refuse") return fail(Errc::Denied, "not you");
        if (request.verb == "many") return many(row);
        if (request.verb == "wait") return waitForGate();
        throw std::runtime_error("thrown");
    }

    static Result<void> echo(const Request& request, const RowSink& row) {
        Record record;
        record.add("who", request.who);
        for (const auto& [name, value] : request.fields) record.add(name, value);
        return row(record);
    }

    Result<void> count(ByteStream& body, const RowSink& row) {
        char piece[10'000];
        std::int64_t bytes = 0, sum = 0;
        for (;;) {
            const auto got = body.read(piece, sizeof piece);
            if (!got.ok()) {
                bodyError = true;
                return got.error();
            }
            if (*got == 0) break;
            bytes += static_cast<std::int64_t>(*got);
            for (std::size_t i = 0; i < *got; ++i) sum += static_cast<unsigned char>(piece[i]);
        }
        return row(Record().add("bytes", bytes).add("sum", sum));
    }

    static Result<void> many(const RowSink& row) {
        for (int i = 0; i < 100'000; ++i)
            POSTERN_TRY(row(Record().add("number", i).add("text", "some text of a row")));
        return {};
    }

    Result<void> waitForGate() {
        ++waiting;
        tests::waitFor([this] { return gate.load(); });
        return {};
    }

    std::unique_ptr<ControlServer> started(ControlOptions options = {}) {
        auto server = std::make_unique<ControlServer>(
            path,
            [this](const auto& request, auto& body, const auto& row) { return handle(request, body, row); },
            clock, options);
        const auto result = server->start();
        EXPECT_TRUE(result.ok()) << result.error().text;
        return server;
    }

    ControlClient connected() {
        auto client = ControlClient::connect(path, Millis{20'000});
        if (!client.ok()) throw std::runtime_error(client.error().text);
        return std::move(client).value();
    }

    Poco::Net::StreamSocket raw() const {
        return Poco::Net::StreamSocket(Poco::Net::SocketAddress(Poco::Net::SocketAddress::UNIX_LOCAL, path));
    }

    // All that the server sends until it ends the connection.
    static std::string drain(Poco::Net::StreamSocket& socket) {
        std::string all;
        char piece[4096];
        socket.setReceiveTimeout(Poco::Timespan(20, 0));
        try {
            for (int got = 0; (got = socket.receiveBytes(piece, sizeof piece)) > 0;)
                all.append(piece, static_cast<std::size_t>(got));
        } catch (const Poco::Exception&) {
            all += "(reset)";
        }
        return all;
    }

    tests::TempFolder folder;
    tests::FakeClock clock;
    const std::string path = folder / "control.sock";
    std::atomic<bool> gate{false}, bodyError{false};
    std::atomic<int> waiting{0};
};

Request request(const std::string& verb, std::map<std::string, std::string, std::less<>> fields = {}) {
    Request made;
    made.verb = verb;
    made.fields = std::move(fields);
    return made;
}

// Makes `size` bytes on the way, as a pipe would.
class Flood final : public ByteStream {
  public:
    explicit Flood(std::int64_t size, bool breaks = false) : left_(size), breaks_(breaks) {}
    Result<std::size_t> read(char* into, std::size_t size) override {
        if (left_ == 0 && breaks_) return fail(Errc::Io, "the pipe broke");
        const auto now =
            static_cast<std::size_t>(std::min<std::int64_t>(left_, static_cast<std::int64_t>(size)));
        std::fill(into, into + now, '\x01');
        left_ -= static_cast<std::int64_t>(now);
        return now;
    }

  private:
    std::int64_t left_;
    bool breaks_;
};

TEST_F(ControlTest, SeveralRequestsGoOverOneConnection) {
    const auto server = started();
    ControlClient client = connected();
    for (int i = 0; i < 3; ++i) {
        const auto rows = client.call(request("echo", {{"n", std::to_string(i)}}));
        ASSERT_TRUE(rows.ok()) << rows.error().text;
        ASSERT_EQ(rows->size(), 1u);
        EXPECT_EQ(rows->front().text("n"), std::to_string(i));
    }
}

TEST_F(ControlTest, TheSystemSaysWhoAsksNotTheClient) {
    const auto server = started();
    Request asked = request("echo");
    asked.who = "somebody else";
    const auto rows = connected().call(asked);
    ASSERT_TRUE(rows.ok());
    EXPECT_EQ(rows->front().text("who"), userName());
}

TEST_F(ControlTest, OnlyTheOwnerAndTheGroupMayConnect) {
    const auto server = started();
    EXPECT_EQ(std::filesystem::status(path).permissions(), std::filesystem::perms(0660));
}

TEST_F(ControlTest, AnErrorComesBackWithItsCodeAndTheConnectionGoesOn) {
    const auto server = started();
    ControlClient client = connected();
    const auto refused = client.call(request("refuse"));
    ASSERT_FALSE(refused.ok());
    EXPECT_EQ(refused.error().code, Errc::Denied);
    EXPECT_EQ(refused.error().text, "not you");
    const auto fault = client.call(request("throw"));
    ASSERT_FALSE(fault.ok());
    EXPECT_EQ(fault.error().code, Errc::Internal);
    EXPECT_TRUE(client.call(request("echo")).ok());
}

TEST_F(ControlTest, ALargeBodyStreamsThrough) {
    const auto server = started();
    Request asked = request("count");
    asked.body = true;
    ControlClient client = connected();
    for (const std::int64_t size :
         {std::int64_t{0}, std::int64_t{1}, std::int64_t{65536}, std::int64_t{50'000'001}}) {
        Flood body(size);
        std::int64_t bytes = -1, sum = -1;
        const auto done = client.call(asked, body, [&](const Record& row) -> Result<void> {
            bytes = row.find("bytes")->number;
            sum = row.find("sum")->number;
            return {};
        });
        ASSERT_TRUE(done.ok()) << done.error().text;
        EXPECT_EQ(bytes, size);
        EXPECT_EQ(sum, size);
    }
}

TEST_F(ControlTest, ARefusalBeforeTheBodyReachesAClientThatStillSends) {
    const auto server = started();
    for (int i = 0; i < 20; ++i) {
        Request asked = request("refuse");
        asked.body = true;
        Flood body(20'000'000);
        const auto done = connected().call(asked, body, [](const Record&) -> Result<void> { return {}; });
        ASSERT_FALSE(done.ok());
        EXPECT_EQ(done.error().text, "not you");
    }
}

// What came in whole is stored; what broke off must not look whole.
TEST_F(ControlTest, ABodyThatBreaksOffIsAnErrorForTheHandler) {
    const auto server = started();
    {
        Request asked = request("count");
        asked.body = true;
        Flood body(100'000, true);
        const auto done = connected().call(asked, body, [](const Record&) -> Result<void> { return {}; });
        ASSERT_FALSE(done.ok());
        EXPECT_EQ(done.error().text, "the pipe broke");
    }
    EXPECT_TRUE(tests::waitFor([this] { return bodyError.load(); }));
}

TEST_F(ControlTest, AConnectionThatEndsInsideAChunkIsAnErrorForTheHandler) {
    const auto server = started();
    auto socket = raw();
    const std::string bytes = "{\"verb\":\"count\",\"body\":true}\n100\nonly these";
    socket.sendBytes(bytes.data(), static_cast<int>(bytes.size()));
    socket.shutdownSend();
    EXPECT_NE(drain(socket).find("\"code\":\"unavailable\""), std::string::npos);
    EXPECT_TRUE(bodyError);
}

// Else a mail's text could be read as the next request.
TEST_F(ControlTest, BytesNobodyTookAreNotReadAsRequests) {
    const auto server = started();
    auto socket = raw();
    const std::string bytes = "{\"verb\":\"refuse\",\"body\":true}\n{\"verb\":\"echo\"}\n";
    socket.sendBytes(bytes.data(), static_cast<int>(bytes.size()));
    EXPECT_EQ(drain(socket).find("\"row\""), std::string::npos);
}

TEST_F(ControlTest, ManyRowsAndAReaderThatStops) {
    const auto server = started();
    NoBytes none;
    int seen = 0;
    ASSERT_TRUE(connected()
                    .call(request("many"), none,
                          [&](const Record&) -> Result<void> {
                              ++seen;
                              return {};
                          })
                    .ok());
    EXPECT_EQ(seen, 100'000);
    ControlClient client = connected();
    const auto stopped = client.call(request("many"), none,
                                     [](const Record&) -> Result<void> { return fail(Errc::Io, "enough"); });
    EXPECT_EQ(stopped.error().text, "enough");
    EXPECT_EQ(client.call(request("echo")).error().code, Errc::Unavailable)
        << "rows of the old request are on their way";
    EXPECT_TRUE(connected().call(request("echo")).ok());
}

TEST_F(ControlTest, ASilentClientDelaysNobodyAndLosesItsConnection) {
    const auto server = started({4, Millis{200}});
    auto silent = raw();
    silent.sendBytes("{\"verb\":", 8);
    EXPECT_TRUE(connected().call(request("echo")).ok());
    EXPECT_NE(drain(silent).find("silent"), std::string::npos);
}

TEST_F(ControlTest, TooManyConnectionsAreToldBusyAndLaterOnesServed) {
    const auto server = started({2, Millis{20'000}});
    ControlClient first = connected(), second = connected();
    ASSERT_TRUE(first.call(request("echo")).ok());
    ASSERT_TRUE(second.call(request("echo")).ok());
    EXPECT_EQ(connected().call(request("echo")).error().code, Errc::Busy);
    { const ControlClient gone = std::move(first); }
    EXPECT_TRUE(tests::waitFor([this] { return connected().call(request("echo")).ok(); }));
}

TEST_F(ControlTest, HostileRequestsAreRefusedAndTheServerGoesOn) {
    const auto server = started();
    const std::string long_line(kRequestLimit + 10, 'x');
    for (const std::string& bytes :
         {std::string("hello\n"), std::string("\n"), long_line, std::string("\0\n", 2),
          std::string("{\"verb\":\"count\",\"body\":true}\n-1\n"),
          std::string("{\"verb\":\"count\",\"body\":true}\n99999999999\n"),
          std::string("{\"verb\":\"count\",\"body\":true}\nabc\n")}) {
        auto socket = raw();
        socket.sendBytes(bytes.data(), static_cast<int>(bytes.size()));
        const std::string answer = drain(socket);
        EXPECT_NE(answer.find("\"code\":\"invalid\""), std::string::npos)
            << bytes.substr(0, 50) << " -> " << answer;
    }
    EXPECT_TRUE(connected().call(request("echo")).ok());
}

TEST_F(ControlTest, StoppingEndsIdleClientsAtOnceAndWaitsForRunningRequests) {
    auto server = started();
    ControlClient idle = connected();
    ASSERT_TRUE(idle.call(request("echo")).ok());
    ControlClient busy = connected();
    Result<std::vector<Record>> answer = fail(Errc::Internal, "none yet");
    std::jthread caller([&] { answer = busy.call(request("wait")); });
    ASSERT_TRUE(tests::waitFor([this] { return waiting.load() == 1; }));
    std::jthread opener([this] { gate = true; });
    server->stop();
    caller.join();
    EXPECT_TRUE(answer.ok()) << answer.error().text;
    EXPECT_FALSE(pathExists(path));
    EXPECT_EQ(ControlClient::connect(path).error().code, Errc::NotFound);
    EXPECT_EQ(idle.call(request("echo")).error().code, Errc::Unavailable);
}

TEST_F(ControlTest, AStopDoesNotWaitForAClientThatDoesNotRead) {
    auto server = started();
    auto greedy = raw();
    const std::string asked = "{\"verb\":\"many\"}\n";
    greedy.sendBytes(asked.data(), static_cast<int>(asked.size()));
    char first = 0;
    ASSERT_EQ(greedy.receiveBytes(&first, 1), 1) << "it is being sent";
    const SteadyTime before = Clock::system().steady();
    server->stop();
    EXPECT_LT(Clock::system().steady() - before, Millis(10'000)) << "far below the 30 s it would take";
}

TEST_F(ControlTest, ADeadSocketIsReplacedALiveOneAndAFileAreNot) {
    {
        Poco::Net::SocketAddress address(Poco::Net::SocketAddress::UNIX_LOCAL, path);
        Poco::Net::StreamSocket dead(Poco::Net::SocketAddress::UNIX_LOCAL);
        dead.impl()->bind(address, false);  // nobody listens, as after a kill
    }
    ASSERT_TRUE(pathExists(path));
    EXPECT_EQ(ControlClient::connect(path).error().code, Errc::NotFound);
    const auto server = started();
    ControlServer second(
        path, [](const auto&, auto&, const auto&) -> Result<void> { return {}; }, clock);
    EXPECT_EQ(second.start().error().code, Errc::Busy);
    EXPECT_TRUE(connected().call(request("echo")).ok()) << "the first goes on";
    std::ofstream(folder / "file") << "precious";
    ControlServer third(
        folder / "file", [](const auto&, auto&, const auto&) -> Result<void> { return {}; }, clock);
    EXPECT_EQ(third.start().error().code, Errc::Exists);
    EXPECT_TRUE(pathExists(folder / "file"));
}

TEST_F(ControlTest, AServerMayStartAgain) {
    auto server = started();
    server->stop();
    server->stop();
    ASSERT_TRUE(server->start().ok());
    EXPECT_TRUE(connected().call(request("echo")).ok());
}

}  // namespace
}  // namespace postern::admin
