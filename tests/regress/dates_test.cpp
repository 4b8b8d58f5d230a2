// Theme E: dates of every shape, from any zone, and nothing of the host's in what is written.
#include <clocale>
#include <cstdlib>
#include <ctime>
#include <locale>
#include <optional>

#include <gmock/gmock.h>

#include "base/time_zone.h"
#include "mail/header.h"
#include "mail/report.h"
#include "queue/queue.h"
#include "tests/fake_clock.h"
#include "tests/kit/post_office.h"
#include "tests/kit/variables.h"
#include "tests/regress/exported.h"
#include "tests/regress/mails.h"
#include "tests/unit/intake/house.h"

namespace postern::tests {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using testing::MatchesRegex;
using testing::Not;
using testing::SizeIs;

WallTime utc(int year, unsigned month, unsigned day, int hour = 0, int minute = 0) {
    using namespace std::chrono;
    return sys_days(std::chrono::year(year) / std::chrono::month(month) / std::chrono::day(day)) +
           hours(hour) + minutes(minute);
}

std::string dated(const std::string& date) {
    return wire("From: a@b.example\n" + (date.empty() ? "" : "Date: " + date + "\n") + "Subject: s\n\nx\n");
}

// The kinds that can be had with a folder alone.
const std::vector<std::string> kSpools = {"ccmail", "drop", "maildir"};

// The time of receipt of the rig's mails.
constexpr const char* kReceipt = "11/14/23 22:13";

// A host of another country, as the C and C++ libraries see it; what was before comes back.
class Abroad {
  public:
    Abroad(const char* locale, const char* zone) {
        for (const char* name : {"LC_ALL", "LANG", "TZ"}) keep(name);
        setVariable("LC_ALL", locale);
        setVariable("LANG", locale);
        setVariable("TZ", zone == nullptr ? std::nullopt : std::optional<std::string>(zone));
        std::setlocale(LC_ALL, "");
        takeZoneOfVariables();
        before_ = std::locale::global(std::locale(std::locale(), new Dotted));
    }
    ~Abroad() {
        std::locale::global(before_);
        for (const auto& [name, value] : kept_) setVariable(name, value);
        std::setlocale(LC_ALL, "C");
        takeZoneOfVariables();
    }
    Abroad(const Abroad&) = delete;
    Abroad& operator=(const Abroad&) = delete;

