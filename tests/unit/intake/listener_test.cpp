#include "connector/intake/listener.h"

#include <filesystem>
#include <fstream>
#include <future>

#include <Poco/Exception.h>
#include <Poco/Net/ServerSocket.h>
#include <Poco/Net/SocketAddress.h>
#include <Poco/Net/StreamSocket.h>
#include <gtest/gtest.h>

#include "base/pulse.h"
#include "base/service_manager.h"
#include "net/system_sockets.h"
#include "tests/kit/platform.h"
#include "tests/kit/sockets.h"
#include "tests/kit/wait.h"
#include "tests/unit/intake/house.h"

namespace postern::intake {
namespace {

using Poco::Net::SocketAddress;
using Poco::Net::StreamSocket;

// A client that waits for what it wants to see, and not longer than ten seconds.
class Caller {
  public:
    explicit Caller(const config::Listener& listener) : socket_(addressOf(listener)) {
        socket_.setReceiveTimeout(Poco::Timespan(10, 0));
        socket_.setSendTimeout(Poco::Timespan(10, 0));
    }

    void send(std::string_view bytes) {
        while (!bytes.empty()) {
            const int sent = socket_.sendBytes(bytes.data(), static_cast<int>(bytes.size()));
            bytes.remove_prefix(static_cast<std::size_t>(sent));
        }
    }
    // One line; empty when the server has closed.
    std::string line() {
        std::size_t end;
        while ((end = buffer_.find("\r\n")) == std::string::npos) {
            if (!more()) return std::exchange(buffer_, {});
        }
        std::string line = buffer_.substr(0, end);
        buffer_.erase(0, end + 2);
        return line;
    }
    std::string say(const std::string& text) {
        send(text + "\r\n");
        return line();
    }
    void hello(const std::string& verb = "HELO") {
        EXPECT_EQ(line().substr(0, 3), "220");
        EXPECT_EQ(say(verb + " c").substr(0, 3), "250");
        while (verb != "HELO" && line().substr(0, 4) != "250 ") {
        }
    }
    std::string deliver(const std::string& text) {
        EXPECT_EQ(say("MAIL FROM:<a@example.com>").substr(0, 3), "250");
        EXPECT_EQ(say("RCPT TO:<joe@example.org>").substr(0, 3), "250");
        EXPECT_EQ(say("DATA").substr(0, 3), "354");
        return say(text + "\r\n.");
    }

    void acknowledge() { tests::acknowledgeAtOnce(socket_); }

    // Away without a goodbye: what is under way is lost.
    void reset() {
        socket_.setLinger(true, 0);
        socket_.close();
    }
    void stopSending() {
        try {
            socket_.shutdown();
        } catch (const Poco::Exception&) {
            // It was closed from the other side already.
        }
    }

  private:
    static SocketAddress addressOf(const config::Listener& listener) {
        if (!listener.socketPath.empty()) return net::localAddress(listener.socketPath);
        return {listener.host, static_cast<Poco::UInt16>(listener.port)};
    }
    bool more() {
        char bytes[16384];
        try {
            const int got = socket_.receiveBytes(bytes, sizeof bytes);
            if (got > 0) buffer_.append(bytes, static_cast<std::size_t>(got));
            return got > 0;
        } catch (const Poco::TimeoutException&) {
            ADD_FAILURE() << "the server said nothing for ten seconds";
        } catch (const Poco::Exception&) {
            // Reset by the server: it has closed.
        }
        return false;
    }

    StreamSocket socket_;
    std::string buffer_;
};

class ListenerTest : public testing::Test {
  protected:
    ListenerTest() { ignoreBrokenPipes(); }

    static config::Listener tcp() {
        auto listener = listenerOf(config::Protocol::Smtp);
        listener.host = "127.0.0.1";
        listener.limits.errors = 1'000'000;  // for turns()
        return listener;
    }
    config::Listener local() {
        auto listener = listenerOf(config::Protocol::Lmtp);
        listener.socketPath = house_.folder() + "/lmtp.sock";
        return listener;
    }
    // The bound one.
    const config::Listener& start(Door& door, const config::Listener& listener) {
        server_ = std::make_unique<IntakeServer>(door, house_.clock(), "mx.example.org");
        const auto started = server_->start({listener});
        EXPECT_TRUE(started.ok()) << (started.ok() ? "" : started.error().text);
        return server_->bound().at(0);
    }
    // Lets the loop make turns, by giving it work, until so many sessions are open.
    void turns(Caller& watcher, std::int64_t open) {
        const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(10);
        while (server_->counters().open != open) {
            ASSERT_EQ(watcher.say("NOOP").substr(0, 3), "250");
            ASSERT_LT(std::chrono::steady_clock::now(), deadline) << server_->counters().open << " open";
        }
    }
    SteadyTime in(Millis time) { return house_.clock().steady() + time; }

