// Who is silent, and what becomes of him (Q233512). Each rule has its test.

#include <gtest/gtest.h>

#include "tests/unit/chat/chat_rig.h"

namespace postern::chat {
namespace {

using Lines = std::vector<std::string>;
const Lines kPing{"PING :chat.test"};
constexpr Millis kSecond{1000};

TEST(Idle, TwoPingsAndThenTheEnd) {
    ChatRig rig;
    rig.logOn("ann");
    rig.pass(119 * kSecond);
    EXPECT_EQ(Lines{}, rig.take("ann"));
    rig.pass(1 * kSecond);
    EXPECT_EQ(kPing, rig.take("ann"));
    rig.pass(59 * kSecond);
    EXPECT_EQ(Lines{}, rig.take("ann"));
    rig.pass(1 * kSecond);
    EXPECT_EQ(kPing, rig.take("ann"));
    rig.pass(59 * kSecond);
    EXPECT_FALSE(rig.closed("ann"));
    rig.pass(1 * kSecond);
    EXPECT_EQ(Lines{"ERROR :Closing Link: ann (Ping timeout)"}, rig.take("ann"));
    EXPECT_TRUE(rig.closed("ann"));
    EXPECT_EQ(1, rig.hall().counters().silent);
}

TEST(Idle, AClockThatIsLookedAtLateStillGivesBothChances) {
    ChatRig rig;
    rig.logOn("ann");
    rig.pass(3'600 * kSecond);
    EXPECT_EQ(kPing, rig.take("ann"));
    rig.pass(3'600 * kSecond);
    EXPECT_EQ(kPing, rig.take("ann"));
    EXPECT_FALSE(rig.closed("ann"));
    rig.pass(3'600 * kSecond);
    EXPECT_TRUE(rig.closed("ann"));
}

TEST(Idle, AClientThatOnlyAnswersIsKeptForHours) {
    ChatRig rig;
    rig.logOn("ann");
    for (int minute = 0; minute < 180; ++minute) {
        rig.pass(60 * kSecond);
        for (const std::string& line : rig.take("ann")) {
            EXPECT_EQ(kPing.front(), line);
            rig.say("ann", "PONG chat.test");
        }
    }
    EXPECT_FALSE(rig.closed("ann"));
}

TEST(Idle, AnyLineCountsNotOnlyPong) {
    for (const char* line : {"PONG wrong-token", "PING x", "JOIN #x", "NONSENSE", "PRIVMSG", "x"}) {
        ChatRig rig;
        rig.logOn("ann");
        rig.pass(120 * kSecond);
        rig.pass(60 * kSecond);
        rig.say("ann", line);
        rig.take("ann");
        rig.pass(119 * kSecond);
        EXPECT_EQ(Lines{}, rig.take("ann")) << line;
        rig.pass(1 * kSecond);
        EXPECT_EQ(kPing, rig.take("ann")) << line;
    }
}

// The defect itself: data sent by the server restarted the probe.
TEST(Q233512, WhatTheServerSendsDoesNotCount) {
    ChatRig rig;
    rig.logOn("ann");
    rig.logOn("bob");
    rig.say("ann", "JOIN #x");
    rig.say("bob", "JOIN #x");
    rig.take("ann");
    Lines heard;
    for (int second = 0; second < 240; ++second) {
        rig.say("bob", "PRIVMSG #x :talking all the time");
        rig.pass(1 * kSecond);
        for (const std::string& line : rig.take("ann")) {
            if (line.starts_with("PING")) heard.push_back(std::to_string(second + 1));
        }
    }
    EXPECT_EQ((Lines{"120", "180"}), heard);
    EXPECT_TRUE(rig.closed("ann"));
    EXPECT_FALSE(rig.closed("bob"));
}

TEST(Idle, BytesWithoutAnEndOfLineDoNotCount) {
    ChatRig rig;
    rig.logOn("ann");
    for (int second = 0; second < 240; ++second) {
        rig.give("ann", second % 2 == 0 ? "x" : "\r");
        rig.pass(1 * kSecond);
    }
    EXPECT_TRUE(rig.closed("ann"));
}

TEST(Idle, EmptyLinesDoNotCount) {
    ChatRig rig;
    rig.logOn("ann");
    for (int second = 0; second < 240; ++second) {
        rig.give("ann", "\r\n");
        rig.pass(1 * kSecond);
    }
    EXPECT_TRUE(rig.closed("ann"));
}

TEST(Idle, JoiningOfOthersAndTheirLeavingDoNotCount) {
    ChatRig rig;
    rig.logOn("ann");
    rig.say("ann", "JOIN #x");
    rig.take("ann");
    for (int minute = 0; minute < 4; ++minute) {
        const std::string guest = "guest" + std::to_string(minute);
        rig.logOn(guest);
        rig.say(guest, "JOIN #x");
        rig.vanish(guest);
        rig.pass(60 * kSecond);
    }
    EXPECT_TRUE(rig.closed("ann"));
}

TEST(Idle, WallClockJumpsDoNotCount) {
    ChatRig rig;
    rig.logOn("ann");
    rig.clock().jumpWall(Millis(86'400'000));
    rig.hall().lookAtClock();
    EXPECT_EQ(Lines{}, rig.take("ann"));
    rig.clock().jumpWall(Millis(-2 * 86'400'000LL));
    rig.pass(120 * kSecond);
    EXPECT_EQ(kPing, rig.take("ann"));
}

TEST(Idle, OneTimerForEachConnection) {
    ChatRig rig;
    rig.logOn("ann");
    rig.logOn("bob");
    for (int i = 0; i < 1000; ++i) {
        rig.say("ann", "PRIVMSG bob :x");
        rig.pass(Millis(100));
        EXPECT_EQ(2u, rig.hall().held().timers);
    }
}

// A client whose lines we let wait is not silent: it may have sent its PONG long ago.
TEST(Idle, WhoWaitsForUsIsNotSilent) {
    Settings settings = openHouse();
    settings.limits.burst = 1;
    settings.limits.interval = Millis(3'600'000);
    ChatRig rig(settings);
    rig.logOn("ann");
    rig.say("ann", "PING 1");
    rig.say("ann", "PING 2");
    EXPECT_EQ(Lines{":chat.test PONG chat.test :1"}, rig.take("ann"));
    for (int minute = 0; minute < 59; ++minute) rig.pass(60 * kSecond);
    EXPECT_EQ(Lines{}, rig.take("ann"));
    EXPECT_FALSE(rig.closed("ann"));
    rig.pass(60 * kSecond);
    EXPECT_EQ(Lines{":chat.test PONG chat.test :2"}, rig.take("ann"));
}

TEST(Idle, LoggingOnHasOneDeadlineThatNothingMoves) {
    ChatRig rig;
    ASSERT_TRUE(rig.connect("silent"));
    ASSERT_TRUE(rig.connect("busy"));
    for (int second = 0; second < 29; ++second) {
        rig.say("busy", second % 2 == 0 ? "NICK busy" : "PING x");
        rig.pass(1 * kSecond);
    }
    rig.take("busy");
    EXPECT_FALSE(rig.closed("silent"));
    EXPECT_FALSE(rig.closed("busy"));
    rig.pass(1 * kSecond);
    EXPECT_EQ(Lines{"ERROR :Closing Link: * (Registration timeout)"}, rig.take("silent"));
    EXPECT_EQ(Lines{"ERROR :Closing Link: busy (Registration timeout)"}, rig.take("busy"));
    EXPECT_TRUE(rig.closed("silent"));
    EXPECT_TRUE(rig.closed("busy"));
    EXPECT_EQ(2, rig.hall().counters().late);
    EXPECT_EQ(2, rig.hall().counters().notRegistered);
}

TEST(Idle, WhoTakesNoByteForAMinuteIsGone) {
    ChatRig rig;
    rig.logOn("ann");
    rig.logOn("bob");
    rig.stopReading("ann");
    rig.say("bob", "PRIVMSG ann :x");
    for (int second = 0; second < 59; ++second) {
        rig.say("ann", "PONG x");  // it still speaks
        rig.pass(1 * kSecond);
    }
    EXPECT_NE(nullptr, rig.client("ann"));
    rig.pass(1 * kSecond);
    EXPECT_EQ(nullptr, rig.client("ann"));
    EXPECT_EQ(1, rig.hall().counters().stalled);
    rig.pass(5 * kSecond);
    EXPECT_TRUE(rig.hall().output(rig.id("ann")).empty());
}

TEST(Idle, WhoTakesSomeIsNotGone) {
    ChatRig rig;
    rig.logOn("ann");
    rig.logOn("bob");
    rig.stopReading("ann");
    rig.say("bob", "PRIVMSG ann :" + std::string(400, 'x'));
    for (int minute = 0; minute < 5; ++minute) {
        rig.say("ann", "PONG x");
        rig.say("bob", "PONG x");
        rig.pass(59 * kSecond);
        rig.hall().sent(rig.id("ann"), 1);
    }
    EXPECT_NE(nullptr, rig.client("ann"));
    EXPECT_EQ(0, rig.hall().counters().stalled);
}

}  // namespace
}  // namespace postern::chat
