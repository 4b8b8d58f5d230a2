// What dialogues can not tell: chunks cut at every byte, SCRAM with its random parts, what a "250" that was
// read is known by, the trace field, the digest.

#include <gtest/gtest.h>

#include "base/digest.h"
#include "base/text.h"
#include "tests/unit/intake/house.h"

namespace postern::intake {
namespace {

void beginMail(Talk& talk) {
    talk.say("EHLO c");
    talk.say("MAIL FROM:<a@example.com>");
    talk.say("RCPT TO:<joe@example.org>");
}

TEST(ChunkLines, NotesEveryFlawHoweverItIsCut) {
    const std::string nul(1, '\0');
    const struct {
        std::string text;
        bool bareCr, bareLf, hasNul, longLine, ended;
    } cases[] = {
        {"", false, false, false, false, true},
        {"a\r\nb\r\n", false, false, false, false, true},
        {"\r\n\r\n", false, false, false, false, true},
        {"a", false, false, false, false, false},
        {"a\r", true, false, false, false, false},
        {"a\nb\r\n", false, true, false, false, true},
        {"\n", false, true, false, false, true},
        {"a\rb\r\n", true, false, false, false, true},
        {"a\r\r\n", true, false, false, false, true},
        {"\r\r\n.\r\n", true, false, false, false, true},
        {"a\n\rb\r\n", true, true, false, false, true},
        {nul + "\r\n", false, false, true, false, true},
        {"12345678\r\n", false, false, false, false, true},
        {"123456789\r\n", false, false, false, true, true},
    };
    for (const auto& each : cases) {
        for (std::size_t cut = 0; cut <= each.text.size(); ++cut) {
            ChunkLines lines;
            lines.begin(10);
            lines.look(std::string_view(each.text).substr(0, cut));
            lines.look(std::string_view(each.text).substr(cut));
            lines.end();
            const TextFlaws& got = lines.flaws();
            const std::string what = escapeLine(each.text) + " cut at " + std::to_string(cut);
            EXPECT_EQ(got.bareCr, each.bareCr) << what;
            EXPECT_EQ(got.bareLf, each.bareLf) << what;
            EXPECT_EQ(got.nul, each.hasNul) << what;
            EXPECT_EQ(got.longLine, each.longLine) << what;
            EXPECT_EQ(lines.lineEnded(), each.ended) << what;
        }
    }
}

// A second mail inside a chunk is text, wherever segments and chunks are cut.
TEST(Chunks, R16_NothingInAChunkIsACommandHoweverItIsCut) {
    House house;
    const std::string text =
        "Subject: x\r\n\r\n.\r\nMAIL FROM:<inner@x>\r\nRCPT TO:<joe@example.org>\r\nBDAT 3 LAST\r\nabc\r\n";
    for (std::size_t chunk = 0; chunk <= text.size(); chunk += 7) {
        const std::string first = "BDAT " + std::to_string(chunk) + "\r\n" + text.substr(0, chunk);
        const std::string wire = first + "BDAT " + std::to_string(text.size() - chunk) + " LAST\r\n" +
                                 text.substr(chunk) + "NOOP\r\n";
        for (std::size_t cut = 0; cut <= wire.size(); ++cut) {
            ScriptedDoor door(house.store());
            Talk talk(house, door, listenerOf(config::Protocol::Smtp));
            beginMail(talk);
            talk.send(wire.substr(0, cut));
            talk.send(wire.substr(cut));
            EXPECT_EQ(talk.read(), "250 2.0.0 Ok: " + std::to_string(chunk) +
                                       " bytes\r\n250 2.0.0 Ok: queued as m1\r\n250 2.0.0 Ok\r\n")
                << chunk << " cut at " << cut;
            ASSERT_EQ(door.mails.size(), 1u);
            EXPECT_EQ(door.mails[0].digest, sha256(text));
            EXPECT_EQ(door.mails[0].header, "Subject: x\r\n");
        }
    }
}

// The same by DATA has the same digest: dots and our own fields are not in it.
TEST(SmtpSession, TheDigestIsOfTheContentAlone) {
    House house;
    ScriptedDoor door(house.store());
    Talk talk(house, door, listenerOf(config::Protocol::Smtp));
    beginMail(talk);
    talk.say("DATA");
    talk.send("Subject: x\r\n\r\n..\r\n.\r\n");
    ASSERT_EQ(door.mails.size(), 1u);
    EXPECT_EQ(door.mails[0].digest, sha256("Subject: x\r\n\r\n.\r\n"));
    EXPECT_EQ(door.mails[0].trace.size(), 10u);
}

// Five times through this store is a loop; another store's field, or one that begins like ours, is none
// (KB Q128627, Q166654).
TEST(SmtpSession, OurOwnTraceFieldEndsALoop) {
    House house;
    const std::string own = "Postern-Trace: " + house.store().id();
    const struct {
        std::string field;
        int times;
        bool taken;
    } cases[] = {
        {own, 4, true}, {own, 5, false}, {own + "x", 9, true}, {own.substr(0, own.size() - 1), 9, true}};
    for (const auto& each : cases) {
        Talk talk(house, house.acceptor(), listenerOf(config::Protocol::Smtp));
        beginMail(talk);
        talk.say("DATA");
        for (int i = 0; i < each.times; ++i) talk.send(each.field + "\r\n");
        EXPECT_EQ(talk.say(".").substr(0, 9), each.taken ? "250 2.0.0" : "554 5.4.6") << each.field;
    }
}

class Confirming : public testing::Test {
  protected:
    Confirming() {
        door_.answer.message = {7};
        beginMail(talk_);
    }
    House house_;
    ScriptedDoor door_{house_.store()};
    Talk talk_{house_, door_, listenerOf(config::Protocol::Smtp)};
};

TEST_F(Confirming, TheNextCommandShowsThatThe250WasRead) {
    talk_.say("BDAT 0 LAST");
    EXPECT_TRUE(door_.confirmed.empty());
    talk_.send("Q");
    EXPECT_EQ(door_.confirmed, (std::vector<std::int64_t>{7}));
    talk_.send("UIT\r\n");
    EXPECT_EQ(door_.confirmed.size(), 1u) << "once";
}

TEST_F(Confirming, WhatWasPipelinedBehindTheMailShowsNothing) {
    talk_.send("BDAT 0 LAST\r\nNOOP\r\nNO");
    EXPECT_TRUE(door_.confirmed.empty());
    talk_.send("OP\r\n");
    EXPECT_TRUE(door_.confirmed.empty()) << "its beginning was there before the 250";
    talk_.read();
    talk_.say("NOOP");
    EXPECT_EQ(door_.confirmed.size(), 1u);
}

TEST_F(Confirming, A250ThatWasNotSentIsNotRead) {
    talk_.send("BDAT 0 LAST\r\n");
    talk_.send("NOOP\r\n");
    EXPECT_TRUE(door_.confirmed.empty());
    talk_.session().clientClosed(true);
    EXPECT_TRUE(door_.confirmed.empty());
}

TEST_F(Confirming, AnOrderlyCloseShowsItToo) {
    talk_.say("BDAT 0 LAST");
    talk_.session().clientClosed(false);
    EXPECT_TRUE(door_.confirmed.empty()) << "lost, reset, or not all acknowledged";
    talk_.session().clientClosed(true);
    EXPECT_EQ(door_.confirmed.size(), 1u);
}

TEST_F(Confirming, WhoReadsTheAnswerForAPartShowsNothingOfTheWhole) {
    door_.answer.part = true;
    talk_.say("BDAT 0 LAST");
    talk_.say("NOOP");
    EXPECT_TRUE(door_.confirmed.empty());
}

// The client's side of RFC 5802, as far as a test wants it.
std::string scram(Talk& talk, const std::string& name, const std::string& password) {
    const auto decoded = [](const std::string& reply) {
        return base64Decode(trim(std::string_view(reply).substr(std::min<std::size_t>(4, reply.size()))))
            .value_or("");
    };
    const std::string bare = "n=" + name + ",r=clientnonce";
    const std::string first = decoded(talk.say("AUTH SCRAM-SHA-256 " + base64Encode("n,," + bare)));
    const auto fields = split(first, ',');
    if (fields.size() != 3) return first;
    const std::string salt = base64Decode(fields[1].substr(2)).value_or("");
    const std::string salted = pbkdf2Sha256(password, salt, parseInt(fields[2].substr(2)).value_or(1));
    const std::string key = hmacSha256(salted, "Client Key");
    const std::string without = "c=biws," + std::string(fields[0]);
    const std::string proof = hmacSha256(sha256(key), bare + "," + first + "," + without);
    std::string mixed = key;
    for (std::size_t i = 0; i < mixed.size(); ++i) mixed[i] = static_cast<char>(mixed[i] ^ proof[i]);
    const std::string reply = talk.say(base64Encode(without + ",p=" + base64Encode(mixed)));
    if (!reply.starts_with("334")) return reply;
    EXPECT_TRUE(decoded(reply).starts_with("v="));
    return talk.say("");
}

TEST(LogOn, ByScram) {
    House house;
    auto listener = listenerOf(config::Protocol::Smtp);
    listener.auth = config::Auth::Required;
    const struct {
        const char *name, *password, *wanted;
    } cases[] = {{"ann", "pencil", "235 2.7.0"},
                 {"ann", "pencils", "535 5.7.8"},
                 {"nobody", "pencil", "535 5.7.8"},
                 {"viewer", "pencil", "535 5.7.8"}};
    for (const auto& each : cases) {
        Talk talk(house, house.acceptor(), listener, {"local", "", ""});
        talk.say("EHLO c");
        EXPECT_EQ(scram(talk, each.name, each.password).substr(0, 9), each.wanted) << each.name;
    }
}

TEST(LogOn, OurTroublesAreTemporary) {
    House house;
    ScriptedDoor door(house.store());
    auto listener = listenerOf(config::Protocol::Smtp);
    listener.auth = config::Auth::Offered;
    Talk talk(house, door, listener, {"local", "", ""});
    talk.say("EHLO c");
    for (int i = 0; i < 5; ++i) {
        EXPECT_EQ(talk.say("AUTH PLAIN " + base64Encode(std::string("\0ann\0pencil", 11))).substr(0, 9),
                  "454 4.7.0");
    }
    EXPECT_FALSE(talk.session().closing());
}

}  // namespace
}  // namespace postern::intake
