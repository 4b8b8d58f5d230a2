#include "connector/intake/duplicates.h"

#include <future>

#include <gtest/gtest.h>

#include "base/digest.h"
#include "tests/unit/intake/house.h"
#include "tests/unit/store/faulty_disk.h"

namespace postern::intake {
namespace {

constexpr Millis kHour{3'600'000};

struct Sent {
    std::vector<std::string> to = {"joe@example.org", "1@example.net"};
    std::string text = "Subject: x\r\n\r\nbody\r\n";
    std::string sender = "sender@example.com";
    std::string source = "smtp";
    std::string headerId = "<1@example.com>";
    std::string protocol = "ESMTP";
    Millis within{0};
    bool confirmed = false;
    bool digest = true;
};

IncomingMail make(House& house, const Sent& sent) {
    IncomingMail mail = house.mail(sent.to, "Received: us\r\n" + sent.text);
    mail.message.sender = sent.sender;
    mail.message.source = sent.source;
    mail.message.headerId = sent.headerId;
    mail.message.protocol = sent.protocol;
    if (sent.digest) mail.digest = sha256(sent.text);
    mail.duplicatesWithin = sent.within;
    mail.confirmed = sent.confirmed;
    return mail;
}

MessageId send(House& house, const Sent& sent = {}) {
    const Answer answer = house.accept(make(house, sent));
    EXPECT_EQ(answer.code, 250) << answer.text;
    EXPECT_EQ(answer.text, "Ok: queued as m" + std::to_string(answer.message.value));
    return answer.message;
}

std::int64_t messages(House& house) {
    return house.count("SELECT count(*) FROM message");
}

TEST(Duplicates, AMailWhose250WasNotConfirmedIsStoredOnce) {
    House house;
    const MessageId first = send(house);
    EXPECT_EQ(send(house), first);
    EXPECT_EQ(send(house), first);
    EXPECT_EQ(messages(house), 1);
    EXPECT_EQ(house.count("SELECT count(*) FROM item"), 2);
}

TEST(Duplicates, AConfirmedMailMayComeAgain) {
    House house;
    const MessageId first = send(house);
    house.acceptor().confirm(first);
    const MessageId second = send(house);
    EXPECT_NE(second, first);
    EXPECT_EQ(send(house), second) << "the second copy was not confirmed";
    EXPECT_EQ(house.count("SELECT count(*) FROM unconfirmed"), 1)
        << "its commit took the first one's row along";
}

TEST(Duplicates, WhatIsTheSameMail) {
    struct Case {
        const char* what;
        Sent again;
        bool same;
    };
    const Case cases[] = {
        {"the same", {}, true},
        {"other order", {.to = {"1@example.net", "joe@example.org"}}, true},
        {"a recipient twice", {.to = {"1@example.net", "joe@example.org", "1@example.net"}}, true},
        {"case of a domain", {.to = {"joe@EXAMPLE.org", "1@example.net"}}, true},
        {"case of the sender's domain", {.sender = "sender@Example.COM"}, true},
        {"case of the sender's name", {.sender = "Sender@example.com"}, false},
        {"another sender", {.sender = ""}, false},
        {"another listener", {.source = "lmtp"}, false},
        {"fewer recipients", {.to = {"joe@example.org"}}, false},
        {"more recipients", {.to = {"joe@example.org", "1@example.net", "2@example.net"}}, false},
        {"other content", {.text = "Subject: y\r\n\r\nbody\r\n"}, false},
        {"no digest", {.digest = false}, false},
        {"a sender that can not miss the answer", {.confirmed = true}, false},
    };
    for (const Case& each : cases) {
        House house;
        const MessageId first = send(house);
        EXPECT_EQ(send(house, each.again) == first, each.same) << each.what;
        EXPECT_EQ(messages(house), each.same ? 1 : 2) << each.what;
    }
}

// Its client read some of the answers, and comes again for the others (RFC 2033 4.2).
TEST(Duplicates, OverLmtpAPartOfTheRecipientsIsTheSameMail) {
    struct Case {
        const char* what;
        Sent again;
        bool same;
    };
    const std::string lmtp = "LMTPS";
    const Sent first{.to = {"joe@example.org", "ann@example.org", "1@example.net"}, .protocol = lmtp};
    const Case cases[] = {
        {"all", first, true},
        {"one", {.to = {"joe@example.org"}, .protocol = lmtp}, true},
        {"another one", {.to = {"1@EXAMPLE.net"}, .protocol = lmtp}, true},
        {"two of different adapters", {.to = {"1@example.net", "ann@example.org"}, .protocol = lmtp}, true},
        {"one and a stranger", {.to = {"joe@example.org", "2@example.net"}, .protocol = lmtp}, false},
        {"one with other content",
         {.to = {"joe@example.org"}, .text = "Subject: y\r\n\r\nbody\r\n", .protocol = lmtp},
         false},
        {"one of another sender", {.to = {"joe@example.org"}, .sender = "", .protocol = lmtp}, false},
        {"one by SMTP", {.to = {"joe@example.org"}}, false},
    };
    for (const bool crash : {false, true}) {
        for (const Case& each : cases) {
            House house;
            const MessageId id = send(house, first);
            if (crash) house.reopen();
            EXPECT_EQ(send(house, each.again) == id, each.same) << each.what << (crash ? ", crash" : "");
            EXPECT_EQ(messages(house), each.same ? 1 : 2) << each.what << (crash ? ", crash" : "");
        }
    }
}

// Its client lost the answers for two of three, and comes again for each of them alone.
TEST(Duplicates, OverLmtpTheRecipientsComeAgainInSeveralMails) {
    for (const bool crash : {false, true}) {
        House house;
        const Answer first = house.accept(
            make(house, {.to = {"joe@example.org", "ann@example.org", "1@example.net"}, .protocol = "LMTP"}));
        EXPECT_FALSE(first.part);
        for (const char* again : {"ann@example.org", "1@example.net", "ann@example.org"}) {
            const Answer answer = house.accept(make(house, {.to = {again}, .protocol = "LMTP"}));
            EXPECT_EQ(answer.message, first.message) << again;
            EXPECT_TRUE(answer.part) << again << ": to read this shows nothing of the others";
            if (crash) house.reopen();
        }
        EXPECT_EQ(messages(house), 1);
    }
}

TEST(Duplicates, OnceTheWholeIsConfirmedAPartIsAnotherMail) {
    House house;
    const Sent part{.to = {"ann@example.org"}, .protocol = "LMTP"};
    const MessageId first = send(house, {.to = {"joe@example.org", "ann@example.org"}, .protocol = "LMTP"});
    EXPECT_EQ(send(house, part), first);
    house.acceptor().confirm(first);
    const MessageId second = send(house, part);
    EXPECT_NE(second, first) << "a wanted copy";
    EXPECT_EQ(send(house, part), second);
}

TEST(Duplicates, OfSeveralMailsOfOneContentTheOneWithTheRecipientsIsFound) {
    House house;
    std::vector<MessageId> ids;
    for (const char* name : {"a", "b", "c"})
        ids.push_back(
            send(house, {.to = {std::string(name) + "1@example.org", std::string(name) + "2@example.org"},
                         .protocol = "LMTP"}));
    EXPECT_EQ(send(house, {.to = {"b2@example.org"}, .protocol = "LMTP"}), ids[1]);
    house.acceptor().confirm(ids[1]);
    EXPECT_EQ(send(house, {.to = {"c1@example.org"}, .protocol = "LMTP"}), ids[2]);
    EXPECT_EQ(send(house, {.to = {"a1@example.org"}, .protocol = "LMTP"}), ids[0]);
    EXPECT_EQ(messages(house), 3);
}

TEST(Duplicates, NoRowForAMailThatNobodyCanSendAgain) {
    House house;
    send(house, {.confirmed = true});
    send(house, {.digest = false});
    EXPECT_EQ(house.count("SELECT count(*) FROM unconfirmed"), 0);
}

TEST(Duplicates, TheyAreKnownAfterACrash) {
    House house;
    const MessageId first = send(house);
    house.reopen();
    EXPECT_EQ(send(house), first);
    house.clock().advance(kUnconfirmedFor - Millis{1});
    house.reopen();
    EXPECT_EQ(send(house), first);
    EXPECT_EQ(messages(house), 1);
}

TEST(Duplicates, ConfirmationsAreKnownAfterAStop) {
    House house;
    const MessageId first = send(house);
    house.acceptor().confirm(first);
    house.reopen();
    EXPECT_EQ(house.count("SELECT count(*) FROM unconfirmed"), 0);
    EXPECT_NE(send(house), first);
}

TEST(Duplicates, AfterFiveDaysNobodySendsAgain) {
    House house;
    const MessageId first = send(house);
    house.clock().advance(kUnconfirmedFor);
    const MessageId second = send(house);
    EXPECT_NE(second, first);
    EXPECT_EQ(house.count("SELECT count(*) FROM unconfirmed"), 1) << "the old row is gone";
    house.clock().advance(kUnconfirmedFor);
    house.reopen();
    EXPECT_NE(send(house), second);
}

TEST(Duplicates, RacingCopiesAreOne) {
    House house;
    std::promise<void> gate;
    auto opened = gate.get_future().share();
    std::promise<void> blocked;
    house.store().write(
        [&](store::WriteSession&) -> Result<void> {
            blocked.set_value();
            opened.wait();  // so that the copies share one commit
            return {};
        },
        {});
    blocked.get_future().wait();
    constexpr int kCopies = 20;
    std::vector<std::future<Answer>> answers;
    for (int i = 0; i < kCopies; ++i) {
        auto promise = std::make_shared<std::promise<Answer>>();
        answers.push_back(promise->get_future());
        house.acceptor().accept(make(house, {}),
                                [promise](const Answer& answer) { promise->set_value(answer); });
    }
    const auto before = house.store().counters().commits;
    gate.set_value();
    for (auto& answer : answers) EXPECT_EQ(answer.get().message, MessageId{1});
    EXPECT_EQ(messages(house), 1);
    EXPECT_LE(house.store().counters().commits - before, 2) << "they did not share a commit";
}

TEST(Duplicates, AFullDiskForgetsWhatItDidNotStore) {
    tests::FaultyDisk disk;
    House house(0, tests::FaultyDisk::kName);
    const MessageId first = send(house);
    house.acceptor().confirm(first);
    disk.failWrites(tests::Fault::Full, "-wal");
    EXPECT_EQ(house.accept(make(house, {})).code, 452);
    EXPECT_EQ(house.accept(make(house, {})).code, 452) << "not a copy of what was refused";
    disk.heal();
    const MessageId second = send(house);
    EXPECT_NE(second, first) << "its confirmation outlived the refused commit";
    EXPECT_EQ(messages(house), 2);
    EXPECT_EQ(house.count("SELECT count(*) FROM unconfirmed"), 1);
}

// I8: the commit failed and its outcome is not known. Whatever surfaces, there is one copy in the end.
TEST(Duplicates, I8_AfterACommitOfUnknownOutcomeAResendIsOne) {
    for (const char* where : {"-wal", ".db"}) {
        tests::FaultyDisk disk;
        House house(0, tests::FaultyDisk::kName);
        send(house, {.text = "another"});
        disk.failSyncs(where);
        const Answer answer = house.accept(make(house, {}));
        disk.heal();
        house.reopen();
        const bool surfaced = messages(house) == 2;
        const MessageId again = send(house);
        EXPECT_EQ(messages(house), 2) << where << (surfaced ? ": it surfaced" : ": it did not surface");
        EXPECT_EQ(send(house), again);
        EXPECT_TRUE(answer.code == 451 || answer.message == again) << answer.code;
    }
}

TEST(Duplicates, AWindowDropsConfirmedCopiesToo) {
    House house;
    const Sent sent{.within = kHour};
    const MessageId first = send(house, sent);
    house.acceptor().confirm(first);
    EXPECT_EQ(send(house, sent), first);
    EXPECT_NE(send(house, {.headerId = "<2@example.com>", .within = kHour}), first);
    EXPECT_NE(send(house, {.headerId = "", .within = kHour}), first) << "no field, no window";
    EXPECT_NE(send(house), first) << "a listener without a window";
    house.clock().advance(kHour);
    EXPECT_NE(send(house, {.sender = "", .within = kHour}), first);
    EXPECT_EQ(house.count("SELECT count(*) FROM seen"), 1) << "the two old ones went with the new one";
}

TEST(Duplicates, AWindowEnds) {
    House house;
    const Sent sent{.within = kHour, .confirmed = true};
    const MessageId first = send(house, sent);
    house.clock().advance(kHour - Millis{1});
    house.reopen();
    EXPECT_EQ(send(house, sent), first);
    house.clock().advance(Millis{1});
    EXPECT_NE(send(house, sent), first);
}

TEST(Duplicates, ALargeBodyOfACopyLeavesNoFile) {
    House house;
    const Sent large{.text = std::string(3 * kInlineBody, 'x')};
    const MessageId first = send(house, large);
    EXPECT_EQ(send(house, large), first);
    EXPECT_EQ(house.bodyFiles(), 1u);
}

TEST(Duplicates, MemoryStaysBounded) {
    House house;
    Duplicates duplicates(3);
    for (int i = 1; i <= 10; ++i) {
        const auto stored = house.store().write([&](store::WriteSession& session) -> Result<void> {
            Duplicates::Ids ids;
            POSTERN_TRY(duplicates.write(session, house.clock().now(), ids));
            return duplicates.remember(session, {sha256(std::to_string(i)), {}, {}}, {i},
                                       house.clock().now());
        });
        ASSERT_TRUE(stored.ok()) << stored.error().text;
    }
    EXPECT_EQ(duplicates.size(), 4u) << "the most, and one until the next commit";
    EXPECT_EQ(house.count("SELECT min(message_id) FROM unconfirmed"), 7) << "the oldest are forgotten";
}

}  // namespace
}  // namespace postern::intake