    House house_;
    std::unique_ptr<IntakeServer> server_;
};

TEST_F(ListenerTest, DeliversOverTcp) {
    const auto& bound = start(house_.acceptor(), tcp());
    EXPECT_GT(bound.port, 0);
    Caller caller(bound);
    caller.hello();
    EXPECT_EQ(caller.deliver("Subject: x\r\n\r\nover tcp"), "250 2.0.0 Ok: queued as m1");
    EXPECT_EQ(caller.say("QUIT"), "221 2.0.0 Bye");
    EXPECT_EQ(caller.line(), "") << "closed";
    const auto stored = house_.stored();
    ASSERT_EQ(stored.size(), 1u);
    EXPECT_EQ(stored[0].body, "Subject: x\r\n\r\nover tcp\r\n");
    EXPECT_EQ(stored[0].row.client.substr(0, 10), "127.0.0.1:");
    EXPECT_NE(stored[0].trace.find("(unknown [127.0.0.1]) by mx.example.org"), std::string::npos)
        << stored[0].trace;
    EXPECT_EQ(server_->counters().accepted, 1);
}

TEST_F(ListenerTest, DeliversOverAUnixSocket) {
    SKIP_ON_WINDOWS("no Unix sockets");
    const auto& bound = start(house_.acceptor(), local());
    {
        Caller caller(bound);
        caller.hello("LHLO");
        EXPECT_EQ(caller.deliver("x"), "250 2.0.0 Ok: queued as m1");
    }
    EXPECT_NE(house_.stored().at(0).trace.find("from c (local) by"), std::string::npos);
    server_.reset();
    EXPECT_FALSE(std::filesystem::exists(local().socketPath)) << "the file goes with its listener";
}

TEST_F(ListenerTest, ALoopThatStandsStillIsNoticed) {
    class Standing final : public ScriptedDoor {
      public:
        using ScriptedDoor::ScriptedDoor;
        Result<void> checkRoom(std::int64_t) override {
            stands = true;
            EXPECT_TRUE(tests::waitFor([&] { return free.load(); }));
            return {};
        }
        std::atomic<bool> stands{false}, free{false};
    };
    Standing door(house_.store());
    Caller caller(start(door, tcp()));
    caller.say("EHLO client.example.org");
    EXPECT_FALSE(server_->stuck());
    caller.send("MAIL FROM:<a@example.org>\r\n");
    ASSERT_TRUE(tests::waitFor([&] { return door.stands.load(); }));
    EXPECT_FALSE(server_->stuck()) << "this moment";
    house_.clock().advance(Pulse::kRound + Millis(1));
    EXPECT_TRUE(server_->stuck());
    door.free = true;
    EXPECT_TRUE(tests::waitFor([&] { return !server_->stuck(); }));
}

TEST_F(ListenerTest, StaleSocketsAreReplacedLiveOnesAndFilesAreNot) {
    SKIP_ON_WINDOWS("no Unix sockets");
    start(house_.acceptor(), local());
    IntakeServer second(house_.acceptor(), house_.clock(), "mx");
    const auto refused = second.start({local()});
    ASSERT_FALSE(refused.ok());
    EXPECT_NE(refused.error().text.find("another process listens"), std::string::npos)
        << refused.error().text;

    // A socket file whose process died: bound, never removed.
    auto stale = local();
    stale.socketPath = house_.folder() + "/stale.sock";
    { Poco::Net::ServerSocket dead(net::localAddress(stale.socketPath)); }
    ASSERT_TRUE(std::filesystem::exists(stale.socketPath));
    IntakeServer third(house_.acceptor(), house_.clock(), "mx");
    EXPECT_TRUE(third.start({stale}).ok());

    auto file = local();
    file.socketPath = house_.folder() + "/precious";
    std::ofstream(file.socketPath) << "mail";
    IntakeServer fourth(house_.acceptor(), house_.clock(), "mx");
    EXPECT_FALSE(fourth.start({file}).ok());
    EXPECT_TRUE(std::filesystem::exists(file.socketPath));
}

TEST_F(ListenerTest, AnAddressInUseIsNamed) {
    auto taken = start(house_.acceptor(), tcp());
    taken.name = "second";
    IntakeServer second(house_.acceptor(), house_.clock(), "mx");
    const auto refused = second.start({tcp(), taken});
    ASSERT_FALSE(refused.ok());
    EXPECT_NE(refused.error().text.find("listener second: 127.0.0.1:"), std::string::npos)
        << refused.error().text;
    EXPECT_TRUE(second.bound().empty());
}

TEST_F(ListenerTest, TurnsAwayBeyondTheSessionLimitAndTakesTheNextWhenOneLeaves) {
    auto listener = tcp();
    listener.limits.sessions = 2;
    const auto& bound = start(house_.acceptor(), listener);
    Caller first(bound);
    first.hello();
    {
        Caller second(bound);
        second.hello();
        Caller third(bound);
        EXPECT_EQ(third.line().substr(0, 9), "421 4.7.0");
        EXPECT_EQ(third.line(), "");
        EXPECT_EQ(second.say("QUIT").substr(0, 3), "221");
        EXPECT_EQ(second.line(), "");
    }
    turns(first, 1);
    Caller fourth(bound);
    fourth.hello();
    EXPECT_EQ(server_->counters().refused, 1);
    EXPECT_EQ(server_->counters().accepted, 3);
}

TEST_F(ListenerTest, TurnsAwayBeyondTheLimitPerAddress) {
    auto listener = tcp();
    listener.limits.sessionsPerAddress = 1;
    const auto& bound = start(house_.acceptor(), listener);
    Caller first(bound);
    first.hello();
    Caller second(bound);
    EXPECT_EQ(second.line(), "421 4.7.0 mx.example.org too many sessions, try again later");
}

TEST_F(ListenerTest, IdleSessionsAreEndedByTheClock) {
    const auto& bound = start(house_.acceptor(), tcp());
    Caller caller(bound);
    caller.hello();
    house_.clock().advance(tcp().limits.idle - Millis(1));
    server_->tick();
    EXPECT_EQ(caller.say("NOOP").substr(0, 3), "250");
    house_.clock().advance(tcp().limits.idle);
    server_->tick();
    EXPECT_EQ(caller.line().substr(0, 9), "421 4.4.2");
    EXPECT_EQ(caller.line(), "");
}

// A client that keeps its connection for the next mail has read its "250", and what it sends later is wanted.
TEST_F(ListenerTest, WhatWasTakenIsConfirmedWhenWeEndTheSession) {
    SKIP_ON_WINDOWS("the system does not say what the other side has acknowledged");
    for (const bool idle : {true, false}) {
        ScriptedDoor door(house_.store());
        door.answer.message = MessageId{7};
        const auto& bound = start(door, tcp());
        Caller caller(bound);
        caller.hello();
        EXPECT_EQ(caller.deliver("x").substr(0, 3), "250");
        caller.acknowledge();
        if (idle)
            house_.clock().advance(tcp().limits.idle);
        else
            server_->stopAccepting();
        server_->tick();
        EXPECT_EQ(caller.line().substr(0, 3), "421");
        server_->stop(house_.clock().steady());
        EXPECT_EQ(door.confirmed, (std::vector<std::int64_t>{7})) << (idle ? "idle" : "shutdown");
        server_.reset();
    }
}

// A client that is told to go and does not holds its session for seconds only.
TEST_F(ListenerTest, ALingeringClientIsLeft) {
    const auto& bound = start(house_.acceptor(), tcp());
    Caller watcher(bound), caller(bound);
    watcher.hello();
    caller.hello();
    caller.send("DATA\r\nunasked\r\n");
    EXPECT_EQ(caller.line().substr(0, 9), "503 5.5.0");
    EXPECT_EQ(caller.line(), "") << "the server sends no more";
    EXPECT_EQ(server_->counters().open, 2);
    house_.clock().advance(Millis(5'000));
    server_->tick();
    turns(watcher, 1);
}

// A session closed on a client that goes on sending still gets its last words through.
TEST_F(ListenerTest, TheLastReplyArrivesAlthoughTheClientSendsOn) {
    const auto& bound = start(house_.acceptor(), tcp());
    Caller caller(bound);
    caller.hello();
    caller.send("QUIT\r\n" + std::string(200'000, 'x'));
    EXPECT_EQ(caller.line(), "221 2.0.0 Bye");
    EXPECT_EQ(caller.line(), "");
}

TEST_F(ListenerTest, ShutdownLetsARunningMailFinish) {
    const auto bound = start(house_.acceptor(), tcp());
    std::future<void> stopped;
    {
        Caller idle(bound), busy(bound);
        idle.hello();
        busy.hello();
        EXPECT_EQ(busy.say("MAIL FROM:<a@example.com>").substr(0, 3), "250");
        server_->stopAccepting();
        EXPECT_EQ(idle.line().substr(0, 9), "421 4.3.2");
        EXPECT_THROW(Caller late(bound), Poco::Exception);
        EXPECT_EQ(busy.say("RCPT TO:<joe@example.org>").substr(0, 3), "250");
        EXPECT_EQ(busy.say("DATA").substr(0, 3), "354");
        stopped = std::async(std::launch::async, [&] { server_->stop(in(Millis(60'000))); });
        EXPECT_EQ(busy.say("x\r\n."), "250 2.0.0 Ok: queued as m1");
        EXPECT_EQ(busy.line().substr(0, 9), "421 4.3.2");
        EXPECT_EQ(busy.line(), "");
    }
    stopped.get();
    EXPECT_EQ(server_->counters().open, 0);
}

TEST_F(ListenerTest, ShutdownEndsTheRestAtItsDeadline) {
    const auto& bound = start(house_.acceptor(), tcp());
    Caller busy(bound);
    busy.hello();
    EXPECT_EQ(busy.say("MAIL FROM:<a@example.com>").substr(0, 3), "250");
    server_->stop(house_.clock().steady());
    EXPECT_EQ(busy.line().substr(0, 9), "421 4.3.2");
    EXPECT_EQ(busy.line(), "");
}

// The door answers after the client has gone, and even after the server has.
TEST_F(ListenerTest, AnswersForSessionsThatAreGoneAreDropped) {
    ScriptedDoor door(house_.store());
    door.hold = true;
    const auto& bound = start(door, tcp());
    Caller watcher(bound);
    watcher.hello();
    const auto deliverAndGo = [&] {
        Caller caller(bound);
        caller.hello();
        caller.say("MAIL FROM:<a@x>");
        caller.say("RCPT TO:<b@x>");
        caller.say("DATA");
        caller.send("x\r\n.\r\n");
        for (int i = 0; i < 5; ++i) watcher.say("NOOP");
        caller.send("NOOP\r\n");
    };
    deliverAndGo();
    for (int i = 0; i < 5; ++i) watcher.say("NOOP");
    ASSERT_EQ(door.held.size(), 1u);
    door.held[0]({250, "2.0.0", "late"});
    turns(watcher, 1);

    deliverAndGo();
    server_->stop(house_.clock().steady());
    server_.reset();
    ASSERT_EQ(door.held.size(), 2u);
    door.held[1]({250, "2.0.0", "too late"});
}

// The session is over at once, although the door has not answered, and the loop does not spin on it.
TEST_F(ListenerTest, AResetWhileWaitingEndsTheSession) {
    SKIP_ON_WINDOWS("nothing is heard of a socket while nothing is wanted of it; the answer finds its end");
    ScriptedDoor door(house_.store());
    door.hold = true;
    const auto& bound = start(door, tcp());
    Caller watcher(bound), caller(bound);
    watcher.hello();
    caller.hello();
    caller.say("MAIL FROM:<a@x>");
    caller.say("RCPT TO:<b@x>");
    caller.say("DATA");
    caller.send("x\r\n.\r\n");
    for (int i = 0; i < 5; ++i) watcher.say("NOOP");
    caller.reset();
    turns(watcher, 1);
}

TEST_F(ListenerTest, BytesBehindAMailWaitForItsAnswer) {
    ScriptedDoor door(house_.store());
    door.hold = true;
    const auto& bound = start(door, tcp());
    Caller watcher(bound), caller(bound);
    watcher.hello();
    caller.hello();
    caller.say("MAIL FROM:<a@x>");
    caller.say("RCPT TO:<b@x>");
    caller.say("DATA");
    caller.send("x\r\n.\r\n");
    caller.send("NOOP\r\nQUIT\r\n");
    for (int i = 0; i < 20; ++i) EXPECT_EQ(watcher.say("NOOP").substr(0, 3), "250");
    ASSERT_EQ(door.held.size(), 1u);
    door.held[0]({250, "2.0.0", "now"});
    EXPECT_EQ(caller.line(), "250 2.0.0 now");
    EXPECT_EQ(caller.line(), "250 2.0.0 Ok");
    EXPECT_EQ(caller.line(), "221 2.0.0 Bye");
}

// A client that sends far more commands than it reads replies is slowed down, not dropped, and costs a
// buffer.
TEST_F(ListenerTest, AClientThatDoesNotReadIsNotReadEither) {
    auto listener = tcp();
    listener.limits.recipients = 1'000'000;
    ScriptedDoor door(house_.store());
    const auto& bound = start(door, listener);
    Caller caller(bound);
    caller.hello();
    caller.say("MAIL FROM:<a@x>");
    constexpr int kCount = 200'000;
    std::string commands;
    for (int i = 0; i < kCount; ++i) commands += "RCPT TO:<b@x>\r\n";
    auto sent = std::async(std::launch::async, [&] { caller.send(commands); });
    Caller normal(bound);
    normal.hello();
    EXPECT_EQ(normal.deliver("x").substr(0, 3), "250");
    int replies = 0;
    while (replies < kCount && caller.line() == "250 2.1.5 Ok") ++replies;
    sent.get();
    EXPECT_EQ(replies, kCount);
}

// And what it has not read yet does not pile up here: sixteen megabytes of questions, each with a longer
// answer.
TEST_F(ListenerTest, UnreadRepliesAreBounded) {
    auto listener = tcp();
    listener.limits.errors = 1'000'000'000;
    const auto& bound = start(house_.acceptor(), listener);
    Caller caller(bound), watcher(bound);
    caller.hello();
    watcher.hello();
    std::string questions;
    for (int i = 0; i < 2'000'000; ++i) questions += "EHLO c\r\n";
    auto sent =
        std::async(std::launch::async, [&] { EXPECT_THROW(caller.send(questions), Poco::Exception); });
    for (int i = 0; i < 500; ++i) ASSERT_EQ(watcher.say("NOOP").substr(0, 3), "250");
    EXPECT_EQ(sent.wait_for(std::chrono::seconds(0)), std::future_status::timeout) << "all was read";
    caller.stopSending();
    sent.get();
}

TEST_F(ListenerTest, ALargeMailStreamsThrough) {
    const auto& bound = start(house_.acceptor(), tcp());
    Caller caller(bound);
    caller.hello();
    std::string text;
    while (text.size() < (5u << 20))
        text += "0123456789012345678901234567890123456789012345678901234567890\r\n";
    EXPECT_EQ(caller.deliver(text + "end"), "250 2.0.0 Ok: queued as m1");
    EXPECT_EQ(house_.stored().at(0).body, text + "end\r\n");
    EXPECT_EQ(house_.bodyFiles(), 1u);
}

// Two hundred clients that say nothing do not keep one that works from its mail.
TEST_F(ListenerTest, IdleClientsDoNotStandInTheWay) {
    auto listener = tcp();
    listener.limits.sessionsPerAddress = 1000;
    const auto& bound = start(house_.acceptor(), listener);
    std::vector<std::unique_ptr<Caller>> idle;
    for (int i = 0; i < 200; ++i) idle.push_back(std::make_unique<Caller>(bound));
    for (const auto& each : idle) EXPECT_EQ(each->line().substr(0, 3), "220");
    Caller normal(bound);
    normal.hello();
    EXPECT_EQ(normal.deliver("x"), "250 2.0.0 Ok: queued as m1");
    EXPECT_EQ(server_->counters().open, 201);
}

}  // namespace
}  // namespace postern::intake
