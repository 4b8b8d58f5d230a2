// The chat on real sockets: in the clear, over TLS and on a Unix socket; limits, a loop that dies, stopping.

#include "connector/chat/server.h"

#include <atomic>
#include <stdexcept>
#include <thread>

#include <gtest/gtest.h>

#include "base/digest.h"
#include "base/log_tap.h"
#include "tests/kit/platform.h"
#include "tests/tls_paper.h"
#include "tests/unit/chat/server_rig.h"

namespace postern::chat {
namespace {

TEST_F(ChatServerTest, TwoTalk) {
    make();
    start();
    Caller ann = call(), bob = call();
    ann.logOn("ann");
    bob.logOn("bob");
    ann.send("JOIN #x\r\n");
    ann.until(" 366 ");
    bob.send("JOIN #x\r\n");
    bob.until(" 366 ");
    bob.send("PRIVMSG #x :hello\r\nQUIT :bye\r\n");
    EXPECT_EQ(":bob!u@127.0.0.1 JOIN #x", ann.line());
    EXPECT_EQ(":bob!u@127.0.0.1 PRIVMSG #x :hello", ann.line());
    EXPECT_EQ(":bob!u@127.0.0.1 QUIT :Quit: bye", ann.line());
    EXPECT_EQ("ERROR :Closing Link: bob (Quit: bye)", bob.line());
    EXPECT_EQ("(unavailable)", bob.line());
    // bob's side stays open; after a while ours does not wait for it any more.
    clock_.advance(Millis(5'000));
    server_->tick();
    EXPECT_TRUE(comes([](const Figures& figures) { return figures.connected == 1; }));
    EXPECT_EQ(2, server_->figures().counters.registered);
}

TEST_F(ChatServerTest, LogsOnWithAPasswordOfTheStore) {
    make();
    start();
    Caller ann = call();
    EXPECT_EQ("AUTHENTICATE +", ann.say("AUTHENTICATE PLAIN"));
    const std::string right = base64Encode(std::string("\0ann\0pencil", 11));
    EXPECT_EQ(":chat.test 900 * *!*@127.0.0.1 ann :You are now logged in as ann",
              ann.say("AUTHENTICATE " + right));
    EXPECT_EQ(":chat.test 903 * :SASL authentication successful", ann.line());
    ScramClient scram("ann", "pencil");
    EXPECT_EQ("AUTHENTICATE +", ann.say("AUTHENTICATE SCRAM-SHA-256"));
    const std::string first = ann.say("AUTHENTICATE " + base64Encode(scram.first()));
    const std::string last =
        ann.say("AUTHENTICATE " + base64Encode(scram.last(*base64Decode(first.substr(13)))));
    EXPECT_EQ(scram.serverFinal(), *base64Decode(last.substr(13)));
    EXPECT_EQ(":chat.test 900 * *!*@127.0.0.1 ann :You are now logged in as ann", ann.say("AUTHENTICATE +"));
}

TEST_F(ChatServerTest, OverTls) {
    tests::makePaper(folder_.path(), {"server", "localhost"});
    const auto tls = net::TlsContext::make({folder_ / "server.pem", folder_ / "server.key", "", false},
                                           Clock::system().now());
    ASSERT_TRUE(tls.ok()) << tls.error().text;
    make();
    start({{"tls", {"127.0.0.1"}, *tls}});
    const auto context = net::TlsClientContext::make({false, "", false});
    Caller ann = call();
    ann.startTls(**context);
    ann.logOn("ann");
    // More than one record, and more than the hall takes at once.
    for (int i = 0; i < 300; ++i)
        ann.send("PING " + std::to_string(i) + " " + std::string(400, 'x') + "\r\n");
    for (int i = 0; i < 300; ++i) EXPECT_EQ(":chat.test PONG chat.test :" + std::to_string(i), ann.line());
    Caller mute = call();
    mute.send("NICK no-tls\r\nUSER u 0 * :u\r\n");
    EXPECT_TRUE(comes([](const Figures& figures) { return figures.tlsFailed == 1; }));
}

TEST_F(ChatServerTest, OnAUnixSocket) {
    SKIP_ON_WINDOWS("no Unix sockets");
    make();
    net::EarPlace place;
    place.socketPath = folder_ / "chat.sock";
    start({{"socket", place}});
    Caller ann(net::unixEndpoint(folder_ / "chat.sock"));
    ann.logOn("ann");
    EXPECT_EQ(":chat.test 302 ann :ann=+u@local", ann.say("USERHOST ann"));
}

TEST_F(ChatServerTest, InTheClearOnlyWhereNobodyCanListen) {
    make();
    const auto started = server_->start({{"open", {"0.0.0.0"}}});
    ASSERT_FALSE(started.ok());
    EXPECT_EQ(Errc::Invalid, started.error().code);
    EXPECT_NE(std::string::npos, started.error().text.find("open")) << started.error().text;
}

TEST_F(ChatServerTest, TurnsAwayWhoIsTooMuch) {
    Settings settings = openHouse();
    settings.limits.clients = 1;
    make(settings);
    start();
    Caller ann = call();
    ann.logOn("ann");
    Caller bob = call();
    EXPECT_EQ("ERROR :Too many connections", bob.line());
    EXPECT_TRUE(comes([](const Figures& figures) { return figures.counters.refused == 1; }));
}

TEST_F(ChatServerTest, TheSilentAreAskedAndEndedByTheClock) {
    make();
    start();
    Caller ann = call();
    ann.logOn("ann");
    for (const char* wanted :
         {"PING :chat.test", "PING :chat.test", "ERROR :Closing Link: ann (Ping timeout)"}) {
        clock_.advance(Millis(120'000));
        server_->tick();
        EXPECT_EQ(wanted, ann.line());
    }
    EXPECT_EQ("(unavailable)", ann.line());
}

// "Silently stop" is a defect of its own: the loop's death is told, and it begins anew.
TEST_F(ChatServerTest, ALoopThatDiesBeginsAnew) {
    std::atomic<bool> deadly{false};
    make().disturb([&] {
        if (deadly.exchange(false)) throw std::runtime_error("a test's exception");
    });
    start();
    Caller ann = call();
    ann.logOn("ann");
    deadly = true;
    server_->tick();
    EXPECT_EQ("(unavailable)", ann.line());
    ASSERT_TRUE(comes([](const Figures& figures) { return figures.deaths == 1; }));
    EXPECT_EQ("a test's exception", server_->figures().lastDeath);
    EXPECT_FALSE(server_->figures().running);
    clock_.advance(Millis(1'000));
    server_->tick();
    Caller again = call();
    again.logOn("ann");
    EXPECT_TRUE(server_->figures().running);
    EXPECT_TRUE(comes([](const Figures& figures) { return figures.counters.registered == 2; }));
}

TEST_F(ChatServerTest, ClientsThatVanishWhileTheDeskIsAtWork) {
    make();
    start();
    const std::string wrong = base64Encode(std::string("\0ann\0wrong", 10));
    for (int i = 0; i < 30; ++i) {
        Caller caller = call();
        caller.send("NICK n" + std::to_string(i) + "\r\nAUTHENTICATE PLAIN\r\nAUTHENTICATE " + wrong +
                    "\r\n");
        caller.vanish();
    }
    EXPECT_TRUE(comes(
        [](const Figures& figures) { return figures.counters.connections == 30 && figures.connected == 0; }));
    Caller ann = call();
    ann.logOn("ann");
}

// As a stop and a reload find it: what is carried out ends at its next row, what waits is answered, and who
// asked hears the goodbye. Nothing is left of either.
TEST_F(ChatServerTest, StopsWithAnOrderUnderWayAndOthersThatWait) {
    const std::int64_t before = Order::alive();
    for (int round = 0; round < 3; ++round) {
        std::atomic<int> begun{0};
        std::atomic<bool> goOn{false};
        Queue queue;
        queue.carryOut = [&](const Order&, const admin::RowSink& row) -> Result<void> {
            ++begun;
            EXPECT_TRUE(tests::waitFor([&] { return goOn.load(); }, kPatience));
            Result<void> told;  // until it is told to stop
            EXPECT_TRUE(tests::waitFor(
                [&] {
                    told = row(
                        admin::Record().add("id", std::int64_t{17}).add("done", true).add("text", "held"));
                    return !told.ok();
                },
                kPatience));
            return told;
        };
        make(withQueue(), queue);
        start();
        Caller ann = call(), bob = call();
        proveAnn(ann);
        ann.send("PRIVMSG postern :hold 17\r\nPRIVMSG postern :hold 18\r\nPRIVMSG postern :hold 19\r\n");
        bob.logOn("bob");
        ASSERT_TRUE(tests::waitFor([&] { return begun == 1; }, kPatience));
        ASSERT_TRUE(comes([&](const Figures& figures) { return figures.orders == before + 3; }));
        if (round == 2) ann.vanish();
        std::jthread stopping([&] { server_->stop(); });
        EXPECT_NE(std::string::npos, bob.until("ERROR").find("The service is shutting down"));
        if (round != 2) {
            EXPECT_NE(std::string::npos, ann.until("ERROR").find("The service is shutting down"));
        }
        bob.vanish();
        if (round == 1) ann.vanish();
        // The loop is over; then its desk is told to stop, and so the order ends.
        ASSERT_TRUE(comes([](const Figures& figures) { return !figures.running; }));
        goOn = true;
        stopping.join();
        EXPECT_EQ(begun, 1) << "what waited is not begun";
        EXPECT_EQ(Order::alive(), before);
        server_.reset();
    }
}

TEST_F(ChatServerTest, SaysWhyItEnds) {
    make();
    start();
    Caller ann = call();
    ann.logOn("ann");
    std::jthread stopping([&] { server_->stop("The chat's settings were changed, come again in a moment"); });
    EXPECT_EQ("ERROR :Closing Link: ann (The chat's settings were changed, come again in a moment)",
              ann.until("ERROR"));
    ann.vanish();
}

TEST_F(ChatServerTest, ANameWithoutAProofIsNotInTheLogAsLoggedOn) {
    Mutex mutex;
    int ok = 0, failed = 0;
    setLogTap([&](LogEvent event, ItemId, std::string_view) {
        MutexLock lock(mutex);
        ok += event == LogEvent::AuthOk ? 1 : 0;
        failed += event == LogEvent::AuthFailed ? 1 : 0;
    });
    make();
    start();
    Caller ann = call();
    for (const char* password : {"wrong", "pencil"}) {
        ScramClient scram("ann", password);
        ann.say("AUTHENTICATE SCRAM-SHA-256");
        const std::string first = ann.say("AUTHENTICATE " + base64Encode(scram.first()));
        ann.say("AUTHENTICATE " + base64Encode(scram.last(*base64Decode(first.substr(13)))));
    }
    server_->stop();
    setLogTap({});
    EXPECT_EQ(ok, 1);
    EXPECT_EQ(failed, 1);
}

// Who reads the log to keep guessers out (fail2ban) misses none, whatever becomes of the connection.
class EachGuess : public ChatServerTest {
  protected:
    EachGuess() {
        setLogTap([this](LogEvent event, ItemId, std::string_view line) {
            MutexLock lock(mutex_);
            if (event == LogEvent::AuthFailed) lines_.emplace_back(line);
        });
        settings_.accountNeeded = true;
        settings_.limits.loginTriesLately = 1'000;
    }
    ~EachGuess() override { setLogTap({}); }

    static std::string guess() {
        return "AUTHENTICATE PLAIN\r\nAUTHENTICATE " + base64Encode(std::string("\0ann\0wrong", 10)) + "\r\n";
    }
    static std::string inOneGo() {
        return "CAP LS 302\r\nNICK n\r\nUSER u 0 * :u\r\nCAP REQ :sasl\r\n" + guess() + "CAP END\r\n";
    }
    bool logged(std::size_t wanted) {
        return tests::waitFor(
            [&] {
                MutexLock lock(mutex_);
                return lines_.size() >= wanted;
            },
            kPatience);
    }
    // The lines, of a server that has stopped; as many wrong passwords were counted.
    std::vector<std::string> all() {
        server_->stop();
        const auto wrong = server_->figures().counters.wrongPasswords;
        MutexLock lock(mutex_);
        EXPECT_EQ(wrong, static_cast<std::int64_t>(lines_.size()));
        for (const std::string& line : lines_)
            for (const char* part : {"listener=chat", "client=127.0.0.1:", "account=ann"})
                EXPECT_NE(line.find(part), std::string::npos) << line;
        return lines_;
    }
    void eachOfManyHangsUp(const net::TlsClientContext* tls) {
        for (int i = 0; i < 20; ++i) {
            Caller caller = call();
            if (tls != nullptr) caller.startTls(*tls);
            // Nothing is unread on his side when he goes: a reset would take his words with it.
            caller.say("CAP REQ :sasl");
            caller.say("AUTHENTICATE PLAIN");
            caller.send("AUTHENTICATE " + base64Encode(std::string("\0ann\0wrong", 10)) + "\r\n");
            caller.vanish();
        }
        EXPECT_TRUE(logged(20));
        EXPECT_EQ(all().size(), 20u);
    }

    Settings settings_ = openHouse();
    Mutex mutex_;
    std::vector<std::string> lines_;
};

TEST_F(EachGuess, InOneGoWithTheEndOfTheLogOnIsInTheLog) {
    make(settings_);
    start();
    for (int i = 0; i < 6; ++i) {
        Caller caller = call();
        caller.send(inOneGo());
        EXPECT_NE(caller.until(" 904 ").find(" 904 "), std::string::npos);
        EXPECT_NE(caller.until("ERROR").find("Log on with SASL first"), std::string::npos);
    }
    EXPECT_TRUE(logged(6));
    EXPECT_EQ(all().size(), 6u);
}

TEST_F(EachGuess, TheOneThatEndsTheConnectionIsInTheLog) {
    make(settings_);
    start();
    Caller caller = call();
    for (int i = 0; i < settings_.limits.loginTries; ++i) {
        caller.send(guess());
        EXPECT_NE(caller.until(" 904 ").find(" 904 "), std::string::npos);
    }
    EXPECT_NE(caller.until("ERROR").find("Too many wrong passwords"), std::string::npos);
    EXPECT_TRUE(logged(3));
    EXPECT_EQ(all().size(), 3u);
}

TEST_F(EachGuess, OfWhoHangsUpBehindItIsInTheLog) {
    make(settings_);
    start();
    eachOfManyHangsUp(nullptr);
}

TEST_F(EachGuess, OfWhoHangsUpBehindItIsInTheLogOverTls) {
    tests::makePaper(folder_.path(), {"server", "localhost"});
    const auto tls = net::TlsContext::make({folder_ / "server.pem", folder_ / "server.key", "", false},
                                           Clock::system().now());
    ASSERT_TRUE(tls.ok()) << tls.error().text;
    make(settings_);
    start({{"tls", {"127.0.0.1"}, *tls}});
    const auto context = net::TlsClientContext::make({false, "", false});
    eachOfManyHangsUp(context->get());
}

TEST_F(ChatServerTest, WhoIsBarredIsOneLineAMinute) {
    Mutex mutex;
    std::vector<std::string> lines;
    setLogTap([&](LogEvent event, ItemId, std::string_view line) {
        MutexLock lock(mutex);
        if (event == LogEvent::AuthFailed && line.find("barred") != std::string_view::npos)
            lines.emplace_back(line);
    });
    Settings settings = openHouse();
    settings.limits.loginTriesLately = 1;
    settings.limits.idle = Millis(600'000);
    make(settings);
    start();
    Caller ann = call();
    ann.logOn("ann");
    const auto guess = [&] {
        ann.send("AUTHENTICATE PLAIN\r\nAUTHENTICATE " + base64Encode(std::string("\0ann\0wrong", 10)) +
                 "\r\n");
        return ann.until(" 904 ");
    };
    guess();
    for (int i = 0; i < 3; ++i)
        EXPECT_NE(guess().find("Too many wrong tries"), std::string::npos) << "not even looked at";
    EXPECT_TRUE(comes([](const Figures& figures) { return figures.counters.barred == 3; }));
    const auto logged = [&] {
        MutexLock lock(mutex);
        return lines.size();
    };
    EXPECT_EQ(logged(), 1u);
    clock_.advance(Millis(60'000));
    server_->tick();
    EXPECT_TRUE(tests::waitFor([&] { return logged() == 2u; }, kPatience));
    for (int i = 0; i < 3; ++i) guess();
    server_->stop();
    setLogTap({});
    ASSERT_EQ(lines.size(), 3u) << "those that were not told yet are told at the end";
    for (const char* part : {"listener=chat", "account=ann", "tries=1"})
        EXPECT_NE(lines.front().find(part), std::string::npos) << lines.front();
    EXPECT_NE(lines[1].find("tries=2"), std::string::npos) << lines[1];
    EXPECT_NE(lines.back().find("tries=3"), std::string::npos) << lines.back();
}

TEST_F(ChatServerTest, StopsWithManyAndHalfOfThemNotLoggedOn) {
    make();
    start();
    std::vector<std::unique_ptr<Caller>> callers;
    for (int i = 0; i < 40; ++i) {
        callers.push_back(std::make_unique<Caller>(net::Endpoint{"127.0.0.1", port_}));
        if (i % 2 == 0) callers.back()->logOn("n" + std::to_string(i));
    }
    ASSERT_TRUE(comes([](const Figures& figures) { return figures.connected == 40; }));
    std::jthread reader([&] {
        for (const auto& caller : callers) {
            EXPECT_NE(std::string::npos, caller->line().find("The service is shutting down"));
            caller->vanish();
        }
    });
    server_->stop();
    EXPECT_FALSE(server_->figures().running);
    EXPECT_EQ(0, server_->figures().connected);
}

}  // namespace
}  // namespace postern::chat
