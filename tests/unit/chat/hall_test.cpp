// The state machine of logging on (Q178627), limits, and what is counted.

#include <gtest/gtest.h>

#include "tests/unit/chat/chat_rig.h"

namespace postern::chat {
namespace {

using Lines = std::vector<std::string>;

// Every state before 001, by the lines that lead there.
const std::vector<Lines> kEarlyStates = {
    {},
    {"CAP LS 302"},
    {"NICK own"},
    {"USER own 0 * :Own"},
    {"CAP LS 302", "NICK own"},
    {"CAP LS 302", "USER own 0 * :Own"},
    {"CAP LS 302", "NICK own", "USER own 0 * :Own"},
    {"NICK own", "AUTHENTICATE PLAIN"},
    {"NICK own", "USER own 0 * :Own", "PASS x"},  // with a password asked for: see below
};

// What a refusal could have changed.
struct Snapshot {
    std::string nick, user, realName, account;
    Caps caps;
    bool capsOpen, registered, sasl, doomed;
    int wrongTries;
    bool operator==(const Snapshot&) const = default;
};
Snapshot snapshot(const Client& client) {
    return {client.nick,     client.user,       client.realName,         client.account, client.caps,
            client.capsOpen, client.registered, client.sasl.has_value(), client.doomed,  client.wrongTries};
}

TEST(Q178627, ARefusedNickLeavesEveryStateAsItWas) {
    for (std::size_t state = 0; state + 1 < kEarlyStates.size(); ++state) {
        ChatRig rig;
        rig.logOn("taken");
        ASSERT_TRUE(rig.connect("a"));
        for (const std::string& line : kEarlyStates[state]) rig.say("a", line);
        const Snapshot before = snapshot(*rig.client("a"));
        const Held held = rig.hall().held();
        rig.take("a");
        for (const char* nick : {"taken", "TAKEN", "*", "1", "", "x y z!"}) {
            rig.say("a", std::string("NICK :") + nick);
            const Lines said = rig.take("a");
            ASSERT_EQ(1u, said.size()) << nick;
            EXPECT_TRUE(said[0].starts_with(":chat.test 43")) << said[0];
        }
        EXPECT_EQ(before, snapshot(*rig.client("a"))) << "state " << state;
        EXPECT_EQ(held, rig.hall().held()) << "state " << state;
    }
}

TEST(Q178627, InEveryEarlyStateTheSameCommandsAreLegal) {
    for (std::size_t state = 0; state + 1 < kEarlyStates.size(); ++state) {
        for (const char* line :
             {"JOIN #x",   "PRIVMSG a :b", "NOTICE a :b", "MODE a",     "WHO",      "WHOIS a",
              "LIST",      "NAMES",        "OPER a b",    "KILL a",     "AWAY x",   "TOPIC #x",
              "KICK #x a", "INVITE a #x",  "PART #x",     "LUSERS",     "INFO",     "TIME",
              "VERSION",   "MOTD",         "ISON a",      "USERHOST a", "TAGMSG a", "UNHEARD-OF"}) {
            ChatRig rig;
            ASSERT_TRUE(rig.connect("a"));
            for (const std::string& before : kEarlyStates[state]) rig.say("a", before);
            rig.take("a");
            rig.say("a", line);
            const Lines said = rig.take("a");
            ASSERT_EQ(1u, said.size()) << line;
            EXPECT_NE(std::string::npos, said[0].find(" 451 "))
                << line << " in state " << state << ": " << said[0];
        }
        ChatRig rig;
        ASSERT_TRUE(rig.connect("a"));
        for (const std::string& before : kEarlyStates[state]) rig.say("a", before);
        rig.take("a");
        for (const char* line : {"PASS x", "PING x", "PONG x", "CAP LS 302", "AUTHENTICATE *", "NICK b"})
            rig.say("a", line);
        for (const std::string& said : rig.take("a"))
            EXPECT_EQ(std::string::npos, said.find(" 451 ")) << said;
        rig.say("a", "QUIT");
        EXPECT_TRUE(rig.closed("a"));
    }
}

TEST(Q178627, AStormOverFewNicksLeavesNothingBehind) {
    ChatRig rig;
    int welcomed = 0, refused = 0;
    for (int i = 0; i < 2'000; ++i) {
        const std::string name = "c" + std::to_string(i % 50);
        if (i >= 50) rig.say(name, "QUIT");
        ASSERT_TRUE(rig.connect(name)) << i;
        rig.say(name, "NICK nick" + std::to_string(i % 20));
        rig.say(name, "USER u 0 * :u");
        const Lines said = rig.take(name);
        ASSERT_FALSE(said.empty());
        for (const std::string& line : said) {
            welcomed += line.find(" 001 ") != std::string::npos ? 1 : 0;
            refused += line.find(" 433 ") != std::string::npos ? 1 : 0;
        }
    }
    EXPECT_EQ(2'000, welcomed + refused);
    // Q196893: the counter tells what was said.
    EXPECT_EQ(refused, rig.hall().counters().nickInUse);
    EXPECT_EQ(welcomed, rig.hall().counters().registered);
    EXPECT_GT(refused, 100);
    for (int i = 0; i < 50; ++i) rig.vanish("c" + std::to_string(i));
    EXPECT_EQ(Held{}, rig.hall().held());
    EXPECT_EQ(refused, rig.hall().counters().notRegistered);
}

TEST(Limits, LinesAndBytesBefore001) {
    ChatRig rig;
    ASSERT_TRUE(rig.connect("a"));
    for (int i = 0; i < 100; ++i) rig.say("a", "PING x");
    EXPECT_EQ(100u, rig.take("a").size());
    rig.say("a", "PING x");
    EXPECT_EQ(Lines{"ERROR :Closing Link: * (Too much before logging on)"}, rig.take("a"));
    ASSERT_TRUE(rig.connect("b"));
    for (int i = 0; i < 33; ++i) rig.say("b", "PING " + std::string(500, 'x'));
    EXPECT_TRUE(rig.closed("b"));
}

TEST(Limits, ClientsOfAnAddressAndOfAll) {
    Settings settings = openHouse();
    settings.limits.clients = 12;
    settings.limits.perAddress = 8;
    ChatRig rig(settings);
    for (int i = 0; i < 8; ++i) EXPECT_TRUE(rig.connect("a" + std::to_string(i), peerAt("192.0.2.1")));
    EXPECT_FALSE(rig.connect("ninth", peerAt("192.0.2.1")));
    for (int i = 0; i < 4; ++i) EXPECT_TRUE(rig.connect("b" + std::to_string(i), peerAt("127.0.0.1")));
    EXPECT_FALSE(rig.connect("c", peerAt("192.0.2.2")));
    EXPECT_EQ(2, rig.hall().counters().refused);
    rig.vanish("a0");
    EXPECT_TRUE(rig.connect("again", peerAt("192.0.2.1")));
}

TEST(Limits, NewConnectionsOfAnAddressInAMinute) {
    ChatRig rig;
    for (int i = 0; i < 30; ++i) {
        ASSERT_TRUE(rig.connect("a", peerAt("192.0.2.1"))) << i;
        rig.vanish("a");
    }
    EXPECT_FALSE(rig.connect("a", peerAt("192.0.2.1")));
    EXPECT_TRUE(rig.connect("b", peerAt("127.0.0.1")));
    rig.clock().advance(Millis(60'000));
    EXPECT_TRUE(rig.connect("a", peerAt("192.0.2.1")));
}

TEST(Limits, TooManyCommandsWaitAndAreNotLost) {
    Settings settings = openHouse();
    settings.limits.burst = 10;
    ChatRig rig(settings);
    rig.logOn("ann");
    for (int i = 0; i < 20; ++i) rig.say("ann", "PING " + std::to_string(i));
    EXPECT_EQ(10u, rig.take("ann").size());
    for (int i = 10; i < 20; ++i) {
        rig.pass(Millis(499));
        EXPECT_EQ(Lines{}, rig.take("ann"));
        rig.pass(Millis(1));
        EXPECT_EQ(Lines{":chat.test PONG chat.test :" + std::to_string(i)}, rig.take("ann"));
    }
    EXPECT_FALSE(rig.closed("ann"));
}

TEST(Limits, AFullReceiveQueueIsNotReadAndOneTooFullEnds) {
    Settings settings = openHouse();
    settings.limits.burst = 1;
    ChatRig rig(settings);
    rig.logOn("ann");
    std::string flood;
    while (flood.size() < 16 * 1024) flood += "PING x\n";
    rig.hall().receive(rig.id("ann"), flood.substr(0, rig.hall().room(rig.id("ann"))));
    rig.settle();
    EXPECT_LT(rig.hall().room(rig.id("ann")), 10u);
    EXPECT_FALSE(rig.closed("ann"));
    rig.hall().receive(rig.id("ann"), flood);
    rig.settle();
    EXPECT_TRUE(rig.closed("ann"));
    EXPECT_EQ("ERROR :Closing Link: ann (Excess flood)", rig.take("ann").back());
}

// Q216989: a list longer than the client's queue, read slowly, is whole.
TEST(Q216989, AListIsWholeForASlowReader) {
    Settings settings = openHouse();
    settings.limits.channels = 5'000;
    ChatRig rig(settings);
    rig.logOn("ann");
    rig.logOn("bob", "labeled-response batch");
    for (int i = 0; i < 5'000; ++i) {
        const std::string name = "#channel" + std::to_string(i);
        rig.say("ann", "JOIN " + name);
        rig.say("ann", "TOPIC " + name + " :" + std::string(390, 't'));
    }
    rig.take("ann");
    rig.stopReading("bob");
    rig.give("bob", "@label=l LIST\r\nPING behind\r\n");
    EXPECT_LT(rig.hall().output(rig.id("bob")).size(), settings.limits.sendQueueSoft + 1024);
    EXPECT_EQ(0u, rig.hall().room(rig.id("bob")));
    rig.readAgain("bob");
    const Lines said = rig.take("bob");
    EXPECT_EQ(5'000 + 5u, said.size());
    EXPECT_EQ(5'000, std::count_if(said.begin(), said.end(), [](const std::string& line) {
                  return line.starts_with("@batch=1 :chat.test 322 ");
              }));
    EXPECT_EQ(":chat.test BATCH -1", said[said.size() - 2]);
    EXPECT_EQ(":chat.test PONG chat.test :behind", said.back());
    EXPECT_EQ(0, rig.hall().counters().overflown);
}

TEST(Counting, CommandsAndThoseWhoLogOn) {
    ChatRig rig;
    rig.logOn("ann");
    EXPECT_EQ(2, rig.hall().counters().commands);
    EXPECT_EQ(1, rig.hall().counters().connections);
    EXPECT_EQ(1, rig.hall().counters().registered);
    EXPECT_EQ(0, rig.hall().counters().notRegistered);
    ASSERT_TRUE(rig.connect("b"));
    EXPECT_EQ(1u, rig.hall().held().unregistered);
    rig.vanish("b");
    EXPECT_EQ(1, rig.hall().counters().notRegistered);
}

}  // namespace
}  // namespace postern::chat
