// Server and client of the control socket, over real sockets in a temporary folder.

#include <atomic>
#include <filesystem>
#include <fstream>
#include <thread>

#include <Poco/Net/ServerSocket.h>
#include <Poco/Net/SocketAddress.h>
#include <Poco/Net/StreamSocket.h>
#include <gtest/gtest.h>

#include "base/file.h"
#include "base/service_manager.h"
#include "base/text.h"
#include "connector/admin/channel.h"
#include "connector/admin/control_client.h"
#include "connector/admin/control_door.h"
#include "connector/admin/control_server.h"
#include "net/system_sockets.h"
#include "tests/fake_clock.h"
#include "tests/kit/platform.h"
#include "tests/kit/wait.h"
#include "tests/temp_folder.h"

namespace postern::admin {
namespace {

// "echo": the fields as a row; "count": how many bytes came; "refuse": an error before any byte is taken;
// "wait": until the gate is opened; "throw": what a handler must not do.
// Wine sends some hundreds of short lines in a second.
const int kRows = tests::isWine() ? 5'000 : 100'000;

// By a socket, and by the file that stands for one where there are none.
class ControlTest : public testing::TestWithParam<DoorKind> {
  protected:
    ControlTest() { ignoreBrokenPipes(); }

    Result<void> handle(const Request& request, ByteStream& body, const RowSink& row) {
        if (request.verb == "echo") return echo(request, row);
        if (request.verb == "count") return count(body, row);
        if (request.verb == "refuse") return fail(Errc::Denied, "not you");
        if (request.verb == "many") return many(row);
        if (request.verb == "wait") return waitForGate();
        if (request.verb == "master") return row(Record().add("master", request.master ? "yes" : "no"));
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
        for (int i = 0; i < kRows; ++i)
            POSTERN_TRY(row(Record().add("number", i).add("text", "some text of a row")));
        return {};
    }

    Result<void> waitForGate() {
        ++waiting;
        tests::waitFor([this] { return gate.load(); });
        return {};
    }

