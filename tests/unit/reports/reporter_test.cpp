// Who is told what.
#include <gmock/gmock.h>

#include "queue/outbox.h"
#include "tests/unit/reports/report_desk.h"

namespace postern::reports {
namespace {

using queue::State;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;

class ReporterTest : public testing::Test, protected ReportDesk {};

// Q121733: recipient k of 5 fails, for each k: one report for k.
TEST_F(ReporterTest, Q121733_recipient_k_of_5_fails) {
    for (int k = 1; k <= 5; ++k) {
        SCOPED_TRACE(k);
        Mail mail;
        for (int i = 1; i <= 5; ++i)
            mail.recipients.push_back(to("u" + std::to_string(i) + "@legacy.example"));
        const ItemId item = post(mail);
        ASSERT_THAT(*end("legacy", {k}), ElementsAre(item));
        EXPECT_EQ(state(item), State::Exported);
        ASSERT_THAT(reports(), SizeIs(k));
        const queue::ItemRow report = reports().back();
        EXPECT_EQ(report.adapter, "home");
        EXPECT_EQ(report.firstRecipient, "anna@home.example");
        const std::string bytes = bytesOf(report);
        EXPECT_THAT(named(bytes), ElementsAre("u" + std::to_string(k) + "@legacy.example"));
        EXPECT_THAT(bytes, HasSubstr("no user " + std::to_string(k)));
        EXPECT_THAT(bytes, HasSubstr("Status: 5.1.1\r\n"));
        EXPECT_THAT(bytes, HasSubstr("the text"));
        EXPECT_THAT(history(item), HasSubstr("reported: failure of u" + std::to_string(k) + "@"));
    }
}

// Q152891: exactly those that failed, never the list.
TEST_F(ReporterTest, Q152891_of_450_members_7_fail) {
    Mail mail;
    for (int i = 1; i <= 450; ++i) mail.recipients.push_back(to("m" + std::to_string(i) + "@legacy.example"));
    post(mail);
    const std::vector<int> failed = {1, 63, 64, 255, 256, 400, 450};
    ASSERT_TRUE(end("legacy", failed).ok());
    ASSERT_THAT(reports(), SizeIs(1));
    std::vector<std::string> wanted;
    for (const int each : failed) wanted.push_back("m" + std::to_string(each) + "@legacy.example");
    EXPECT_EQ(named(bytesOf(reports()[0])), wanted);
}

TEST_F(ReporterTest, AReportThatCanNotBeStoredLeavesTheFailureUnsettled) {
    const ItemId item = post({.recipients = {to("a@legacy.example")}});
    failTelling_ = true;
    EXPECT_FALSE(end("legacy", {1}).ok());
    EXPECT_EQ(state(item), State::Publishing);
    EXPECT_THAT(reports(), IsEmpty());
    EXPECT_THAT(history(item), Not(HasSubstr("failed")));
}

TEST_F(ReporterTest, NotifyAndTheNullSender) {
    post({.recipients = {to("a@legacy.example", "never"), to("b@legacy.example", "success"),
                         to("c@legacy.example", "failure"), to("d@legacy.example")}});
    ASSERT_TRUE(end("legacy", {1, 2, 3, 4}).ok());
    ASSERT_THAT(reports(), SizeIs(1));
    EXPECT_THAT(named(bytesOf(reports()[0])), ElementsAre("c@legacy.example", "d@legacy.example"));

    const ItemId silent = post({.recipients = {to("a@legacy.example", "never")}});
    ASSERT_TRUE(end("legacy", {1}).ok());
    EXPECT_THAT(history(silent), HasSubstr("not reported: the sender asked not to be told"));
    EXPECT_THAT(reports(), SizeIs(1));
}

TEST_F(ReporterTest, MailWithoutSenderIsToldToThePostmasterOnly) {
    const ItemId first = post({.sender = "", .recipients = {to("a@legacy.example")}});
    ASSERT_TRUE(end("legacy", {1}).ok());
    EXPECT_THAT(reports(), SizeIs(1));  // the mail itself has no sender
    EXPECT_THAT(history(first), HasSubstr("not reported: the mail has no sender"));

    config_.reports.postmaster = "Postmaster@home.example";
    configure();
    post({.sender = "", .recipients = {to("a@legacy.example")}});
    ASSERT_TRUE(end("legacy", {1}).ok());
    ASSERT_THAT(reports(), SizeIs(3));
    EXPECT_EQ(reports().back().firstRecipient, "Postmaster@home.example");
    EXPECT_THAT(bytesOf(reports().back()), Not(HasSubstr("the text")));
}

TEST_F(ReporterTest, TheLastAttemptsTroubleIsForThePostmasterOnly) {
    config_.reports.postmaster = "postmaster@home.example";
    configure();
    post({.recipients = {to("a@legacy.example")}});
    ASSERT_TRUE(end("legacy", {1}, "not delivered within 5d; last: /srv/po: Not a directory").ok());
    ASSERT_THAT(reports(), SizeIs(2));
    for (const queue::ItemRow& row : reports()) {
        EXPECT_THAT(bytesOf(row), HasSubstr("not delivered within 5d"));
        EXPECT_EQ(bytesOf(row).find("/srv/po") != std::string::npos,
                  row.firstRecipient == "postmaster@home.example");
    }
}

// Q178436, Q175447: what can not be delivered ends; no report breeds another.
TEST_F(ReporterTest, Q178436_failing_reports_end_with_the_postmaster) {
    config_.reports.postmaster = "postmaster@home.example";
    configure();
    post({.recipients = {to("a@legacy.example")}});
    ASSERT_TRUE(end("legacy", {1}).ok());
    ASSERT_THAT(reports(), SizeIs(2));  // to the sender, and a copy
    for (int round = 0; round < 5; ++round) (void)end("home", {1});
    EXPECT_THAT(reports(), SizeIs(3));  // and one of the sender's report that failed
    for (const queue::ItemRow& row : reports()) EXPECT_EQ(row.state, State::Failed);
}

TEST_F(ReporterTest, TwiceToldOfNothing) {
    const ItemId item = post({.recipients = {to("a@legacy.example"), to("b@legacy.example")}});
    ASSERT_TRUE(end("legacy", {1, 2}).ok());
    EXPECT_THAT(reports(), SizeIs(1));
    write([&](store::WriteSession& session) {
        return queue::tellFailed(session, queue_->options().tell, item, clock_.now(), "");
    });
    EXPECT_THAT(reports(), SizeIs(1));
    operate(queue::Verb::Retry, item);  // a new attempt: its end is told of again
    ASSERT_TRUE(end("legacy", {1, 2}).ok());
    ASSERT_THAT(reports(), SizeIs(2));
    EXPECT_NE(reports()[0].headerId, reports()[1].headerId);
}

TEST_F(ReporterTest, BounceTellsTheSender) {
    const ItemId ready = post({.recipients = {to("a@legacy.example")}});
    operate(queue::Verb::Bounce, ready);
    EXPECT_EQ(state(ready), State::Failed);
    ASSERT_THAT(reports(), SizeIs(1));
    EXPECT_THAT(bytesOf(reports()[0]), HasSubstr("because"));
    operate(queue::Verb::Bounce, ready);  // once more, because an operator says so
    EXPECT_THAT(reports(), SizeIs(2));
    const ItemId gone = post({.recipients = {to("b@legacy.example")}});
    operate(queue::Verb::Delete, gone);
    EXPECT_THAT(reports(), SizeIs(2));
}

TEST_F(ReporterTest, SuccessIsToldToWhoAsked) {
    post({.recipients = {to("a@legacy.example", "success"), to("b@legacy.example")}});
    ASSERT_TRUE(end("legacy", {}).ok());
    ASSERT_THAT(reports(), SizeIs(1));
    EXPECT_THAT(named(bytesOf(reports()[0])), ElementsAre("a@legacy.example"));
    EXPECT_THAT(bytesOf(reports()[0]), HasSubstr("Action: relayed"));
    ASSERT_TRUE(end("home", {}).ok());  // the report itself asks for nothing
    post({.recipients = {to("c@home.example", "success")}}, "home");
    ASSERT_TRUE(end("home", {}).ok());
    ASSERT_THAT(reports(), SizeIs(2));
    EXPECT_THAT(bytesOf(reports()[1]), HasSubstr("Action: delivered"));
}

TEST_F(ReporterTest, Q177793_a_report_without_a_way_is_never_silence) {
    config_.reports.postmaster = "postmaster@home.example";
    configure();
    const ItemId item = post({.sender = "far@elsewhere.example", .recipients = {to("a@legacy.example")}});
    ASSERT_TRUE(end("legacy", {1}).ok());
    EXPECT_EQ(state(item), State::Failed);
    EXPECT_THAT(history(item),
                HasSubstr("not reported: failure of a@legacy.example: to far@elsewhere.example: no route"));
    ASSERT_THAT(reports(), SizeIs(1));  // the postmaster hears of it
    config_.reports.adapter = "legacy";
    configure();
    operate(queue::Verb::Bounce, item);
    ASSERT_THAT(reports(), SizeIs(3));
    EXPECT_EQ(reports()[1].adapter, "legacy");
    EXPECT_EQ(reports()[2].adapter, "home");  // the postmaster by the routes
}

// A webhook that fails is told to the postmaster; were that report an event, it would fail again, and so on.
TEST_F(ReporterTest, AReportAboutAMailThatTellsOfAnEventMakesNoEvents) {
    config_.reports.postmaster = "postmaster@home.example";
    configure();
    write([](store::WriteSession& session) {
        return queue::followEvents(session, {"hook"}, {"queued", "failed"});
    });
    post({"", {to("legacy@webhook.invalid")}});
    post({"", {to("b@legacy.example")}});
    write([](store::WriteSession& session) -> Result<void> {
        POSTERN_TRY(session.run("UPDATE message SET protocol = 'event' WHERE id = 1"));
        POSTERN_TRY(session.run("DELETE FROM event"));
        return {};
    });
    const auto events = [&] {
        std::vector<queue::Event> found;
        read([&](store::ReadSession& session) -> Result<void> {
            POSTERN_LET(waiting, queue::readEvents(session, 100));
            found = std::move(waiting);
            return {};
        });
        return found.size();
    };
    ASSERT_TRUE(end("legacy", {1}).ok());
    ASSERT_THAT(reports(), SizeIs(3));
    EXPECT_EQ(reports().back().firstRecipient, "postmaster@home.example");
    EXPECT_EQ(events(), 0u);
    ASSERT_TRUE(end("legacy", {1}).ok());
    EXPECT_EQ(events(), 2u) << "its end, and the report's arrival";
}

TEST_F(ReporterTest, Q101934_what_comes_back) {
    struct Case {
        std::string ret;
        std::size_t size;
        bool whole;
    };
    for (const Case& each : {Case{"", 10'000, true}, Case{"full", 10'000, true}, Case{"hdrs", 10'000, false},
                             Case{"", 10'000'000, false}}) {
        SCOPED_TRACE(each.ret + " " + std::to_string(each.size));
        std::string text;
        while (text.size() < each.size) text += "body line\r\n";
        post({.recipients = {to("a@legacy.example")}, .text = text, .ret = each.ret});
        ASSERT_TRUE(end("legacy", {1}).ok());
        const std::string bytes = bytesOf(reports().back());
        EXPECT_EQ(bytes.find("body line") != bytes.npos, each.whole);
        EXPECT_THAT(bytes, HasSubstr("Subject: figures"));
    }
}

TEST_F(ReporterTest, Q193761_a_lost_body_makes_a_report_without_it) {
    const ItemId item = post({.recipients = {to("a@legacy.example")}});
    write([&](store::WriteSession& session) -> Result<void> {
        POSTERN_TRY(session.run("DELETE FROM body"));
        return {};
    });
    ASSERT_TRUE(end("legacy", {1}).ok());
    ASSERT_THAT(reports(), SizeIs(1)) << history(item);
    EXPECT_THAT(bytesOf(reports()[0]), HasSubstr("can not be read any more"));
}

TEST_F(ReporterTest, DelaysAreToldOnce) {
    const ItemId late = post({.recipients = {to("a@legacy.example"), to("b@legacy.example", "failure")}});
    const ItemId held = post({.recipients = {to("c@legacy.example")}});
    operate(queue::Verb::Hold, held);
    post({.recipients = {to("d@legacy.example")},
          .header = "Auto-Submitted: auto-generated\r\nSubject: robot\r\n"});
    clock_.advance(Millis{3'600'000});
    const ItemId young = post({.recipients = {to("e@legacy.example")}});
    ItemId walked;
    const Millis after{3'600'000};
    ASSERT_TRUE(queue_->tellDelays(walked, after, 100).ok());
    EXPECT_LT(walked, young);
    ASSERT_THAT(reports(), SizeIs(2));
    EXPECT_THAT(named(bytesOf(reports()[0])), ElementsAre("a@legacy.example"));
    EXPECT_THAT(bytesOf(reports()[0]), HasSubstr("Will-Retry-Until: "));
    EXPECT_THAT(bytesOf(reports()[1]), Not(HasSubstr("Will-Retry-Until: ")));
    EXPECT_THAT(bytesOf(reports()[1]), HasSubstr("has looked at it"));

    ItemId again;  // a new process begins anew and tells nobody twice
    const auto nothing = [](store::WriteSession&) -> Result<void> { return {}; };
    write(nothing);  // behind what the first walk still had to say
    const std::int64_t works = office_.store().counters().works;
    for (int step = 0; step < 10; ++step) ASSERT_TRUE(queue_->tellDelays(again, after, 1).ok());
    EXPECT_EQ(again, walked);
    EXPECT_EQ(office_.store().counters().works, works) << "who was told costs no write";
    EXPECT_THAT(reports(), SizeIs(2));
    operate(queue::Verb::Bounce, late);  // the failure is another thing, and told
    EXPECT_THAT(named(bytesOf(reports().back())), ElementsAre("a@legacy.example", "b@legacy.example"));
}

TEST_F(ReporterTest, ExpiryWhileNobodyWatchesIsReported) {
    post({.recipients = {to("a@legacy.example")}});
    clock_.advance(Millis{6LL * 24 * 3'600'000});
    ASSERT_THAT(*queue_->failExpired("legacy", 10), SizeIs(1));
    ASSERT_THAT(reports(), SizeIs(1));
    EXPECT_THAT(bytesOf(reports()[0]), HasSubstr("Status: 4.4.7"));
}

}  // namespace
}  // namespace postern::reports
