// Theme J: who is told what became of a mail, with a real store, queue and reporter.
#include <set>

#include <gmock/gmock.h>

#include "adapters/outcome.h"
#include "connector/export/settling.h"
#include "mail/report.h"
#include "tests/kit/platform.h"
#include "tests/regress/exported.h"
#include "tests/regress/mails.h"
#include "tests/unit/reports/report_desk.h"

namespace postern::tests {
namespace {

using queue::State;
using reports::ReportDesk;
using reports::to;
using testing::Contains;
using testing::ElementsAre;
using testing::EndsWith;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;

// The value of the first field of that name.
std::string fieldOf(const std::string& bytes, const std::string& name) {
    const auto at = bytes.find("\n" + name + ": ");
    if (bytes.starts_with(name + ": "))
        return bytes.substr(name.size() + 2, bytes.find("\r\n") - name.size() - 2);
    if (at == std::string::npos) return {};
    const auto begin = at + name.size() + 3;
    return bytes.substr(begin, bytes.find("\r\n", begin) - begin);
}

TEST(Regress, Q184624_a_report_names_who_failed_and_brings_the_mail_with_its_files) {
    ReportDesk desk;
    const std::string text = wire(
        "--b\nContent-Type: text/plain\n\nthe text\n--b\nContent-Type: application/octet-stream\n"
        "Content-Transfer-Encoding: base64\nContent-Disposition: attachment; filename=figures.xls\n\n"
        "AAECAwQFBgcICQ==\n--b--\n");
    const std::string header = wire(
        "From: anna@home.example\nSubject: figures\nMIME-Version: 1.0\n"
        "Content-Type: multipart/mixed; boundary=b\n");
    desk.post({.recipients = {to("a@legacy.example"), to("b@legacy.example"), to("c@legacy.example")},
               .header = header,
               .text = text});
    ASSERT_TRUE(desk.end("legacy", {2}).ok());
    ASSERT_THAT(desk.reports(), SizeIs(1));
    const std::string bytes = desk.bytesOf(desk.reports()[0]);
    EXPECT_THAT(ReportDesk::named(bytes), ElementsAre("b@legacy.example"));
    EXPECT_THAT(bytes, Not(HasSubstr("a@legacy.example")));
    EXPECT_THAT(bytes, HasSubstr(header + "\r\n" + text));
}

// What failed is said in its own words, from the adapter to the history and the report.
TEST(Regress, Q227142_a_reason_names_the_step_that_failed) {
    SKIP_ON_WINDOWS("a folder in which something is open keeps its name");
    AdapterRig rig("drop", {});
    adapters::Job job = rig.job(1, 1);
    rig.stageJob(job);
    ASSERT_FALSE(job.outcome) << outcomeText(job);
    std::filesystem::rename(rig.folder(), rig.folder() + ".away");  // the volume is gone
    rig.publishJob(job);
    ASSERT_TRUE(job.outcome);
    EXPECT_THAT(job.outcome->reason, HasSubstr(rig.folder()));
    EXPECT_THAT(job.outcome->reason, HasSubstr("No such file"));
}

mail::Report reportOf(mail::ReportKind kind, int recipients) {
    mail::Report report;
    report.kind = kind;
    report.hostname = "gw.example.org";
    report.from = "Mail Delivery System <postmaster@gw.example.org>";
    report.to = "anna@home.example";
    report.id = "r1";
    report.sender = "anna@home.example";
    for (int i = 1; i <= recipients; ++i)
        report.recipients.push_back({"u" + std::to_string(i) + "@x.example"});
    report.header = "Subject: s\r\n";
    return report;
}

constexpr mail::ReportKind kKinds[] = {mail::ReportKind::Failed, mail::ReportKind::Delayed,
                                       mail::ReportKind::Delivered, mail::ReportKind::Relayed};

TEST(Regress, Q200032_every_text_of_a_report_is_whole) {
    std::set<std::string> texts;
    for (const mail::ReportKind kind : kKinds) {
        for (const int variant : {0, 1, 2, 3, 4, 5, 6, 7}) {
            mail::Report report = reportOf(kind, variant % 2 == 0 ? 1 : 3);
            report.copy = (variant & 2) != 0;
            if ((variant & 4) != 0) report.until = fromMillis(1'800'000'000'000);
            const std::string bytes = mail::writeReport(report).bytes;
            const auto begin = bytes.find("\r\n\r\n", bytes.find("text/plain"));
            const std::string text = bytes.substr(begin, bytes.find("\r\n--", begin) - begin);
            for (const auto& recipient : report.recipients)
                EXPECT_EQ(text.find(recipient.address), text.rfind(recipient.address)) << text;
            EXPECT_THAT(text, HasSubstr(report.hostname));
            EXPECT_THAT(text, HasSubstr("<" + report.sender + ">"));
            EXPECT_FALSE(found(text, "[%{}$]|\\.\\.| ,| \\.|null|NULL")) << text;
            texts.insert(text);
        }
    }
    EXPECT_GE(texts.size(), 12U);
}

TEST(Regress, Q156728_the_kind_of_a_report_is_in_its_field) {
    const char* const actions[] = {"failed", "delayed", "delivered", "relayed"};
    for (const mail::ReportKind kind : kKinds) {
        mail::Report report = reportOf(kind, 1);
        report.header.clear();
        report.returned = mail::Returned::Nothing;
        EXPECT_EQ(fieldOf(mail::writeReport(report).bytes, "Action"), actions[static_cast<int>(kind)]);
    }
}

std::string foreignReport(const std::string& status) {
    return wire(
        "From: <>\nTo: bob@legacy.example\nSubject: Undeliverable\nMIME-Version: 1.0\n"
        "Date: Tue, 14 Nov 2023 22:13:20 +0000\n"
        "Content-Type: multipart/report; report-type=delivery-status; boundary=b\n\n"
        "--b\nContent-Type: text/plain\n\nIt failed.\n--b\nContent-Type: message/delivery-status\n\n" +
        status + "\n--b--\n");
}

// The report, and a mail behind it, through every spool.
void passesWithTheNext(const std::string& report) {
    for (const char* kind : {"ccmail", "drop", "maildir"}) {
        AdapterRig rig(kind, {});
        adapters::Job job = rig.job(1, 1, report);
        job.delivery.sender.clear();
        EXPECT_THAT(outcomeText(rig.exportJob(std::move(job))), HasSubstr("exported")) << kind;
        EXPECT_THAT(outcomeText(rig.exportJob(rig.job(2, 1))), HasSubstr("exported")) << kind;
        EXPECT_THAT(rig.visible(), SizeIs(2)) << kind;
    }
    EXPECT_THAT(ccmailOf(report).text(), HasSubstr("It failed."));
}

TEST(Regress, Q248056_reports_with_no_or_several_recipients_are_mail_like_any_other) {
    std::string several = "Reporting-MTA: dns; far.example\n";
    passesWithTheNext(foreignReport(several));
    for (int i = 1; i <= 4; ++i)
        several += "\nFinal-Recipient: rfc822; u" + std::to_string(i) +
                   "@x.example\nAction: failed\nStatus: 5.1.1\n";
    passesWithTheNext(foreignReport(several));
    passesWithTheNext(foreignReport(""));
}

TEST(Regress, Q151785_an_odd_report_is_an_item_like_any_other) {
    passesWithTheNext(
        foreignReport("X-Unheard-Of: ?\nReporting-MTA:\nAction: exploded\n\n\n\nFinal-Recipient\n"));
    passesWithTheNext(foreignReport("Reporting-MTA: dns; \xff\xfe\x80\n\nStatus: 99999999999.x\n" +
                                    std::string(5000, 'x') + "\n"));
    passesWithTheNext(
        wire("Subject: r\nContent-Type: multipart/report; report-type=*; boundary=\"\"\n\nIt failed.\n"));
}

// Whatever the sender is called, somebody is told or the history says why not; and no item is lost.
TEST(Regress, Q177793_every_failure_has_a_report_or_a_word_and_the_counts_balance) {
    ReportDesk desk;
    const std::vector<std::string> senders = {"anna@home.example",
                                              "\"anna \"@home.example",
                                              "/C=DE/A=X/S=Y/@home.example",
                                              "a%b@home.example",
                                              "far@elsewhere.example",
                                              "\"\\\"\"@home.example",
                                              std::string(64, 'a') + "@home.example",
                                              "anna",
                                              ""};
    int posted = 0, told = 0, words = 0;
    for (const std::string& sender : senders) {
        for (const char* notify : {"", "failure", "never"}) {
            const auto before = desk.reports().size();
            const ItemId item = desk.post({.sender = sender, .recipients = {to("a@legacy.example", notify)}});
            ++posted;
            ASSERT_TRUE(desk.end("legacy", {1}).ok()) << sender;
            EXPECT_EQ(desk.state(item), State::Failed) << sender;
            const bool reported = desk.reports().size() > before + (sender.empty() ? 1 : 0);
            const bool said = desk.history(item).find("not reported: ") != std::string::npos;
            EXPECT_NE(reported, said) << sender << " " << notify << "\n" << desk.history(item);
            told += reported ? 1 : 0;
            words += said ? 1 : 0;
        }
    }
    EXPECT_EQ(told + words, posted);
    EXPECT_GE(told, 12);
    const auto counts = desk.office_.states();
    EXPECT_EQ(counts.at(State::Failed), posted);
    EXPECT_EQ(counts.at(State::Ready), told) << "the reports wait";
    EXPECT_EQ(counts.size(), 2U);
}

TEST(Regress, Q267245_an_error_of_unknown_kind_is_temporary) {
    queue::Claim claim;
    claim.attempts = 1;
    claim.expires = fromMillis(1'000'000'000);
    claim.recipients = {to("a@legacy.example")};
    const auto kindOf = [&](const adapters::Outcome& outcome) {
        return exporting::settlementFor(claim, outcome, fromMillis(0), {}, fromMillis(0)).kind;
    };
    EXPECT_EQ(kindOf({}), queue::Settlement::Kind::Deferred) << "an outcome that says nothing";
    for (const Errc code : {Errc::NotFound, Errc::Exists, Errc::Busy, Errc::Denied, Errc::NoSpace, Errc::Io,
                            Errc::Corrupt, Errc::Invalid, Errc::Unavailable, Errc::Stopped, Errc::Internal})
        EXPECT_EQ(kindOf(adapters::deferred(fail(code, "x"))), queue::Settlement::Kind::Deferred)
            << static_cast<int>(code);
    EXPECT_EQ(kindOf(adapters::unusable("x")), queue::Settlement::Kind::Deferred);
    EXPECT_EQ(kindOf(adapters::rejected("x")), queue::Settlement::Kind::Failed) << "only who says so";
}

TEST(Regress, Q182010_every_report_is_from_the_one_postmaster) {
    ReportDesk desk;
    desk.config_.reports.postmaster = "postmaster@home.example";
    desk.configure();
    desk.post({.recipients = {to("a@legacy.example")}});
    ASSERT_TRUE(desk.end("legacy", {1}).ok());
    desk.post({.recipients = {to("b@legacy.example", "success")}});
    ASSERT_TRUE(desk.end("legacy", {}).ok());
    desk.post({.recipients = {to("c@legacy.example")}});
    desk.clock_.advance(Millis{7'200'000});
    ItemId walked;
    ASSERT_TRUE(desk.queue_->tellDelays(walked, Millis{3'600'000}, 100).ok());
    ASSERT_THAT(desk.reports(), SizeIs(4));  // failure and its copy, success, delay
    for (const queue::ItemRow& row : desk.reports())
        EXPECT_EQ(fieldOf(desk.bytesOf(row), "From"), "Mail Delivery System <postmaster@home.example>");

    desk.config_.reports = {};
    desk.configure();
    desk.post({.recipients = {to("d@legacy.example")}}, "home");
    ASSERT_TRUE(desk.queue_->claim("home", 5).ok());  // the reports, out of the way
    desk.post({.recipients = {to("e@legacy.example")}}, "other");
    ASSERT_TRUE(desk.end("other", {1}).ok());
    EXPECT_EQ(fieldOf(desk.bytesOf(desk.reports().back()), "From"),
              "Mail Delivery System <postmaster@gw.example.org>");
}

// Receipts were given that nobody asked for, or of another kind than was asked for.
TEST(Regress, Q195038_nobody_gets_a_receipt_nobody_asked_for) {
    const char* const headers[] = {
        "",
        "Disposition-Notification-To: anna@home.example\r\nReturn-Receipt-To: anna@home.example\r\n"
        "X-Confirm-Reading-To: anna@home.example\r\nReturn-Receipt-To:\r\n"};
    for (const char* header : headers) {
        for (const char* adapter : {"legacy", "home"}) {
            for (const char* notify : {"", "never", "failure", "delay", "success", "success,failure,delay"}) {
                ReportDesk desk;
                desk.post({.recipients = {to("a@legacy.example", notify)},
                           .header = "Subject: x\r\n" + std::string(header)},
                          adapter);
                ASSERT_TRUE(desk.end(adapter, {}).ok());
                const bool asked = std::string_view(notify).starts_with("success");
                ASSERT_THAT(desk.reports(), SizeIs(asked ? 1 : 0)) << header << adapter << " " << notify;
                if (!asked) continue;
                EXPECT_EQ(fieldOf(desk.bytesOf(desk.reports()[0]), "Action"),
                          adapter == std::string("home") ? "delivered" : "relayed");
            }
        }
    }
}

TEST(Regress, Q153940_a_report_goes_to_the_sender_as_received) {
    for (const std::string sender :
         {"Anna.Lee+tag@HOME.example", "\"Odd Sender\"@home.example", "o'hara=x@home.example"}) {
        ReportDesk desk;
        desk.config_.reports.adapter = "home";  // it is down: nothing claims from it
        desk.configure();
        desk.post(
            {.sender = sender,
             .recipients = {to("a@legacy.example")},
             .header = "From: Somebody Else <else@where.example>\r\nReply-To: third@where.example\r\n"});
        ASSERT_TRUE(desk.end("legacy", {1}).ok());
        ASSERT_THAT(desk.reports(), SizeIs(1)) << sender;
        EXPECT_EQ(desk.reports()[0].firstRecipient, sender);
        EXPECT_EQ(desk.reports()[0].state, State::Ready);
        EXPECT_EQ(fieldOf(desk.bytesOf(desk.reports()[0]), "To"), "<" + sender + ">");
    }
}

TEST(Regress, Q151792_every_recipient_has_its_row) {
    ReportDesk desk;
    const ItemId item = desk.post(
        {.recipients = {to("a@legacy.example"), to("b@legacy.example"), to("one-off@far.example")}});
    ASSERT_TRUE(desk.end("legacy", {3}).ok());
    std::vector<std::string> rows;
    desk.read([&](store::ReadSession& session) -> Result<void> {
        POSTERN_LET(found, queue::readRecipients(session, item));
        for (const auto& row : found) rows.push_back(row.address + " " + row.outcome);
        return {};
    });
    EXPECT_THAT(rows, ElementsAre("a@legacy.example exported", "b@legacy.example exported",
                                  "one-off@far.example failed"));
    EXPECT_THAT(desk.history(item), HasSubstr("one-off@far.example"));
}

// A report that broke the limits its mail had broken was never sent.
TEST(Regress, Q246051_reports_are_exempt_from_limits_and_rules) {
    ReportDesk desk;
    config::Rule rule;
    rule.name = "no-nulls";
    rule.sender = "<>";
    rule.action = config::RuleAction::Reject;
    std::vector<routing::Target> targets;
    for (const auto& [name, adapter] : desk.adapters_)
        targets.push_back({name, adapter.get(), routing::Target{}.maximumAge, 10});
    desk.reporter_.use(
        std::make_shared<const routing::Router>(desk.config_.routes, targets, std::vector{rule}),
        desk.config_);
    desk.post({.recipients = {to("a@legacy.example")}});
    ASSERT_TRUE(desk.end("legacy", {1}).ok());
    ASSERT_THAT(desk.reports(), SizeIs(1));
    ASSERT_TRUE(desk.end("home", {}).ok());
    EXPECT_EQ(desk.reports()[0].state, State::Exported);
}

TEST(Regress, Q272672_33000_recipients_fail_and_one_report_names_them_all) {
    constexpr int kMany = 33'000;
    ReportDesk desk;
    reports::Mail mail;
    std::vector<int> all;
    for (int i = 1; i <= kMany; ++i) {
        mail.recipients.push_back(to("m" + std::to_string(i) + "@legacy.example"));
        all.push_back(i);
    }
    const ItemId item = desk.post(mail);
    ASSERT_TRUE(desk.end("legacy", all).ok());
    EXPECT_EQ(desk.state(item), State::Failed);
    ASSERT_THAT(desk.reports(), SizeIs(1));
    const auto named = ReportDesk::named(desk.bytesOf(desk.reports()[0]));
    ASSERT_THAT(named, SizeIs(kMany));
    EXPECT_EQ(named.back(), "m33000@legacy.example");
    EXPECT_LT(desk.history(item).size(), 5000U) << "a line names the first and counts the others";
}

}  // namespace
}  // namespace postern::tests
