// Coming and going: nobody is freed while lists are walked, and nothing of who left stays behind.

#include <random>

#include <gtest/gtest.h>

#include "tests/unit/chat/chat_rig.h"

namespace postern::chat {
namespace {

using Lines = std::vector<std::string>;

// Lifetime 1: their queues run full inside the loop over the channel's members.
TEST(Lifetimes, FiftyThatStopReadingInOneChannel) {
    Settings settings = openHouse();
    ChatRig rig(settings);
    rig.logOn("talker");
    rig.say("talker", "JOIN #x");
    for (int i = 0; i < 50; ++i) {
        const std::string name = "deaf" + std::to_string(i);
        rig.logOn(name);
        rig.say(name, "JOIN #x");
        rig.take(name);
        rig.stopReading(name);
    }
    const std::string line = "PRIVMSG #x :" + std::string(480, 'x');
    int said = 0;
    while (rig.hall().held().members > 1 && said < 10'000) {
        rig.say("talker", line);
        ++said;
        if (said % 100 == 0) rig.take("talker");
    }
    EXPECT_EQ(50, rig.hall().counters().overflown);
    EXPECT_LT(said, 2'300);
    EXPECT_GT(said, 1'500);
    int told = 0;
    for (const std::string& heard : rig.take("talker"))
        told += heard.find(" QUIT :SendQ exceeded") != std::string::npos;
    EXPECT_EQ(50, told);
    EXPECT_FALSE(rig.closed("talker"));
    for (int i = 0; i < 50; ++i) {
        rig.readAgain("deaf" + std::to_string(i));
        EXPECT_TRUE(rig.closed("deaf" + std::to_string(i)));
    }
    rig.vanish("talker");
    EXPECT_EQ(Held{}, rig.hall().held());
}

TEST(Lifetimes, OneLeavesByTheLastWordsOfAnother) {
    Settings settings = openHouse();
    settings.limits.sendQueueHard = 300'000;
    ChatRig rig(settings);
    for (const char* name : {"ann", "bob", "cat"}) {
        rig.logOn(name);
        rig.say(name, "JOIN #x");
        rig.take(name);
    }
    // bob's queue has room for all but ann's QUIT.
    rig.stopReading("bob");
    const std::string filler = "PRIVMSG bob :" + std::string(400, 'x');
    while (rig.hall().output(rig.id("bob")).size() + 900 < settings.limits.sendQueueHard)
        rig.say("cat", filler);
    while (rig.hall().output(rig.id("bob")).size() + 60 < settings.limits.sendQueueHard)
        rig.say("cat", "NOTICE bob :y");
    rig.say("ann", "QUIT :" + std::string(200, 'z'));
    EXPECT_EQ(nullptr, rig.client("bob"));
    const Lines heard = rig.take("cat");
    ASSERT_EQ(2u, heard.size());
    EXPECT_TRUE(heard[0].starts_with(":ann!ann@local QUIT"));
    EXPECT_TRUE(heard[1].starts_with(":bob!bob@local QUIT :SendQ exceeded"));
}

// Lifetime 2.
TEST(Lifetimes, KickingOneselfAndPartingAllInALoop) {
    ChatRig rig;
    rig.logOn("ann");
    for (int i = 0; i < 20; ++i) rig.say("ann", "JOIN #c" + std::to_string(i));
    rig.say("ann", "KICK #c0 ann :me");
    rig.say("ann", "PART #c1,#c1,#c2,#c1");
    EXPECT_EQ(17u, rig.hall().held().channels);
    rig.say("ann", "JOIN 0");
    EXPECT_EQ(0u, rig.hall().held().channels);
    EXPECT_TRUE(rig.client("ann")->channels.empty());
}

TEST(Lifetimes, WhatComesBehindQuitIsNotCarriedOut) {
    ChatRig rig;
    rig.logOn("ann");
    rig.logOn("bob");
    rig.give("ann", "QUIT\r\nPRIVMSG bob :from the grave\r\nJOIN #x\r\n");
    EXPECT_EQ(Lines{}, rig.take("bob"));
    EXPECT_EQ(0u, rig.hall().held().channels);
}

// Lifetime 3: the nick of who quits is taken by the next in the same round.
TEST(Lifetimes, ANickIsTakenAgainAtOnce) {
    ChatRig rig;
    rig.logOn("ann");
    ASSERT_TRUE(rig.connect("b"));
    rig.hall().receive(rig.id("ann"), "QUIT\r\n");
    rig.hall().receive(rig.id("b"), "NICK ann\r\nUSER b 0 * :b\r\n");
    EXPECT_TRUE(rig.client("b")->registered);
    rig.settle();
    EXPECT_EQ(1u, rig.hall().held().nicks);
}

// Lifetime 4.
TEST(Lifetimes, WhereNobodyIsNothingIs) {
    ChatRig rig;
    for (const char* name : {"ann", "bob", "cat"}) rig.logOn(name);
    rig.say("ann", "JOIN #x,#y,#z");
    rig.say("bob", "JOIN #y");
    rig.say("ann", "INVITE cat #x");
    rig.say("ann", "MODE #y +b a!b@c");
    rig.say("bob", "AUTHENTICATE PLAIN");
    ASSERT_TRUE(rig.connect("far", peerAt("192.0.2.1")));
    rig.say("far", "NICK far");
    EXPECT_EQ((Held{4, 4, 3, 4, 1, 1, 4, 1, 0}), rig.hall().held());
    rig.vanish("ann");
    EXPECT_EQ((Held{3, 3, 1, 1, 0, 1, 3, 1, 0}), rig.hall().held());
    for (const char* name : {"bob", "cat", "far"}) rig.vanish(name);
    EXPECT_EQ(Held{}, rig.hall().held());
}

TEST(Lifetimes, AnInvitationEndsWithItsChannelAndWithItsGuest) {
    ChatRig rig;
    for (const char* name : {"ann", "bob"}) rig.logOn(name);
    rig.say("ann", "JOIN #x");
    rig.say("ann", "INVITE bob #x");
    EXPECT_EQ(1u, rig.client("bob")->invitedTo.size());
    rig.say("ann", "PART #x");
    EXPECT_EQ(0u, rig.client("bob")->invitedTo.size());
    rig.say("ann", "JOIN #x");
    rig.say("ann", "INVITE bob #x");
    rig.vanish("bob");
    EXPECT_EQ(0u, rig.hall().held().invites);
}

TEST(Lifetimes, AnAnswerForWhoIsGoneIsNobodys) {
    ChatRig rig;
    rig.logOn("ann");
    rig.hall().answer(rig.id("ann") + 1000, {});
    rig.hall().receive(rig.id("ann") + 1000, "QUIT\r\n");
    rig.hall().disconnect(rig.id("ann") + 1000, "x");
    EXPECT_EQ(0u, rig.hall().room(rig.id("ann") + 1000));
    EXPECT_EQ("", rig.hall().output(rig.id("ann") + 1000));
    rig.hall().answer(rig.id("ann"), {});  // it asked nothing
    EXPECT_EQ(Lines{}, rig.take("ann"));
}

// Lifetime 9, without the threads.
TEST(Lifetimes, ShuttingDownTellsEverybody) {
    ChatRig rig;
    rig.logOn("ann");
    rig.say("ann", "JOIN #x");
    rig.take("ann");
    ASSERT_TRUE(rig.connect("b"));
    rig.hall().shutDown("The service is shutting down");
    EXPECT_EQ(Lines{"ERROR :Closing Link: ann (The service is shutting down)"}, rig.take("ann"));
    EXPECT_EQ(Lines{"ERROR :Closing Link: * (The service is shutting down)"}, rig.take("b"));
    EXPECT_TRUE(rig.closed("ann"));
    EXPECT_TRUE(rig.closed("b"));
    EXPECT_EQ(Held{}, rig.hall().held());
}

// Any lines in any order: what the lists say of each other stays true, and in the end nothing is left.
TEST(Lifetimes, RandomLinesLeaveNothingBehind) {
    const Lines words = {"NICK n1",
                         "NICK n2",
                         "NICK N1",
                         "USER u 0 * :u",
                         "JOIN #a",
                         "JOIN #b",
                         "JOIN #a,#b k",
                         "PART #a",
                         "PART #b",
                         "KICK #a n1",
                         "KICK #a n2",
                         "JOIN 0",
                         "MODE #a +o n1",
                         "MODE #a +i",
                         "MODE #a -i",
                         "INVITE n2 #a",
                         "QUIT",
                         "CAP LS 302",
                         "CAP END",
                         "AUTHENTICATE *",
                         "PRIVMSG #a,n1 :x",
                         "TOPIC #a :t",
                         "AWAY x",
                         "LIST",
                         "NAMES",
                         "WHO *",
                         "OPER root pencil",
                         "KILL n1",
                         "KILL n2",
                         "AUTHENTICATE PLAIN",
                         "CAP REQ :batch labeled-response echo-message"};
    for (unsigned seed = 1; seed <= 20; ++seed) {
        std::mt19937 random(seed);
        ChatRig rig;
        rig.addAccount("root", "pencil", "admin");
        std::vector<bool> there(6, false);
        for (int step = 0; step < 1'000; ++step) {
            const std::size_t who = random() % there.size();
            const std::string name = "c" + std::to_string(who);
            if (!there[who] || rig.closed(name)) {
                ASSERT_TRUE(rig.connect(name));
                there[who] = true;
                (void)rig.closed(name);
            }
            if (random() % 50 == 0) {
                rig.vanish(name);
                there[who] = false;
                continue;
            }
            rig.say(name, (random() % 3 == 0 ? "@label=x " : "") + words[random() % words.size()]);
            rig.take(name);
        }
        for (std::size_t i = 0; i < there.size(); ++i) {
            if (there[i]) rig.vanish("c" + std::to_string(i));
        }
        ASSERT_EQ(Held{}, rig.hall().held()) << "seed " << seed;
    }
}

}  // namespace
}  // namespace postern::chat