    std::unique_ptr<ControlServer> started(ControlOptions options = {}) {
        options.door = GetParam();
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

    // Why a request is not answered, if so.
    std::optional<Errc> refusal() const {
        auto client = ControlClient::connect(path, Millis{20'000});
        if (!client.ok()) return client.error().code;
        Request asked;
        asked.verb = "echo";
        const auto rows = client->call(asked);
        return rows.ok() ? std::nullopt : std::optional(rows.error().code);
    }

    // Shown in, and nothing said yet.
    Poco::Net::StreamSocket raw() const {
        Poco::Net::StreamSocket socket;
        Channel channel(socket, Millis{20'000});
        const auto entered = enterDoor(path, socket, channel);
        EXPECT_TRUE(entered.ok()) << entered.error().text;
        socket.setBlocking(true);
        return socket;
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

    int visible() const {
        int count = 0;
        for ([[maybe_unused]] const auto& each : std::filesystem::directory_iterator(folder.path())) ++count;
        return count;
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

TEST_P(ControlTest, SeveralRequestsGoOverOneConnection) {
    const auto server = started();
    ControlClient client = connected();
    for (int i = 0; i < 3; ++i) {
        const auto rows = client.call(request("echo", {{"n", std::to_string(i)}}));
        ASSERT_TRUE(rows.ok()) << rows.error().text;
        ASSERT_EQ(rows->size(), 1u);
        EXPECT_EQ(rows->front().text("n"), std::to_string(i));
    }
}

TEST_P(ControlTest, TheSystemSaysWhoAsksNotTheClient) {
    if (GetParam() == DoorKind::File) GTEST_SKIP() << "only where the system can say it";
    const auto server = started();
    Request asked = request("echo");
    asked.who = "somebody else";
    const auto rows = connected().call(asked);
    ASSERT_TRUE(rows.ok());
    EXPECT_EQ(rows->front().text("who"), userName());
}

TEST_P(ControlTest, OnlyTheOwnerAndTheGroupMayConnect) {
    SKIP_ON_WINDOWS("the folder says who may read the file");
    const auto server = started();
    const int mode = GetParam() == DoorKind::Socket ? 0660 : 0640;
    EXPECT_EQ(std::filesystem::status(path).permissions(), std::filesystem::perms(mode));
}

TEST_P(ControlTest, AnErrorComesBackWithItsCodeAndTheConnectionGoesOn) {
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

TEST_P(ControlTest, ALargeBodyStreamsThrough) {
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

TEST_P(ControlTest, ARefusalBeforeTheBodyReachesAClientThatStillSends) {
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
TEST_P(ControlTest, ABodyThatBreaksOffIsAnErrorForTheHandler) {
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

TEST_P(ControlTest, AConnectionThatEndsInsideAChunkIsAnErrorForTheHandler) {
    const auto server = started();
    auto socket = raw();
    const std::string bytes = "{\"verb\":\"count\",\"body\":true}\n100\nonly these";
    socket.sendBytes(bytes.data(), static_cast<int>(bytes.size()));
    socket.shutdownSend();
    EXPECT_NE(drain(socket).find("\"code\":\"unavailable\""), std::string::npos);
    EXPECT_TRUE(bodyError);
}

// Else a mail's text could be read as the next request.
TEST_P(ControlTest, BytesNobodyTookAreNotReadAsRequests) {
    const auto server = started();
    auto socket = raw();
    const std::string bytes = "{\"verb\":\"refuse\",\"body\":true}\n{\"verb\":\"echo\"}\n";
    socket.sendBytes(bytes.data(), static_cast<int>(bytes.size()));
    EXPECT_EQ(drain(socket).find("\"row\""), std::string::npos);
}

TEST_P(ControlTest, ManyRowsAndAReaderThatStops) {
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
    EXPECT_EQ(seen, kRows);
    ControlClient client = connected();
    const auto stopped = client.call(request("many"), none,
                                     [](const Record&) -> Result<void> { return fail(Errc::Io, "enough"); });
    EXPECT_EQ(stopped.error().text, "enough");
    EXPECT_EQ(client.call(request("echo")).error().code, Errc::Unavailable)
        << "rows of the old request are on their way";
    EXPECT_TRUE(connected().call(request("echo")).ok());
}

TEST_P(ControlTest, ASilentClientDelaysNobodyAndLosesItsConnection) {
    const auto server = started({4, Millis{200}});
    auto silent = raw();
    silent.sendBytes("{\"verb\":", 8);
    EXPECT_TRUE(connected().call(request("echo")).ok());
    EXPECT_NE(drain(silent).find("silent"), std::string::npos);
}

TEST_P(ControlTest, TooManyConnectionsAreToldBusyAndLaterOnesServed) {
    const auto server = started({2, Millis{20'000}});
    ControlClient first = connected(), second = connected();
    ASSERT_TRUE(first.call(request("echo")).ok());
    ASSERT_TRUE(second.call(request("echo")).ok());
    EXPECT_EQ(refusal(), Errc::Busy);
    { const ControlClient gone = std::move(first); }
    EXPECT_TRUE(tests::waitFor([this] { return !refusal(); }));
}

TEST_P(ControlTest, HostileRequestsAreRefusedAndTheServerGoesOn) {
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

TEST_P(ControlTest, StoppingEndsIdleClientsAtOnceAndWaitsForRunningRequests) {
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

TEST_P(ControlTest, AStopDoesNotWaitForAClientThatDoesNotRead) {
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

TEST_P(ControlTest, ADeadDoorIsReplacedALiveOneAndAFileAreNot) {
    if (GetParam() == DoorKind::Socket) {
        const Poco::Net::SocketAddress address = net::localAddress(path);
        Poco::Net::StreamSocket dead(address.family());
        dead.impl()->bind(address, false);  // nobody listens, as after a kill
    } else {
        auto killed = started();
        std::filesystem::copy_file(path, path + ".kept");
        killed.reset();
        std::filesystem::rename(path + ".kept", path);
    }
    ASSERT_TRUE(pathExists(path));
    EXPECT_EQ(ControlClient::connect(path).error().code, Errc::NotFound);
    const auto server = started();
    ControlOptions options;
    options.door = GetParam();
    ControlServer second(
        path, [](const auto&, auto&, const auto&) -> Result<void> { return {}; }, clock, options);
    EXPECT_EQ(second.start().error().code, Errc::Busy);
    EXPECT_TRUE(connected().call(request("echo")).ok()) << "the first goes on";
    std::ofstream(folder / "file") << "precious";
    ControlServer third(
        folder / "file", [](const auto&, auto&, const auto&) -> Result<void> { return {}; }, clock, options);
    EXPECT_EQ(third.start().error().code, Errc::Exists);
    EXPECT_TRUE(pathExists(folder / "file"));
}

TEST_P(ControlTest, AServerMayStartAgain) {
    auto server = started();
    server->stop();
    server->stop();
    ASSERT_TRUE(server->start().ok());
    EXPECT_TRUE(connected().call(request("echo")).ok());
}

// The key of a door that is a file.
class KeyTest : public ControlTest {
  protected:
    // What the server says to somebody who says `bytes`, until it ends the connection.
    std::string said(const std::string& bytes) {
        const std::string notice = readFile(path, 1000).value();
        Poco::Net::StreamSocket socket(Poco::Net::SocketAddress(
            "127.0.0.1", static_cast<Poco::UInt16>(*parseInt(split(notice, ' ')[1]))));
        try {
            socket.sendBytes(bytes.data(), static_cast<int>(bytes.size()));
            socket.shutdownSend();
        } catch (const Poco::Exception&) {
            // It hung up before all was said, as it may. What it said itself is read all the same.
        }
        const std::string all = drain(socket);
        return all.substr(0, all.find("(reset)"));
    }
};

TEST_P(KeyTest, WhoDoesNotKnowItIsToldNothing) {
    const auto server = started();
    const std::string nonce(64, 'A');
    for (const std::string& bytes :
         {std::string("{\"verb\":\"echo\"}\n"), std::string("\n"), std::string(100'000, 'x') + "\n",
          std::string("postern-control-1 short\n"), std::string("GET / HTTP/1.1\r\n\r\n")})
        EXPECT_EQ(said(bytes), "") << bytes.substr(0, 40);
    const std::string first = said("postern-control-1 " + nonce + "\n");
    EXPECT_EQ(first.size(), 64 + 1 + 64 + 1u) << "a nonce and a proof, and no word behind them";
    const std::string wrong =
        said("postern-control-1 " + nonce + "\n" + nonce + " master\n{\"verb\":\"echo\"}\n");
    EXPECT_EQ(wrong.find("row"), std::string::npos) << wrong;
    EXPECT_NE(wrong.substr(0, 64), first.substr(0, 64)) << "each connection has a nonce of its own";
    EXPECT_TRUE(connected().call(request("echo")).ok());
}

TEST_P(KeyTest, EachStartMakesAnotherAndAStopTakesTheFileAway) {
    auto server = started();
    const std::string first = readFile(path, 1000).value();
    server->stop();
    EXPECT_FALSE(pathExists(path));
    ASSERT_TRUE(server->start().ok());
    EXPECT_NE(split(readFile(path, 1000).value(), ' ')[2], split(first, ' ')[2]);
}

// A program that took the port of a service that was killed.
TEST_P(KeyTest, AnotherProgramAtThePortIsFoundOutAndLearnsNothing) {
    Poco::Net::ServerSocket thief(Poco::Net::SocketAddress("127.0.0.1", 0));
    const std::string key(64, 'B');
    ASSERT_TRUE(
        replaceFile(path, "postern-control-1 " + std::to_string(thief.address().port()) + " " + key + "\n")
            .ok());
    std::string heard;
    std::jthread other([&] {
        auto socket = thief.acceptConnection();
        const std::string line = std::string(64, 'C') + " " + std::string(64, 'D') + "\n";
        socket.sendBytes(line.data(), static_cast<int>(line.size()));
        heard = drain(socket);
    });
    EXPECT_EQ(ControlClient::connect(path).error().code, Errc::NotFound);
    other.join();
    EXPECT_EQ(heard.size(), 17 + 1 + 64 + 1u) << heard;
    EXPECT_EQ(heard.find(key), std::string::npos);
}

// Who may read the key and not write beside it works with the queue only.
TEST_P(KeyTest, WhoMayMakeFilesBesideItIsMaster) {
    SKIP_ON_WINDOWS("the case below needs permission bits");
    const auto server = started();
    EXPECT_EQ(connected().call(request("master"))->front().text("master"), "yes");
    EXPECT_EQ(visible(), 1) << "nothing is left of the proof";
    if (userName() == "root") GTEST_SKIP() << "root may write everywhere";
    std::filesystem::permissions(folder.path(), std::filesystem::perms(0500));
    EXPECT_EQ(connected().call(request("master"))->front().text("master"), "no");
    std::filesystem::permissions(folder.path(), std::filesystem::perms(0700));
}

std::vector<DoorKind> doorsHere() {
    if (net::hasLocalSockets()) return {DoorKind::Socket, DoorKind::File};
    return {DoorKind::File};
}
std::string doorName(const testing::TestParamInfo<DoorKind>& info) {
    return info.param == DoorKind::Socket ? "Socket" : "File";
}
INSTANTIATE_TEST_SUITE_P(Doors, ControlTest, testing::ValuesIn(doorsHere()), doorName);
INSTANTIATE_TEST_SUITE_P(Doors, KeyTest, testing::Values(DoorKind::File), doorName);

}  // namespace
}  // namespace postern::admin
