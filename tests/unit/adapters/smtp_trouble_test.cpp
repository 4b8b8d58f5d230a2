// What a script of one host can not show: recover() while an answer is awaited, and the connection itself.

#include <gtest/gtest.h>

#include "adapters/smtp/smtp_flights.h"
#include "adapters/smtp/smtp_hosts.h"
#include "adapters/smtp/smtp_settings.h"
#include "base/service_manager.h"
#include "net/link.h"
#include "tests/adapter_rig.h"
#include "tests/fake_clock.h"
#include "tests/kit/wait.h"
#include "tests/scripted_host.h"

namespace postern::adapters {
namespace {

using Is = SmtpFlights::Standing::Is;

TEST(SmtpFlights, OneLookSaysHowItStands) {
    SmtpFlights flights;
    const DeliveryKey key{ItemId{1}, Epoch{1}}, other{ItemId{1}, Epoch{2}};
    EXPECT_EQ(flights.ask(key, "x").is, Is::Absent);
    flights.add(key, {});
    ASSERT_TRUE(flights.begin(key));
    EXPECT_EQ(flights.ask(key, "x").is, Is::Sending);
    flights.end(key, exported("there"));
    const auto ended = flights.ask(key, "x");
    EXPECT_EQ(ended.is, Is::Ended);
    EXPECT_EQ(ended.outcome.target, "there");
    flights.add(other, {});
    EXPECT_EQ(flights.ask(other, "asked").is, Is::Withdrawn);
    EXPECT_FALSE(flights.begin(other)) << "never published from now on";
    EXPECT_EQ(flights.ask(other, "again").outcome.reason, "asked");
}

// The mark of an attempt may fail, and nobody comes back for its connection: the item's next attempt ends it.
TEST(SmtpFlights, ALaterAttemptTakesThePlaceOfOnesThatWait) {
    SmtpFlights flights;
    const auto key = [](std::int64_t item, std::int64_t epoch) {
        return DeliveryKey{ItemId{item}, Epoch{epoch}};
    };
    for (const std::int64_t epoch : {1, 2, 3}) flights.add(key(7, epoch), {});
    flights.add(key(6, 1), {});
    EXPECT_FALSE(flights.begin(key(7, 1))) << "never published from now on";
    EXPECT_EQ(flights.ask(key(7, 2), "x").outcome.verdict, Verdict::Deferred) << "and that is known";
    EXPECT_TRUE(flights.begin(key(7, 3)));
    flights.add(key(7, 4), {});
    EXPECT_EQ(flights.ask(key(7, 3), "x").is, Is::Sending) << "its dot is out";
    EXPECT_TRUE(flights.begin(key(6, 1))) << "another item's";
}

TEST(SmtpFlights, WhatIsForgottenIsAbsent) {
    SmtpFlights flights;
    for (int item = 1; item <= 1100; ++item) flights.end({ItemId{item}, Epoch{1}}, exported("there"));
    EXPECT_EQ(flights.ask({ItemId{1}, Epoch{1}}, "x").is, Is::Absent);
    EXPECT_EQ(flights.ask({ItemId{1100}, Epoch{1}}, "x").is, Is::Ended);
}

struct Told {
    Job job;
    Recovery during;
};

// One mail to two recipients by LMTP; recover() is asked while the host has the dot and says nothing.
Told deliver() {
    ignoreBrokenPipes();
    Told told;
    std::unique_ptr<Adapter> adapter;
    tests::ScriptedHost host([&](tests::HostTalk& talk, int) {
        talk.say("220 box.example\r\n");
        (void)talk.line();
        talk.say("250 box.example\r\n");
        for (int i = 0; i < 3; ++i) {
            (void)talk.line();
            talk.say("250 ok\r\n");
        }
        (void)talk.line();
        talk.say("354 go on\r\n");
        (void)talk.until("\r\n.\r\n");
        told.during = adapter->recover(told.job.delivery.key, told.job.evidence);
        talk.say("250 saved\r\n452 4.2.2 full\r\n");
    });
    adapter = tests::makeKind("lmtp", {{"hosts", host.place()}, {"tls", "none"}, {"keep_connection", "0s"}},
                              tests::kRigContext)
                  .value();
    StringSource source("Message-ID: <1@x>\r\n\r\nx\r\n");
    told.job.delivery.key = {ItemId{1}, Epoch{1}};
    told.job.delivery.recipients = {{1, "a@old.example", ""}, {2, "b@old.example", ""}};
    told.job.delivery.message = &source;
    adapter->stage({&told.job, 1}, [] {});
    if (!told.job.outcome) adapter->publish({&told.job, 1}, [] {});
    return told;
}

TEST(SmtpRecover, AnAnswerThatIsAwaitedIsNoDoubt) {
    const Told told = deliver();
    EXPECT_TRUE(told.during.busy) << told.during.text;
    EXPECT_FALSE(told.during.unusable);
    EXPECT_NE(told.during.found, Found::NotPublished);
}

TEST(SmtpRecover, TheClassOfARecipientsFailureIsItsOwn) {
    const Told told = deliver();
    ASSERT_EQ(told.job.outcome->verdict, Verdict::Exported) << told.job.outcome->reason;
    ASSERT_EQ(told.job.outcome->recipients.size(), 1u);
    EXPECT_EQ(told.job.outcome->recipients[0].cause, Cause::Full);
}

TEST(SmtpRefuses, ALegacyNameThatIsNoAddress) {
    const auto adapter = tests::makeKind("lmtp", {{"hosts", "old.example"}}, tests::kRigContext).value();
    const struct {
        const char* legacy;
        bool refused;
    } rows[] = {{"", false},    {"bob@old.example", false}, {"bob", true},  {"@x", true},
                {"bob@", true}, {"\"a  b\"@x", true},       {" a@x", true}, {"\"a b\"@x", false}};
    for (const auto& row : rows) {
        const auto why = adapter->refuses({1, "bob@old.example", row.legacy});
        EXPECT_EQ(why.has_value(), row.refused) << row.legacy;
        EXPECT_NE(why.value_or("legacy").find("legacy"), std::string::npos) << row.legacy;
    }
}

// One mail to bob, staged and published.
Job jobFor(ByteSource& source) {
    Job job;
    job.delivery.key = {ItemId{1}, Epoch{1}};
    job.delivery.recipients = {{1, "bob@old.example", ""}};
    job.delivery.message = &source;
    return job;
}

// A host that takes 100 recipients of one mail and refuses the others with `refusal`.
void takeAHundred(tests::HostTalk& talk, const std::string& refusal) {
    int taken = 0;
    talk.say("220 old.example\r\n");
    while (const auto line = talk.line()) {
        if (line->starts_with("RCPT") && ++taken > 100) {
            talk.say(refusal + "\r\n");
        } else if (*line == "DATA") {
            talk.say("354 go on\r\n");
            (void)talk.until("\r\n.\r\n");
            talk.say("250 saved\r\n");
        } else {
            talk.say("250 ok\r\n");
        }
    }
}

// Whatever the code: the article prints 522, RFC 5321 has 452 and knows of 552.
TEST(SmtpCrowd, Q176477_ThreeTransactionsFor250Recipients) {
    ignoreBrokenPipes();
    for (const std::string refusal :
         {"522 too many recipients", "452 4.5.3 too many", "552 5.5.3 too many"}) {
        tests::ScriptedHost host([&](tests::HostTalk& talk, int) { takeAHundred(talk, refusal); });
        const auto adapter = tests::makeKind("smtp",
                                             {{"hosts", host.place()},
                                              {"tls", "none"},
                                              {"keep_connection", "0s"},
                                              {"most_recipients", "0"}},
                                             tests::kRigContext)
                                 .value();
        StringSource source("Message-ID: <1@x>\r\n\r\nx\r\n");
        std::vector<Recipient> waiting;
        for (int i = 1; i <= 250; ++i) waiting.push_back({i, "r" + std::to_string(i) + "@old.example", ""});
        for (const std::size_t left : {150u, 50u, 0u}) {
            Job job = jobFor(source);
            job.delivery.key.epoch.value = static_cast<std::int64_t>(waiting.size());
            job.delivery.recipients = std::exchange(waiting, {});
            adapter->stage({&job, 1}, [] {});
            if (!job.outcome) adapter->publish({&job, 1}, [] {});
            ASSERT_EQ(job.outcome->verdict, Verdict::Exported) << refusal << tests::outcomeText(job);
            EXPECT_EQ(job.outcome->again, left > 0) << refusal;
            for (const RecipientVerdict& each : job.outcome->recipients) {
                EXPECT_EQ(each.verdict, Verdict::Deferred) << refusal << ": " << each.reason;
                EXPECT_FALSE(each.status.starts_with('5')) << refusal << ": " << each.status;
                waiting.push_back({each.ordinal, "r" + std::to_string(each.ordinal) + "@old.example", ""});
            }
            EXPECT_EQ(waiting.size(), left) << refusal;
        }
        EXPECT_EQ(host.connections(), 3);
    }
}

// A refusal in the middle of the text is of those who were taken; who was told to wait waits.
TEST(SmtpMidText, Q152940_ARefusalInTheMiddleIsOfThoseWhoWereTaken) {
    ignoreBrokenPipes();
    const struct {
        const char *first, *inTheText;
        Verdict verdict, other;
        int ordinal;
    } rows[] = {
        {"451 4.7.1 greylisted", "554 5.6.0 virus", Verdict::Deferred, Verdict::Rejected, 2},
        {"550 5.1.1 unknown", "451 4.3.0 later", Verdict::Deferred, Verdict::Rejected, 1},
        {"550 5.1.1 unknown", "421 closing", Verdict::Deferred, Verdict::Rejected, 1},
    };
    const std::string text = "Message-ID: <1@x>\r\n\r\n" + std::string(400, 'x') + "\r\n";
    std::string large = text;
    for (int i = 0; i < 60'000; ++i) large += text.substr(text.size() - 402);
    for (const auto& row : rows) {
        tests::ScriptedHost host([&](tests::HostTalk& talk, int) {
            talk.say("220 old.example\r\n");
            for (const char* answer : {"250 old.example", "250 ok", row.first, "250 ok", "354 go on"}) {
                (void)talk.line();
                talk.say(std::string(answer) + "\r\n");
            }
            (void)talk.until("xxxx");
            talk.say(std::string(row.inTheText) + "\r\n");
            (void)talk.rest();
        });
        const auto adapter = tests::makeKind(
            "smtp", {{"hosts", host.place()}, {"tls", "none"}, {"format", "original"}}, tests::kRigContext);
        ASSERT_TRUE(adapter.ok()) << adapter.error().text;
        StringSource source(large);
        Job job = jobFor(source);
        job.delivery.recipients.push_back({2, "eve@old.example", ""});
        (*adapter)->stage({&job, 1}, [] {});
        if (!job.outcome) (*adapter)->publish({&job, 1}, [] {});
        EXPECT_EQ(job.outcome->verdict, row.verdict) << row.first << tests::outcomeText(job);
        ASSERT_EQ(job.outcome->recipients.size(), 1u) << row.first << tests::outcomeText(job);
        EXPECT_EQ(job.outcome->recipients[0].ordinal, row.ordinal) << row.first;
        EXPECT_EQ(job.outcome->recipients[0].verdict, row.other) << row.first;
    }
}

// A host that says nothing to EHLO may keep a mail for minutes; a stop does not wait for it.
TEST(SmtpHasten, EndsTheWaitsOfAMailThatIsNotOut) {
    ignoreBrokenPipes();
    std::atomic<bool> asked{false};
    tests::ScriptedHost host([&](tests::HostTalk& talk, int) {
        talk.say("220 old.example\r\n");
        (void)talk.line();
        asked = true;
        (void)talk.rest();
    });
    const auto adapter =
        tests::makeKind("smtp", {{"hosts", host.place()}, {"tls", "none"}, {"command_timeout", "30s"}},
                        tests::kRigContext)
            .value();
    StringSource source("Message-ID: <1@x>\r\n\r\nx\r\n");
    Job job = jobFor(source);
    std::jthread staging([&] { adapter->stage({&job, 1}, [] {}); });
    ASSERT_TRUE(tests::waitFor([&] { return asked.load(); }));
    adapter->hasten();
    staging.join();
    EXPECT_TRUE(job.outcome && job.outcome->adapterUnusable) << tests::outcomeText(job);
    EXPECT_TRUE(job.outcome->reason.starts_with("given up")) << job.outcome->reason;
    EXPECT_FALSE(adapter->probe().ok()) << "nor is anybody else waited for";
    EXPECT_EQ(host.connections(), 2);
}

// Behind the dot only the answer can tell: it is waited for.
TEST(SmtpHasten, WaitsForTheAnswerToADot) {
    ignoreBrokenPipes();
    std::unique_ptr<Adapter> adapter;
    tests::ScriptedHost host([&](tests::HostTalk& talk, int) {
        talk.say("220 old.example\r\n");
        for (const char* answer : {"250 old.example", "250 ok", "250 ok", "354 go on"}) {
            (void)talk.line();
            talk.say(std::string(answer) + "\r\n");
        }
        (void)talk.until("\r\n.\r\n");
        adapter->hasten();
        talk.say("250 saved\r\n");
    });
    adapter = tests::makeKind("smtp", {{"hosts", host.place()}, {"tls", "none"}, {"keep_connection", "0s"}},
                              tests::kRigContext)
                  .value();
    StringSource source("Message-ID: <1@x>\r\n\r\nx\r\n");
    Job job = jobFor(source);
    adapter->stage({&job, 1}, [] {});
    ASSERT_FALSE(job.outcome) << tests::outcomeText(job);
    adapter->publish({&job, 1}, [] {});
    EXPECT_EQ(job.outcome->verdict, Verdict::Exported) << tests::outcomeText(job);
}

TEST(SmtpHosts, ConnectionsWithoutWorkAreEndedAtTheirTime) {
    ignoreBrokenPipes();
    std::atomic<int> farewells{0};
    tests::ScriptedHost host([&](tests::HostTalk& talk, int) {
        talk.say("220 old.example\r\n");
        (void)talk.line();
        talk.say("250 old.example\r\n");
        if (talk.line() == "QUIT") ++farewells;
    });
    const SmtpPlan plan =
        smtpPlan(tests::kRigContext,
                 tests::filledSettings(*kindNamed("smtp"),
                                       {{"hosts", host.place()}, {"tls", "none"}, {"keep_connection", "5s"}}),
                 false)
            .value();
    tests::FakeClock clock;
    SmtpHosts hosts(plan, "legacy", clock);
    hosts.give(0, SmtpSession::open(plan, plan.hosts[0], nullptr, nullptr).value());
    clock.advance(Millis(3'000));
    hosts.give(0, SmtpSession::open(plan, plan.hosts[0], nullptr, nullptr).value());
    clock.advance(Millis(2'000));
    hosts.dropIdle();
    EXPECT_EQ(farewells, 0) << "both still may be of use";
    clock.advance(Millis(1));
    hosts.dropIdle();
    EXPECT_TRUE(tests::waitFor([&] { return farewells == 1; }));
    EXPECT_TRUE(hosts.take(0)) << "the younger one";
    EXPECT_FALSE(hosts.take(0));
}

// Each of its lines comes in time, but not the whole.
TEST(SmtpReply, AllLinesHaveOneDeadline) {
    ignoreBrokenPipes();
    std::atomic<int> waits{0};
    std::atomic<bool> over{false};
    tests::ScriptedHost host([&](tests::HostTalk& talk, int) {
        for (int line = 0; line < 20; ++line) {
            (void)tests::waitFor([&] { return over || waits > line; });
            talk.say(line < 19 ? "250-more\r\n" : "250 end\r\n");
        }
        (void)talk.rest();
    });
    tests::FakeClock clock;
    {
        const auto place = net::resolve("127.0.0.1", host.port()).value().front();
        const auto link = net::Link::connect(place, "", Millis(10'000), nullptr, nullptr, clock).value();
        ++waits;
        const auto reply = readSmtpReply(*link, Millis(1'000), [&] {
            clock.advance(Millis(400));
            ++waits;
        });
        ASSERT_FALSE(reply.ok());
        EXPECT_EQ(reply.error().code, Errc::Busy) << reply.error().text;
    }
    EXPECT_LE(waits, 5);
    over = true;
}

// Both lines are there before anything is written, and the host reads only when it is told to.
struct Early {
    std::atomic<bool> read{false};
    tests::ScriptedHost host{[this](tests::HostTalk& talk, int) {
        talk.say("one\r\ntwo\r\n");
        (void)tests::waitFor([this] { return read.load(); });
        (void)talk.rest();
    }};
    std::unique_ptr<net::Link> link;

    Early() {
        ignoreBrokenPipes();
        const auto places = net::resolve("127.0.0.1", host.port()).value();
        link = net::Link::connect(places.front(), "", Millis(10'000), nullptr).value();
        EXPECT_EQ(link->readLine(100, Millis(10'000), nullptr).value(), "one");
    }
    ~Early() { link.reset(); }
};

const std::string kFlood(32 << 20, 'x');  // more than the system keeps for us

TEST(Link, AnswersThatAreExpectedDoNotEndAWrite) {
    Early early;
    const auto sent = early.link->write(
        kFlood, Millis(20'000), [&] { early.read = true; }, net::Link::Meanwhile::Answers);
    early.read = true;
    EXPECT_TRUE(sent.ok()) << sent.error().text;
    EXPECT_EQ(early.link->readLine(100, Millis(10'000), nullptr).value(), "two");
}

TEST(Link, NothingIsWrittenBehindAWriteThatFailed) {
    Early early;
    const auto sent = early.link->write(kFlood, Millis(20'000), nullptr);
    ASSERT_FALSE(sent.ok());
    EXPECT_EQ(sent.error().code, Errc::Exists);
    const std::uint64_t before = early.link->handedBytes();
    early.read = true;
    const auto more = early.link->write("QUIT\r\n", Millis(10'000), nullptr);
    ASSERT_FALSE(more.ok());
    EXPECT_EQ(more.error().code, Errc::Unavailable);
    EXPECT_EQ(early.link->handedBytes(), before);
    EXPECT_EQ(early.link->readLine(100, Millis(10'000), nullptr).value(), "two") << "it can still be read";
}

}  // namespace
}  // namespace postern::adapters
