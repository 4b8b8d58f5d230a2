// Who reads the log to keep guessers out (fail2ban) misses no password, whatever becomes of the connection.

#include <Poco/Net/SocketAddress.h>
#include <Poco/Net/StreamSocket.h>
#include <gtest/gtest.h>

#include "base/digest.h"
#include "base/log_tap.h"
#include "base/service_manager.h"
#include "connector/intake/listener.h"
#include "net/system_sockets.h"
#include "tests/kit/platform.h"
#include "tests/kit/wait.h"
#include "tests/unit/intake/house.h"

namespace postern::intake {
namespace {

// Keeps the questions until a test answers them, on the test's thread.
class SlowDesk final : public ScriptedDoor {
  public:
    using ScriptedDoor::ScriptedDoor;
    void logOn(LogOnStep step, LogOnDesk::Done done) override {
        MutexLock lock(mutex_);
        names_.push_back(step.name);
        waiting_.push_back(std::move(done));
    }
    bool asked() {
        MutexLock lock(mutex_);
        return !waiting_.empty();
    }
    void sayWrong() {
        LogOnDesk::Done done;
        std::string name;
        {
            MutexLock lock(mutex_);
            done = std::exchange(waiting_, {}).at(0);
            name = std::exchange(names_, {}).at(0);
        }
        done({fail(Errc::Denied, "name or password is wrong"), name, {}, {}});
    }

  private:
    Mutex mutex_;
    std::vector<LogOnDesk::Done> waiting_ GUARDED_BY(mutex_);
    std::vector<std::string> names_ GUARDED_BY(mutex_);
};

// At a Unix socket, where a password may be said in the clear.
class EachGuess : public testing::Test {
  protected:
    void SetUp() override {
        SKIP_ON_WINDOWS("no Unix sockets; what is logged is the same at a port");
        ignoreBrokenPipes();
        setLogTap([this](LogEvent event, ItemId, std::string_view line) {
            MutexLock lock(mutex_);
            if (event == LogEvent::AuthFailed) failed_.emplace_back(line);
            if (event == LogEvent::AuthOk) good_.emplace_back(line);
        });
    }
    void TearDown() override {
        server_.reset();
        setLogTap({});
    }

    void start(Door& door) {
        auto listener = listenerOf(config::Protocol::Smtp);
        listener.socketPath = house_.folder() + "/smtp.sock";
        listener.auth = config::Auth::Offered;
        server_ = std::make_unique<IntakeServer>(door, house_.clock(), "mx.example.org");
        const auto started = server_->start({listener});
        ASSERT_TRUE(started.ok()) << started.error().text;
        client_.connect(net::localAddress(listener.socketPath));
        client_.setReceiveTimeout(Poco::Timespan(30, 0));
        EXPECT_EQ(reply().substr(0, 3), "220");
        EXPECT_EQ(say("EHLO c").substr(0, 3), "250");
    }
    void send(const std::string& line) {
        const std::string bytes = line + "\r\n";
        client_.sendBytes(bytes.data(), static_cast<int>(bytes.size()));
    }
    // The last line of a reply.
    std::string reply() {
        std::string line;
        while (!line.ends_with("\r\n") || line.substr(3, 1) == "-") {
            if (line.ends_with("\r\n")) line.clear();
            char letter = 0;
            if (client_.receiveBytes(&letter, 1) != 1) return "(closed)";
            line += letter;
        }
        return line.substr(0, line.size() - 2);
    }
    std::string say(const std::string& line) {
        send(line);
        return reply();
    }
    static std::string plain(const std::string& as, const std::string& name, const std::string& password) {
        const std::string nul(1, '\0');
        return "AUTH PLAIN " + base64Encode(as + nul + name + nul + password);
    }
    bool open(std::int64_t sessions) {
        return tests::waitFor([&] { return server_->counters().open == sessions; });
    }
    std::vector<std::string> failed() {
        MutexLock lock(mutex_);
        return failed_;
    }
    std::vector<std::string> good() {
        MutexLock lock(mutex_);
        return good_;
    }

    House house_;
    std::unique_ptr<IntakeServer> server_;
    Poco::Net::StreamSocket client_;
    Mutex mutex_;
    std::vector<std::string> failed_ GUARDED_BY(mutex_), good_ GUARDED_BY(mutex_);
};

TEST_F(EachGuess, OfWhoHangsUpBehindItIsInTheLog) {
    SlowDesk door(house_.store());
    start(door);
    send(plain("", "ann", "wrong"));
    ASSERT_TRUE(tests::waitFor([&] { return door.asked(); }));
    client_.close();
    ASSERT_TRUE(open(0)) << "the session did not end with its client";
    EXPECT_TRUE(failed().empty());
    door.sayWrong();
    ASSERT_EQ(failed().size(), 1u);
    for (const char* part : {"client=local", "account=ann", "name or password is wrong"})
        EXPECT_NE(failed()[0].find(part), std::string::npos) << failed()[0];
}

TEST_F(EachGuess, OfASessionThatAStopEndsIsInTheLog) {
    SlowDesk door(house_.store());
    start(door);
    send(plain("", "ann", "wrong"));
    ASSERT_TRUE(tests::waitFor([&] { return door.asked(); }));
    server_->stop(house_.clock().steady());
    door.sayWrong();
    EXPECT_EQ(failed().size(), 1u);
}

TEST_F(EachGuess, OfWhoStaysIsInTheLogOnceAndBeforeHeHears) {
    start(house_.acceptor());
    EXPECT_EQ(say(plain("", "ann", "wrong")), "535 5.7.8 Authentication credentials invalid");
    EXPECT_EQ(failed().size(), 1u);
    EXPECT_EQ(say(plain("bob", "ann", "pencil")).substr(0, 3), "535");
    EXPECT_EQ(failed().size(), 2u) << "another's identity";
    EXPECT_TRUE(good().empty());
    EXPECT_EQ(say(plain("", "ann", "pencil")).substr(0, 3), "235");
    EXPECT_EQ(failed().size(), 2u);
    ASSERT_EQ(good().size(), 1u);
    EXPECT_NE(good()[0].find("account=ann"), std::string::npos) << good()[0];
}

TEST_F(EachGuess, AnExchangeThatProvedNothingIsNot) {
    start(house_.acceptor());
    EXPECT_EQ(say("AUTH SCRAM-SHA-256 " + base64Encode("n,,n=ann,r=abcdefgh")).substr(0, 3), "334");
    EXPECT_EQ(say("*").substr(0, 3), "501");
    EXPECT_EQ(say("AUTH SCRAM-SHA-256 " + base64Encode("no SCRAM at all")).substr(0, 3), "501");
    EXPECT_EQ(say("AUTH PLAIN !").substr(0, 3), "501");
    EXPECT_TRUE(failed().empty());
    EXPECT_TRUE(good().empty());
}

}  // namespace
}  // namespace postern::intake
