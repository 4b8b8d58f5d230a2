// Logging on: SCRAM, the bounds on guessing, and the desk's answers that come late or not at all.

#include <gtest/gtest.h>

#include "base/digest.h"
#include "tests/unit/chat/chat_rig.h"

namespace postern::chat {
namespace {

using Lines = std::vector<std::string>;

std::string sasl(const std::string& text) {
    return "AUTHENTICATE " + base64Encode(text);
}
std::string plain(const std::string& name, const std::string& password) {
    return sasl(std::string("\0", 1) + name + std::string("\0", 1) + password);
}
// The text behind "AUTHENTICATE ", in plain bytes.
std::string saidBy(const std::string& line) {
    return base64Decode(line.substr(13)).value_or("no base64");
}

// Up to the line that the server's final message is in.
Lines scram(ChatRig& rig, const std::string& client, ScramClient& scram) {
    rig.say(client, "AUTHENTICATE SCRAM-SHA-256");
    EXPECT_EQ(Lines{"AUTHENTICATE +"}, rig.take(client));
    rig.say(client, sasl(scram.first()));
    const Lines first = rig.take(client);
    EXPECT_EQ(1u, first.size());
    rig.say(client, sasl(scram.last(saidBy(first.at(0)))));
    return rig.take(client);
}

TEST(LoggingOn, WithScram) {
    ChatRig rig;
    rig.addAccount("ann", "pencil", "operator");
    ASSERT_TRUE(rig.connect("a", peerAt("192.0.2.1")));
    ScramClient exchange("ann", "pencil");
    const Lines last = scram(rig, "a", exchange);
    ASSERT_EQ(1u, last.size());
    EXPECT_EQ(exchange.serverFinal(), saidBy(last[0]));
    EXPECT_EQ("", rig.client("a")->account);
    rig.say("a", "AUTHENTICATE +");
    EXPECT_EQ((Lines{":chat.test 900 * *!*@192.0.2.1 ann :You are now logged in as ann",
                     ":chat.test 903 * :SASL authentication successful"}),
              rig.take("a"));
    EXPECT_EQ("ann", rig.client("a")->account);
    EXPECT_TRUE(rig.client("a")->roles.operates);
}

TEST(LoggingOn, ScramWithAWrongPasswordOrAnUnknownName) {
    ChatRig rig;
    rig.addAccount("ann", "pencil", "operator");
    ASSERT_TRUE(rig.connect("a"));
    for (const char* name : {"ann", "nobody"}) {
        ScramClient exchange(name, "wrong");
        EXPECT_EQ(Lines{":chat.test 904 * :SASL authentication failed"}, scram(rig, "a", exchange)) << name;
    }
    EXPECT_EQ(2, rig.hall().counters().wrongPasswords);
}

TEST(LoggingOn, ALongPasswordComesInPieces) {
    for (const std::size_t length : {291u, 300u, 500u}) {
        ChatRig rig;
        const std::string password(length, 'x');
        rig.addAccount("foo", password, "viewer");
        ASSERT_TRUE(rig.connect("a"));
        rig.say("a", "AUTHENTICATE PLAIN");
        const std::string text = base64Encode(std::string("foo\0foo\0", 8) + password);
        std::size_t at = 0;
        for (; text.size() - at >= 400; at += 400) rig.say("a", "AUTHENTICATE " + text.substr(at, 400));
        rig.say("a", "AUTHENTICATE " + (at == text.size() ? "+" : text.substr(at)));
        EXPECT_EQ("foo", rig.client("a")->account) << length;
    }
}

// A guess counts although its client did not wait for the answer: else hanging up would be a way around the
// bar.
TEST(LoggingOn, AGuessOfWhoHangsUpCountsAndIsTold) {
    ChatRig rig;
    rig.addAccount("ann", "pencil", "viewer");
    for (int i = 0; i < 10; ++i) {
        ASSERT_TRUE(rig.connect("a"));
        rig.hall().receive(rig.id("a"), "AUTHENTICATE PLAIN\r\n" + plain("ann", "wrong") + "\r\n");
        rig.hall().disconnect(rig.id("a"), "it hung up");
        rig.settle();
    }
    EXPECT_EQ(10, rig.hall().counters().wrongPasswords);
    const auto tries = rig.hall().takeTries();
    ASSERT_EQ(10u, tries.size());
    EXPECT_FALSE(tries.front().good);
    EXPECT_EQ("ann", tries.front().account);
    ASSERT_TRUE(rig.connect("last"));
    rig.say("last", "AUTHENTICATE PLAIN");
    rig.say("last", plain("ann", "pencil"));
    EXPECT_EQ(":chat.test 904 * :Too many wrong tries", rig.take("last").back());
}

TEST(LoggingOn, TenWrongTriesOfAnAccountShutItForAWhile) {
    ChatRig rig;
    rig.addAccount("ann", "pencil", "viewer");
    for (int i = 0; i < 10; ++i) {
        const std::string name = "a" + std::to_string(i);
        ASSERT_TRUE(rig.connect(name, peerAt("127.0.0." + std::to_string(i + 1))));
        rig.say(name, "AUTHENTICATE PLAIN");
        rig.say(name, plain("ann", "wrong"));
    }
    ASSERT_TRUE(rig.connect("last"));
    const auto tryNow = [&] {
        rig.take("last");
        rig.say("last", "AUTHENTICATE PLAIN");
        rig.say("last", plain("ann", "pencil"));
        return rig.take("last").back();
    };
    EXPECT_EQ(0, rig.hall().counters().barred);
    EXPECT_EQ(":chat.test 904 * :Too many wrong tries", tryNow());
    EXPECT_TRUE(rig.hall().takeQuestions().empty());
    EXPECT_EQ(1, rig.hall().counters().barred);
    const Barred barred = rig.hall().takeBarred();
    EXPECT_EQ(1, barred.tries);
    EXPECT_EQ("ann", barred.account);
    EXPECT_EQ("local", barred.client);
    EXPECT_EQ(0, rig.hall().takeBarred().tries);
    rig.clock().advance(Millis(600'000));
    EXPECT_EQ(":chat.test 903 * :SASL authentication successful", tryNow());
}

TEST(LoggingOn, WhoIsShutOutStaysSoWhateverIsBegunAnew) {
    const auto tries = triesOf({});
    for (const bool first : {true, false}) {
        ChatRig rig(openHouse(), tries);
        rig.addAccount("ann", "pencil", "viewer");
        for (int i = 0; first && i < 10; ++i) {
            const std::string name = "a" + std::to_string(i);
            ASSERT_TRUE(rig.connect(name, peerAt("127.0.0.1")));
            rig.say(name, "AUTHENTICATE PLAIN");
            rig.say(name, plain("ann", "wrong"));
        }
        ASSERT_TRUE(rig.connect("last"));
        rig.say("last", "AUTHENTICATE PLAIN");
        rig.say("last", plain("ann", "pencil"));
        EXPECT_EQ(":chat.test 904 * :Too many wrong tries", rig.take("last").back()) << first;
    }
}

TEST(LoggingOn, TenWrongTriesOfAnAddressShutItForAWhile) {
    Settings settings = openHouse();
    settings.limits.perAddress = 64;
    ChatRig rig(settings);
    const auto overTls = [](const std::string& address) {
        Peer peer = peerAt(address);
        peer.mayPlain = true;
        return peer;
    };
    rig.addAccount("ann", "pencil", "viewer");
    for (int i = 0; i < 10; ++i) {
        const std::string name = "a" + std::to_string(i);
        ASSERT_TRUE(rig.connect(name, overTls("192.0.2.1")));
        rig.say(name, "AUTHENTICATE PLAIN");
        rig.say(name, plain("nobody" + std::to_string(i), "wrong"));
    }
    for (const auto& [name, address] : {std::pair("near", "192.0.2.1"), std::pair("far", "192.0.2.2")}) {
        ASSERT_TRUE(rig.connect(name, overTls(address)));
        rig.say(name, "AUTHENTICATE PLAIN");
        rig.say(name, plain("ann", "pencil"));
    }
    EXPECT_EQ("", rig.client("near")->account);
    EXPECT_EQ("ann", rig.client("far")->account);
}

// One client of this machine with an old password must not shut out all others of it.
TEST(LoggingOn, WrongTriesFromThisMachineShutTheAccountOnly) {
    ChatRig rig;
    rig.addAccount("ann", "pencil", "viewer");
    rig.addAccount("vic", "rubber", "viewer");
    for (int i = 0; i < 10; ++i) {
        const std::string name = "a" + std::to_string(i);
        ASSERT_TRUE(rig.connect(name, peerAt("127.0.0.1")));
        rig.say(name, "AUTHENTICATE PLAIN");
        rig.say(name, plain("vic", "wrong"));
    }
    for (const auto& [name, password] : {std::pair("ann", "pencil"), std::pair("vic", "rubber")}) {
        ASSERT_TRUE(rig.connect(name, peerAt("127.0.0.1")));
        rig.say(name, "AUTHENTICATE PLAIN");
        rig.say(name, plain(name, password));
    }
    EXPECT_EQ("ann", rig.client("ann")->account);
    EXPECT_EQ("", rig.client("vic")->account);
}

// The most that anybody may who comes by an address holds for the server's operators and for channels, too.
TEST(LoggingOn, AnAdminIsNoneWhereTheAddressAllowsLess) {
    for (const auto most : {admin::Role::Viewer, admin::Role::Operator, admin::Role::Admin}) {
        const bool may = most == admin::Role::Admin;
        Settings settings = openHouse();
        settings.anyoneCreates = false;
        ChatRig rig(settings);
        rig.addAccount("root", "pencil", "admin");
        Peer peer;
        peer.mostRole = most;
        ASSERT_TRUE(rig.connect("a", peer));
        rig.say("a", "NICK a");
        rig.say("a", "USER a 0 * :a");
        rig.take("a");
        rig.say("a", "OPER root pencil");
        EXPECT_EQ(may, rig.client("a")->oper) << admin::roleName(most);
        const std::string said = rig.take("a").front();
        EXPECT_EQ(may ? ":chat.test 381 a :You are now an IRC operator"
                      : ":chat.test 491 a :No server operators by this address",
                  said);
        rig.say("a", "MODE a -o");
        rig.say("a", "AUTHENTICATE PLAIN");
        rig.say("a", plain("root", "pencil"));
        rig.say("a", "JOIN #own");
        EXPECT_EQ(may, rig.client("a")->channels.count("#own") == 1) << admin::roleName(most);
    }
}

TEST(LoggingOn, ADeskThatCanNotAnswerIsNobodysFault) {
    ChatRig rig;
    rig.failAnswers(Errc::Busy);
    ASSERT_TRUE(rig.connect("a"));
    for (int i = 0; i < 20; ++i) {
        rig.say("a", "AUTHENTICATE PLAIN");
        rig.say("a", plain("ann", "pencil"));
        EXPECT_EQ(":chat.test 904 * :Logging on is not possible now: try again later", rig.take("a").back());
    }
    EXPECT_EQ(0, rig.hall().counters().wrongPasswords);
    EXPECT_FALSE(rig.closed("a"));
}

// Q217378: AUTHENTICATE again and again, in every state.
TEST(Q217378, TenThousandAuthenticateInEveryState) {
    Settings settings = openHouse();
    settings.limits.registrationLines = settings.limits.registrationBytes = 10'000'000;
    settings.limits.loginTries = 1'000'000;
    ChatRig rig(settings);
    const std::vector<Lines> states = {{},
                                       {"CAP LS 302"},
                                       {"NICK nick"},
                                       {"USER u 0 * :u"},
                                       {"CAP REQ sasl", "NICK nick", "USER u 0 * :u"},
                                       {"NICK nick", "USER u 0 * :u"}};
    for (const Lines& state : states) {
        ASSERT_TRUE(rig.connect("a"));
        for (const std::string& line : state) rig.say("a", line);
        for (int i = 0; i < 2'000; ++i) {
            for (const char* line : {"AUTHENTICATE PLAIN", "AUTHENTICATE AAAA", "AUTHENTICATE SCRAM-SHA-256",
                                     "AUTHENTICATE *", "AUTHENTICATE"})
                rig.say("a", line);
        }
        rig.take("a");
        rig.say("a", "PING alive");
        EXPECT_EQ(Lines{":chat.test PONG chat.test :alive"}, rig.take("a"));
        rig.vanish("a");
    }
    EXPECT_EQ(Held{}, rig.hall().held());
}

TEST(Q217378, TheFirstNickChangeAfterLoggingOnIsNeverThrottled) {
    Settings settings = openHouse();
    settings.limits.burst = 1;
    settings.limits.interval = Millis(60'000);
    ChatRig rig(settings);
    rig.logOn("ann");
    rig.say("ann", "NICK other");
    EXPECT_EQ(Lines{":ann!ann@local NICK other"}, rig.take("ann"));
}

// Lifetime 5: a client that vanishes at any point of its log-on, while the desk is at work.
TEST(LoggingOn, AClientVanishesAtEachPoint) {
    ScramClient exchange("ann", "pencil");
    const Lines script = {"CAP LS 302",
                          "NICK ann",
                          "USER ann 0 * :Ann",
                          "CAP REQ sasl",
                          "AUTHENTICATE SCRAM-SHA-256",
                          sasl(exchange.first()),
                          sasl("c=biws,r=x,p=AAAA"),
                          "CAP END"};
    for (std::size_t point = 0; point <= script.size(); ++point) {
        ChatRig rig;
        rig.addAccount("ann", "pencil", "viewer");
        ASSERT_TRUE(rig.connect("a"));
        for (std::size_t i = 0; i < point; ++i) {
            if (i + 1 == point) rig.holdAnswers();
            rig.say("a", script[i]);
        }
        const ConnectionId gone = rig.id("a");
        rig.vanish("a");
        ASSERT_TRUE(rig.connect("a"));
        EXPECT_NE(gone, rig.id("a")) << "an id was used again";
        rig.giveAnswers();
        EXPECT_TRUE(rig.take("a").empty()) << "at point " << point;
        rig.vanish("a");
        EXPECT_EQ(Held{}, rig.hall().held()) << "at point " << point;
    }
}

}  // namespace
}  // namespace postern::chat
