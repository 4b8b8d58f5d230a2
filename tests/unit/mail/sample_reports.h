#pragma once
// Delivery reports of each kind, and of hostile facts.

#include <map>
#include <string>

#include "mail/report.h"
#include "tests/unit/mail/samples.h"

namespace postern::mail::tests {

inline const std::string kHeader = wire(
    "Received: from client by gw.example.org; Fri, 20 Nov 2026 14:00:00 +0000\nFrom: Anna "
    "<anna@example.com>\n"
    "To: list@legacy.example\nSubject: Quarterly figures\nMessage-ID: <q3@example.com>\n");

inline Report base(ReportKind kind = ReportKind::Failed) {
    Report report;
    report.kind = kind;
    report.hostname = "gw.example.org";
    report.from = "Mail Delivery System <postmaster@gw.example.org>";
    report.to = "anna@example.com";
    report.id = "report.7.4.abcdefghijkl";
    report.date = fromMillis(1'795'000'000'000);
    report.sender = "anna@example.com";
    report.arrival = fromMillis(1'794'990'000'000);
    report.envelopeId = "QQ314159";
    report.recipients = {
        {"bob@legacy.example", "rfc822;Bob+2Bx@other.example", "5.1.1", "there is no mailbox BOB at PO1"}};
    report.header = kHeader;
    report.body = "The figures.\r\n";
    report.returned = Returned::Whole;
    return report;
}

inline std::map<std::string, Report> goldenReports() {
    std::map<std::string, Report> all;
    all["failed"] = base();
    all["delayed"] = base(ReportKind::Delayed);
    all["delayed"].recipients[0].status.clear();
    all["delayed"].recipients[0].reason = "the drop folder /srv/drop is not mounted";
    all["delayed"].returned = Returned::Header;
    all["delayed"].until = fromMillis(1'795'400'000'000);
    all["held"] = all["delayed"];
    all["held"].until.reset();
    all["delivered"] = base(ReportKind::Delivered);
    all["delivered"].recipients[0] = {"bob@legacy.example", "", "", ""};
    all["delivered"].returned = Returned::Header;
    all["relayed"] = all["delivered"];
    all["relayed"].kind = ReportKind::Relayed;
    all["over_the_limit"] = base();
    all["over_the_limit"].returned = Returned::Header;
    all["over_the_limit"].remark = "It has 10 MiB; mail over 48.8 KiB does not come back whole.";
    all["nothing_returned"] = base();
    all["nothing_returned"].header.clear();
    all["nothing_returned"].remark = "It can not be read any more.";
    all["postmaster_copy"] = base();
    all["postmaster_copy"].copy = true;
    all["postmaster_copy"].sender.clear();
    all["postmaster_copy"].to = "postmaster@legacy.example";
    all["postmaster_copy"].returned = Returned::Header;
    Report& utf8 = all["utf8_addresses"] = base();
    utf8.utf8 = true;
    utf8.to = utf8.sender = "jürgen@bücher.example";
    utf8.recipients = {{"δοκιμή@παράδειγμα.example", "", "5.1.1", "kein Postfach für δοκιμή"}};
    utf8.header = wire("From: jürgen@bücher.example\nSubject: Grüße\n");
    Report& hostile = all["hostile"] = base();
    const std::string reason = "first\r\nAction: delivered\r\n\r\n--=_report.7.4.abcdefghijkl" +
                               std::string(1, '\0') + "\x1b[31m\xff " + std::string(3000, 'x');
    hostile.recipients = {{"a@b.example", "rfc822;a+0D+0AAction:+20delivered@b", "9.9.9\r\n", reason}};
    hostile.body = wire("--=_report.7.4.abcdefghijkl\nFrom here\n.\n");
    Report& several = all["three_failed"] = base();
    several.recipients.push_back({"carol@legacy.example", "", "", ""});
    several.recipients.push_back({"dave@legacy.example", "", "4.4.7", "not delivered within 5d"});
    return all;
}

}  // namespace postern::mail::tests