  private:
    // Streams then write 2026 as "2.0.2.6": whoever uses one shows it.
    struct Dotted : std::numpunct<char> {
        char do_thousands_sep() const override { return '.'; }
        std::string do_grouping() const override { return "\1"; }
    };
    void keep(const char* name) {
        const char* value = std::getenv(name);
        kept_.emplace_back(name, value == nullptr ? std::nullopt : std::optional<std::string>(value));
    }
    std::vector<std::pair<std::string, std::optional<std::string>>> kept_;
    std::locale before_;
};

TEST(Regress, Q165482_nothing_of_the_host_is_in_a_legacy_date) {
    const struct {
        const char* order;
        const char* wanted;
    } orders[] = {{"mdy", "6/2/98 8:39"}, {"dmy", "2/6/98 8:39"}, {"ymd", "98/6/2 8:39"}};
    for (const char* locale : {"C", "de_DE.UTF-8", "en_US.UTF-8", "ja_JP.eucJP", "pt_BR", "xx_XX"}) {
        for (const char* zone : {static_cast<const char*>(nullptr), "", "Asia/Tokyo", "QQQ+25:99", ":/none",
                                 "America/Sao_Paulo"}) {
            const Abroad abroad(locale, zone);
            for (const auto& each : orders)
                EXPECT_EQ(
                    ccmailOf(dated("Tue, 2 Jun 1998 10:39:00 +0200"), {{"date_order", each.order}}).date,
                    each.wanted)
                    << locale << " " << (zone == nullptr ? "(no TZ)" : zone);
            EXPECT_EQ(formatRfc5322(utc(1998, 6, 2, 8, 39)), "Tue, 2 Jun 1998 08:39:00 +0000") << locale;
        }
    }
}

TEST(Regress, Q170137_an_impossible_year_becomes_the_time_of_receipt) {
    const std::pair<const char*, const char*> years[] = {{"00", "1/1/00 0:00"},
                                                         {"1900", kReceipt},
                                                         {"0", kReceipt},
                                                         {"9999", kReceipt},
                                                         {"-1", kReceipt},
                                                         {"100", kReceipt},
                                                         {"99999999999999999999", kReceipt}};
    for (const auto& [year, wanted] : years) {
        const std::string mail = dated("1 Jan " + std::string(year) + " 00:00:00 +0000");
        EXPECT_EQ(ccmailOf(mail).date, wanted) << year;
        for (const std::string& kind : kSpools) {
            AdapterRig rig(kind, {});
            const adapters::Job job = rig.exportJob(rig.job(1, 1, mail));
            EXPECT_THAT(outcomeText(job), HasSubstr("exported")) << kind << " " << year;
        }
    }
}

TEST(Regress, Q233325_an_impossible_day_damages_one_field_of_one_message) {
    AdapterRig rig("ccmail", {});
    int noted = 0;
    for (int item = 1; item <= 100; ++item) {
        const bool bad = item == 50;
        adapters::Job job =
            rig.job(item, 1, dated(bad ? "31 Feb 1999 12:00:00 +0000" : "28 Feb 1999 12:00:00 +0000"));
        job = rig.exportJob(std::move(job));
        ASSERT_THAT(outcomeText(job), HasSubstr("exported"));
        noted += job.notes.empty() ? 0 : 1;
        if (!bad) continue;
        EXPECT_THAT(job.notes, testing::Contains(HasSubstr("31 Feb 1999 12:00:00 +0000")));
    }
    EXPECT_EQ(noted, 1);
    EXPECT_THAT(rig.visible(), SizeIs(100));
}

TEST(Regress, Q178094_offsets_reach_from_minus_12_to_plus_14_hours) {
    const struct {
        const char* where;
        const char* date;
        WallTime instant;
    } cases[] = {
        {"Pacific/Auckland", "15 Jan 1999 12:00:00 +1300", utc(1999, 1, 14, 23)},
        {"Pacific/Kiritimati", "15 Jan 1999 12:00:00 +1400", utc(1999, 1, 14, 22)},
        {"Pacific/Chatham", "15 Jan 1999 12:00:00 +1345", utc(1999, 1, 14, 22, 15)},
        {"Asia/Kathmandu", "15 Jan 1999 12:00:00 +0545", utc(1999, 1, 15, 6, 15)},
        {"Etc/GMT+12", "15 Jan 1999 12:00:00 -1200", utc(1999, 1, 16, 0)},
    };
    for (const auto& each : cases) {
        const auto read = mail::parseDate(each.date);
        ASSERT_TRUE(read) << each.date;
        EXPECT_EQ(*read, each.instant) << each.date << " is " << formatUtc(*read);
        const auto zone = TimeZone::load(each.where);
        ASSERT_TRUE(zone.ok()) << each.where << ": " << zone.error().text;
        EXPECT_EQ(zone->local(each.instant), utc(1999, 1, 15, 12)) << each.where;
    }
}

TEST(Regress, Q153590_zone_names_in_any_case) {
    for (const char* name : {"est", "EST", "ESt", "eSt"})
        EXPECT_EQ(mail::parseDate("20 Nov 2026 12:00:00 " + std::string(name)), utc(2026, 11, 20, 17))
            << name;
    const std::pair<const char*, int> zones[] = {{"edt", 16}, {"Cst", 18}, {"cdt", 17}, {"mst", 19},
                                                 {"MDT", 18}, {"pst", 20}, {"PDt", 19}, {"gmt", 12},
                                                 {"Ut", 12},  {"XYZ", 12}, {"Z", 12},   {"NZDT", 12}};
    for (const auto& [name, hour] : zones)
        EXPECT_EQ(mail::parseDate("20 Nov 2026 12:00:00 " + std::string(name)), utc(2026, 11, 20, hour))
            << name;
    const Abroad abroad("C", "EST5EDT");  // the host's own zone is no exception
    EXPECT_EQ(mail::parseDate("20 Nov 2026 12:00:00 est"), utc(2026, 11, 20, 17));
}

TEST(Regress, Q192054_offsets_of_two_digits_with_or_without_a_colon) {
    for (const char* offset : {"-7", "-07", "-0700", "-07:00"})
        EXPECT_EQ(mail::parseDate("20 Nov 2026 12:00:00 " + std::string(offset)), utc(2026, 11, 20, 19))
            << offset;
    EXPECT_THAT(formatRfc5322(utc(2026, 11, 20)), testing::EndsWith(" +0000"));
}

// Three days in a queue do not change when it was written, nor when it came.
TEST(Regress, Q161933_the_date_is_the_messages_and_not_that_of_the_conversion) {
    AdapterRig rig("ccmail", {});
    for (int attempt = 1; attempt <= 3; ++attempt) {
        adapters::Job job = rig.job(attempt, attempt, dated("Tue, 2 Jun 1998 08:39:00 +0000"));
        job.delivery.received += Millis(attempt * 86'400'000);
        EXPECT_EQ(exportedCcmail(rig, job).date, "6/2/98 8:39");
        adapters::Job undated = rig.job(10 + attempt, attempt, dated(""));
        undated.delivery.received = utc(1998, 6, 5, 7, 30);
        EXPECT_EQ(exportedCcmail(rig, undated).date, "6/5/98 7:30");
    }
}

TEST(Regress, Q197291_every_date_we_write_has_a_year_of_four_digits) {
    for (const int year : {1999, 2000, 2009, 2010, 2038, 2040, 2100}) {
        const std::string text = std::to_string(year);
        EXPECT_EQ(formatUtc(utc(year, 2, 10, 1, 2)), text + "-02-10T01:02:00Z");
        EXPECT_THAT(formatRfc5322(utc(year, 2, 10)), HasSubstr(" Feb " + text + " 00:00:00"));
        intake::House house;
        house.clock().jumpWall(utc(year, 2, 10) - house.clock().now());
        intake::Talk talk(house, house.acceptor(), intake::listenerOf(config::Protocol::Smtp));
        for (const char* line : {"EHLO c", "MAIL FROM:<a@b.example>", "RCPT TO:<joe@example.org>", "DATA",
                                 "Subject: s\r\n\r\nx\r\n."})
            talk.say(line);
        ASSERT_THAT(house.stored(), SizeIs(1));
        EXPECT_TRUE(found(house.stored()[0].trace, "; [A-Z][a-z]{2}, 10 Feb " + text + " "))
            << house.stored()[0].trace;
    }
    const std::string line = standardErrorLine(Severity::Info, "x");
    EXPECT_TRUE(found(line, "^(<.>|[12][0-9]{3}-[0-9]{2}-)")) << line;
}

TEST(Regress, Q154595_the_clock_may_pass_january_2038) {
    FakeClock clock(toMillis(utc(2040, 1, 2, 3, 4)));
    PostOffice office(clock);
    office.post("a", 1, 2);
    queue::Queue queue(office.store(), clock, {.owner = "us"});
    auto claims = queue.claim("a", 1);
    ASSERT_TRUE(claims.ok());
    ASSERT_THAT(*claims, SizeIs(1));
    EXPECT_GT(claims->front().leaseUntil, clock.now());
    queue::Settlement later;
    later.kind = queue::Settlement::Kind::Deferred;
    later.item = claims->front().item;
    later.epoch = claims->front().epoch;
    later.reason = "busy";
    later.due = clock.now() + Millis(60'000);
    ASSERT_TRUE(queue.settle({&later, 1}).ok());
    EXPECT_THAT(*queue.claim("a", 5), SizeIs(1)) << "the other one";
    clock.advance(Millis(60'000));
    claims = queue.claim("a", 5);
    ASSERT_THAT(*claims, SizeIs(1));
    EXPECT_EQ(claims->front().attempts, 2);
    EXPECT_EQ(ccmailOf(dated("Mon, 2 Jan 2040 03:04:00 +0000")).date, "1/2/40 3:04");
}

// Today's offset was applied to the date of another season.
TEST(Regress, Q281734_the_offset_is_that_of_the_date_itself) {
    const auto zone = TimeZone::load("Europe/Berlin");
    ASSERT_TRUE(zone.ok()) << zone.error().text;
    for (const char* host : {"Europe/Berlin", "UTC", "Australia/Sydney"}) {
        const Abroad abroad("C", host);
        EXPECT_EQ(zone->local(utc(1998, 7, 1, 12)), utc(1998, 7, 1, 14));
        EXPECT_EQ(zone->local(utc(1998, 1, 1, 12)), utc(1998, 1, 1, 13));
        const SettingMap berlin = {{"date_zone", "Europe/Berlin"}};
        EXPECT_EQ(ccmailOf(dated("1 Jul 1998 12:00:00 +0000"), berlin).date, "7/1/98 14:00") << host;
        EXPECT_EQ(ccmailOf(dated("1 Jan 1998 12:00:00 +0000"), berlin).date, "1/1/98 13:00") << host;
    }
}

TEST(Regress, Q252819_the_fields_of_a_report_are_never_empty) {
    for (const mail::ReportKind kind : {mail::ReportKind::Failed, mail::ReportKind::Delayed,
                                        mail::ReportKind::Delivered, mail::ReportKind::Relayed}) {
        mail::Report report;
        report.kind = kind;
        report.hostname = "gw.example.org";
        report.from = "Mail Delivery System <postmaster@gw.example.org>";
        report.to = "anna@home.example";
        report.id = "r1";
        report.date = utc(2026, 11, 20, 12);
        report.arrival = utc(2026, 11, 20, 11);
        report.recipients = {{"bob@legacy.example"}};  // nothing else is known
        report.returned = mail::Returned::Nothing;
        const std::string bytes = mail::writeReport(report).bytes;
        for (const char* field :
             {"Date: Fri, 20 Nov 2026 12:00:00 +0000", "Arrival-Date: Fri, 20 Nov 2026 11:00:00 +0000",
              "Reporting-MTA: dns; gw.example.org", "Final-Recipient: rfc822; bob@legacy.example",
              "Action: ", "Status: "})
            EXPECT_THAT(bytes, HasSubstr(field)) << static_cast<int>(kind);
        EXPECT_FALSE(found(bytes, "\n[A-Za-z-]+: *\r\n")) << "a field without a value";
        const auto people = bytes.substr(0, bytes.find("message/delivery-status"));
        EXPECT_THAT(people, HasSubstr("bob@legacy.example"));
    }
}

TEST(Regress, Q214565_an_unreadable_date_discards_nothing) {
    for (const char* date :
         {"garbage", "", "Tue, 30 Xyz 2023 99:99:99", "0000-00-00", "\x01\xff", "1/1/1", ":"}) {
        for (const std::string& kind : kSpools) {
            AdapterRig rig(kind, {});
            const adapters::Job job = rig.exportJob(
                rig.job(1, 1,
                        wire("From: a@b.example\nDate: " + std::string(date) +
                             "\nSubject: Read: s\nContent-Type: multipart/report; "
                             "report-type=disposition-notification; boundary=b\n\n--b\n\nread\n--b--\n")));
            EXPECT_THAT(outcomeText(job), HasSubstr("exported")) << kind << " " << date;
            EXPECT_THAT(rig.visible(), SizeIs(1));
        }
        EXPECT_EQ(ccmailOf(dated(date)).date, kReceipt) << date;
    }
}

TEST(Regress, Q119054_a_clock_ahead_delays_nothing) {
    for (const char* date : {"Fri, 20 Nov 2036 14:03:07 +0000", "1 Jan 1970 00:00:00 +0000"}) {
        intake::House house;
        intake::Talk talk(house, house.acceptor(), intake::listenerOf(config::Protocol::Smtp));
        for (const std::string& line : {std::string("EHLO c"), std::string("MAIL FROM:<a@b.example>"),
                                        std::string("RCPT TO:<joe@example.org>"), std::string("DATA"),
                                        "Date: " + std::string(date) + "\r\n\r\nx\r\n."})
            talk.say(line);
        queue::Queue queue(house.store(), house.clock(), {.owner = "us"});
        EXPECT_THAT(*queue.claim("demo", 5), SizeIs(1)) << date;
    }
}

}  // namespace
}  // namespace postern::tests
