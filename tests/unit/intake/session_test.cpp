#include <random>

#include <gtest/gtest.h>

#include "connector/intake/smtp_session.h"
#include "tests/unit/intake/house.h"

namespace postern::intake {
namespace {

void beginMail(Talk& talk) {
    talk.say("EHLO c");
    talk.say("MAIL FROM:<a@example.com>");
    talk.say("RCPT TO:<joe@example.org>");
    talk.say("DATA");
}

TEST(SmtpSession, KeepsWhatIsPipelinedBehindAMailUntilItsAnswer) {
    House house;
    ScriptedDoor door(house.store());
    Talk talk(house, door, listenerOf(config::Protocol::Smtp));
    beginMail(talk);
    talk.autoSettle = false;
    talk.send("x\r\n.\r\nNOOP\r\nQU");
    EXPECT_EQ(talk.read(), "") << "no answer before the door's";
    EXPECT_FALSE(talk.session().wantsInput());
    talk.settle();
    EXPECT_EQ(talk.read(), "250 2.0.0 Ok: queued as m1\r\n250 2.0.0 Ok\r\n");
    EXPECT_TRUE(talk.session().wantsInput());
    EXPECT_EQ(talk.say("IT"), "221 2.0.0 Bye\r\n");
}

TEST(SmtpSession, PassesOnTheDoorsAnswer) {
    House house;
    const struct {
        Answer answer;
        const char* wanted;
        bool closed;
    } cases[] = {
        {{452, "4.3.1", "no room"}, "452 4.3.1 no room\r\n", false},
        {{451, "4.3.0", "broken"}, "451 4.3.0 broken\r\n", false},
        {{421, "4.3.2", "stopping"}, "421 4.3.2 stopping\r\n", true},
        {{550, "5.7.1", "never\r\n250 forged \xc3\xa9"}, "550 5.7.1 never??250 forged ??\r\n", false},
    };
    for (const auto& each : cases) {
        ScriptedDoor door(house.store());
        door.answer = each.answer;
        Talk talk(house, door, listenerOf(config::Protocol::Smtp));
        beginMail(talk);
        talk.send("x\r\n.\r\n");
        EXPECT_EQ(talk.read(), each.wanted);
        EXPECT_EQ(talk.session().closing(), each.closed) << each.wanted;
        EXPECT_FALSE(talk.session().inTransaction());
    }
}

TEST(SmtpSession, RefusesMailWhileThereIsNoRoom) {
    House house;
    ScriptedDoor door(house.store());
    Talk talk(house, door, listenerOf(config::Protocol::Smtp));
    talk.say("EHLO c");
    const struct {
        Errc code;
        const char* wanted;
    } cases[] = {{Errc::NoSpace, "452 4.3.1 "}, {Errc::Io, "451 4.3.0 "}, {Errc::Corrupt, "451 4.3.0 "}};
    for (const auto& each : cases) {
        door.room = fail(each.code, "secret");
        const std::string got = talk.say("MAIL FROM:<a@example.com>");
        EXPECT_EQ(got.substr(0, 10), each.wanted);
        EXPECT_EQ(got.find("secret"), std::string::npos) << "our troubles are ours";
        EXPECT_EQ(talk.say("RCPT TO:<joe@example.org>").substr(0, 3), "503");
    }
    door.room = {};
    EXPECT_EQ(talk.say("MAIL FROM:<a@example.com>"), "250 2.1.0 Ok\r\n");
}

TEST(SmtpSession, KeepsRoomFromItsFirstRecipientToTheAnswer) {
    House house;
    ScriptedDoor door(house.store());
    Talk talk(house, door, listenerOf(config::Protocol::Smtp));
    talk.say("EHLO c");
    talk.say("MAIL FROM:<a@example.com> SIZE=5000");
    EXPECT_EQ(*door.claimed, 0) << "not yet";
    talk.say("RCPT TO:<joe@example.org>");
    talk.say("RCPT TO:<ann@example.org>");
    EXPECT_EQ(*door.claimed, 5000) << "once for all of them";
    talk.say("RSET");
    EXPECT_EQ(*door.claimed, 0);

    talk.say("MAIL FROM:<a@example.com> SIZE=5000");
    talk.say("RCPT TO:<joe@example.org>");
    talk.say("DATA");
    talk.autoSettle = false;
    talk.send("x\r\n.\r\n");
    EXPECT_EQ(*door.claimed, 5000) << "until it is stored";
    talk.settle();
    door.mails.clear();
    EXPECT_EQ(*door.claimed, 0);

    config::Listener closed = listenerOf(config::Protocol::Smtp);
    closed.networks = {"198.51.100.0/24"};
    Talk stranger(house, door, closed);
    stranger.say("EHLO c");
    stranger.say("MAIL FROM:<a@example.com> SIZE=5000");
    EXPECT_EQ(stranger.say("RCPT TO:<joe@example.org>").substr(0, 3), "554");
    EXPECT_EQ(*door.claimed, 0) << "who may not send here keeps nobody's room";
}

TEST(SmtpSession, WhoSaysNoSizeTakesItsRoomAsTheTextComes) {
    House house;
    ScriptedDoor door(house.store());
    Talk talk(house, door, listenerOf(config::Protocol::Smtp));
    beginMail(talk);
    std::string text;
    for (int i = 0; i < 5000; ++i) text += std::string(98, 'x') + "\r\n";
    talk.send(text);
    EXPECT_GE(*door.claimed, 500'000);
    EXPECT_LT(*door.claimed, 2'000'000);
    door.room = fail(Errc::NoSpace, "secret");
    for (int i = 0; i < 4; ++i) talk.send(text);
    EXPECT_EQ(*door.claimed, 0) << "a refused mail gives it back at once";
    talk.send(".\r\n");
    EXPECT_EQ(talk.read().substr(0, 10), "452 4.3.1 ");
    EXPECT_TRUE(door.mails.empty());
    EXPECT_LT(door.claims.size(), 10u) << "few steps";
}

TEST(SmtpSession, ATextWithWrongLineEndsGivesItsRoomBackAtOnce) {
    House house;
    ScriptedDoor door(house.store());
    Talk talk(house, door, listenerOf(config::Protocol::Smtp));
    talk.say("EHLO c");
    talk.say("MAIL FROM:<a@example.com> SIZE=5000");
    talk.say("RCPT TO:<joe@example.org>");
    talk.say("DATA");
    talk.send("x\r\n");
    EXPECT_EQ(*door.claimed, 5000);
    talk.send("y\nz\r\n");
    EXPECT_EQ(*door.claimed, 0) << "its sender may take hours to end it";
}

TEST(SmtpSession, RoomThatOthersTookMeanwhileIsRefusedAtTheRecipient) {
    House house;
    ScriptedDoor door(house.store());
    Talk talk(house, door, listenerOf(config::Protocol::Smtp));
    talk.say("EHLO c");
    talk.say("MAIL FROM:<a@example.com> SIZE=5000");
    door.room = fail(Errc::NoSpace, "secret");
    EXPECT_EQ(talk.say("RCPT TO:<joe@example.org>").substr(0, 10), "452 4.3.1 ");
    door.room = {};
    EXPECT_EQ(talk.say("RCPT TO:<joe@example.org>").substr(0, 3), "250");
}

TEST(SmtpSession, WaitsWithoutATimeLimitForItsOwnSide) {
    House house;
    ScriptedDoor door(house.store());
    Talk talk(house, door, listenerOf(config::Protocol::Smtp));
    beginMail(talk);
    talk.autoSettle = false;
    talk.send("x\r\n.\r\n");
    EXPECT_EQ(talk.session().deadline(), SteadyTime::max());
    house.clock().advance(Millis(10 * 3'600'000));
    talk.session().checkTime(house.now());
    EXPECT_EQ(talk.read(), "");
    talk.settle();
    EXPECT_EQ(talk.read(), "250 2.0.0 Ok: queued as m1\r\n");
}

TEST(SmtpSession, AbortEndsAtOnce) {
    House house;
    ScriptedDoor door(house.store());
    Talk inText(house, door, listenerOf(config::Protocol::Smtp));
    beginMail(inText);
    inText.send("half");
    inText.session().abort("stopping");
    EXPECT_EQ(inText.read(), "421 4.3.2 mx.example.org stopping, closing\r\n");
    EXPECT_TRUE(inText.session().closing());

    Talk waiting(house, door, listenerOf(config::Protocol::Smtp));
    beginMail(waiting);
    waiting.autoSettle = false;
    waiting.send("x\r\n.\r\n");
    waiting.session().abort("stopping");
    EXPECT_EQ(waiting.read(), "") << "what became of the mail is not known yet";
    EXPECT_TRUE(waiting.session().closing());
}

// A session's state is its own, and a later mail never meets an earlier one's recipients.
TEST(SmtpSession, Q241502_ManySessionsKeepTheirRecipientsApart) {
    House house;
    ScriptedDoor door(house.store());
    std::vector<std::unique_ptr<Talk>> talks;
    for (int i = 0; i < 200; ++i) {
        talks.push_back(std::make_unique<Talk>(house, door, listenerOf(config::Protocol::Smtp)));
    }
    const auto all = [&](const std::string& line) {
        for (std::size_t i = 0; i < talks.size(); ++i) {
            std::string own = line;
            if (const auto at = own.find('#'); at != std::string::npos) own.replace(at, 1, std::to_string(i));
            talks[i]->say(own);
        }
    };
    for (const char* line : {"EHLO c", "MAIL FROM:<a#@x>", "RCPT TO:<a#@x>", "RSET", "MAIL FROM:<b#@x>",
                             "RCPT TO:<b#@x>", "DATA", "text", "."}) {
        all(line);
    }
    ASSERT_EQ(door.mails.size(), 200u);
    for (std::size_t i = 0; i < door.mails.size(); ++i) {
        const std::string own = "b" + std::to_string(i) + "@x";
        EXPECT_EQ(door.mails[i].message.sender, own);
        ASSERT_EQ(door.mails[i].recipients.size(), 1u);
        EXPECT_EQ(door.mails[i].recipients[0].address, own);
    }
}

// One session cut at every byte says the same as in one piece.
TEST(SmtpSession, SegmentsDoNotMatter) {
    House house;
    const std::vector<std::string> groups = {
        "EHLO c\r\n", "MAIL FROM:<a@example.com> SIZE=20\r\nRCPT TO:<joe@example.org>\r\nDATA\r\n",
        "Subject: x\r\n\r\n..y\r\n.\r\nMAIL FROM:<>\r\nRCPT TO:<x>\r\nRSET\r\nVRFY\r\nQUIT\r\n"};
    const auto replies = [&](std::size_t cut) {
        ScriptedDoor door(house.store());
        Talk talk(house, door, listenerOf(config::Protocol::Smtp));
        std::size_t before = 0;
        for (const std::string& group : groups) {
            const std::size_t inside = std::min(cut > before ? cut - before : 0, group.size());
            talk.send(group.substr(0, inside));
            talk.send(group.substr(inside));
            before += group.size();
        }
        EXPECT_EQ(door.mails.size(), 1u) << cut;
        return talk.read();
    };
    const std::string wanted = replies(0);
    for (std::size_t cut = 1; cut < 200; ++cut) EXPECT_EQ(replies(cut), wanted) << "cut at " << cut;
}

// Random bytes grown out of real sessions: no crash, no hang, bounded replies, and never a mail without its
// end.
TEST(SmtpSession, SurvivesMutatedSessions) {
    House house;
    const std::string seeds[] = {
        "EHLO c\r\nMAIL FROM:<a@example.com> SIZE=10 BODY=8BITMIME\r\nRCPT TO:<joe@example.org>\r\nDATA\r\n",
        "Subject: x\r\n\r\ntext\r\n..dot\r\n.\r\nRSET\r\nNOOP\r\nVRFY x\r\nHELP\r\nQUIT\r\n",
        "LHLO c\r\nMAIL FROM:<>\r\nRCPT TO:<\"a b\"@x>\r\nRCPT TO:<postmaster>\r\nDATA\r\n.\r\n"};
    const std::string spice[] = {"\r\n", "\n", "\r", ".", "\r\n.\r\n", std::string(1, '\0'),
                                 "\xff", "<",  ">",  ":"};
    std::mt19937 random(20261120);
    const auto below = [&](std::size_t bound) { return static_cast<std::size_t>(random() % bound); };
    for (int round = 0; round < 10'000; ++round) {
        ScriptedDoor door(house.store());
        auto listener = listenerOf(round % 2 == 0 ? config::Protocol::Smtp : config::Protocol::Lmtp);
        listener.limits.messageSize = 64;
        listener.limits.textLine = 40;
        listener.limits.commandLine = 64;
        Talk talk(house, door, listener);
        std::string bytes = seeds[round % 2 == 0 ? 0 : 2];
        bytes += seeds[1];
        for (std::size_t i = below(6); i > 0; --i) {
            const std::size_t at = below(bytes.size());
            switch (below(4)) {
                case 0: bytes[at] = static_cast<char>(below(256)); break;
                case 1: bytes.insert(at, spice[below(std::size(spice))]); break;
                case 2: bytes.erase(at, below(8)); break;
                default: bytes.insert(at, bytes.substr(below(bytes.size()), below(80))); break;
            }
        }
        while (!bytes.empty()) {
            const std::size_t piece = 1 + below(bytes.size());
            talk.send(std::string_view(bytes).substr(0, piece));
            bytes.erase(0, piece);
        }
        const std::string replies = talk.read();
        EXPECT_LT(replies.size(), 20'000u);
        for (const IncomingMail& mail : door.mails) {
            EXPECT_FALSE(mail.recipients.empty());
            EXPECT_LE(mail.body->size(), 64 + 400);
        }
        if (testing::Test::HasFailure()) FAIL() << "round " << round;
    }
}

}  // namespace
}  // namespace postern::intake
