#include "connector/config/send_windows.h"

#include <gtest/gtest.h>

namespace postern::config {
namespace {

constexpr const char* kBerlin = "CET-1CEST,M3.5.0,M10.5.0/3";
constexpr const char* kNewYork = "EST5EDT,M3.2.0,M11.1.0";

// "2026-03-29 01:30" in UTC.
WallTime at(const std::string& text) {
    int year = 0, hour = 0, minute = 0;
    unsigned month = 0, day = 0;
    std::sscanf(text.c_str(), "%d-%u-%u %d:%d", &year, &month, &day, &hour, &minute);
    return std::chrono::sys_days(std::chrono::year(year) / month / day) + std::chrono::hours(hour) +
           std::chrono::minutes(minute);
}

SendWindows windowsOf(std::vector<const char*> texts, const char* rule) {
    std::vector<SendWindow> windows;
    for (const char* text : texts) {
        const auto window = parseSendWindow(text);
        EXPECT_TRUE(window.ok()) << text;
        if (window.ok()) windows.push_back(*window);
    }
    return {std::move(windows), TimeZone::fromRule("Here", rule).value()};
}

struct Row {
    std::vector<const char*> windows;
    const char* rule;
    const char* now;
    const char* opens;  // the same: open now
};

TEST(SendWindows, OpenWhenTheWallClockThereShowsIt) {
    const Row rows[] = {
        {{"Mon-Fri 08:00-18:00"}, "UTC0", "2026-11-20 07:59", "2026-11-20 08:00"},
        {{"Mon-Fri 08:00-18:00"}, "UTC0", "2026-11-20 08:00", "2026-11-20 08:00"},
        {{"Mon-Fri 08:00-18:00"}, "UTC0", "2026-11-20 17:59", "2026-11-20 17:59"},
        {{"Mon-Fri 08:00-18:00"}, "UTC0", "2026-11-20 18:00", "2026-11-23 08:00"},  // a Friday
        {{"Mon-Fri 08:00-18:00"}, kBerlin, "2026-11-20 17:00", "2026-11-23 07:00"},
        {{"mon-FRI 08:00-18:00"}, kBerlin, "2026-07-04 12:00", "2026-07-06 06:00"},  // summer time
        {{"Fri-Mon 10:00-11:00"}, "UTC0", "2026-11-24 09:00", "2026-11-27 10:00"},
        {{"Tue 10:00-11:00", "Wed 09:00-10:00"}, "UTC0", "2026-11-24 11:00", "2026-11-25 09:00"},
        // Over midnight: the day is the one on which it begins.
        {{"Sat,Sun 22:00-06:00"}, "UTC0", "2026-11-21 21:59", "2026-11-21 22:00"},
        {{"Sat,Sun 22:00-06:00"}, "UTC0", "2026-11-22 05:59", "2026-11-22 05:59"},
        {{"Sat,Sun 22:00-06:00"}, "UTC0", "2026-11-22 06:00", "2026-11-22 22:00"},
        {{"Sat,Sun 22:00-06:00"}, "UTC0", "2026-11-23 05:59", "2026-11-23 05:59"},
        {{"Sat,Sun 22:00-06:00"}, "UTC0", "2026-11-23 06:00", "2026-11-28 22:00"},
        {{"Sat 22:00-24:00"}, "UTC0", "2026-11-22 00:00", "2026-11-28 22:00"},
        {{"00:00-24:00"}, "UTC0", "2026-11-22 00:00", "2026-11-22 00:00"},
        // The hour that spring skips: 02:00 to 03:00 in Berlin on 29 March, in New York on 8 March.
        {{"02:30-04:00"}, kBerlin, "2026-03-29 00:59", "2026-03-29 01:00"},  // 03:00 is the first inside
        {{"02:00-03:00"}, kBerlin, "2026-03-29 00:30", "2026-03-30 00:00"},
        {{"Sun 02:15-02:45"}, kBerlin, "2026-03-29 00:30", "2026-04-05 00:15"},
        {{"02:30-04:00"}, kNewYork, "2026-03-08 06:59", "2026-03-08 07:00"},
        {{"02:00-03:00"}, kNewYork, "2026-03-08 06:30", "2026-03-09 06:00"},
        {{"Sun 23:00-04:00"}, kNewYork, "2026-03-09 02:59", "2026-03-09 03:00"},
        // The hour that autumn has twice: 02:00 to 03:00 in Berlin on 25 October, 01:00 to 02:00 in New York.
        {{"02:30-02:45"}, kBerlin, "2026-10-25 00:29", "2026-10-25 00:30"},
        {{"02:30-02:45"}, kBerlin, "2026-10-25 00:45", "2026-10-25 01:30"},
        {{"02:30-02:45"}, kBerlin, "2026-10-25 01:45", "2026-10-26 01:30"},
        {{"02:00-02:30"}, kBerlin, "2026-10-25 00:40", "2026-10-25 01:00"},  // the clock jumps back into it
        {{"01:30-01:45"}, kNewYork, "2026-11-01 05:45", "2026-11-01 06:30"},
        {{"08:00-18:00"}, kBerlin, "2026-10-24 20:00", "2026-10-25 07:00"},
        // A jump tomorrow is no opening before a window of today.
        {{"00:30-00:45", "03:00-04:00"}, kBerlin, "2026-03-28 12:00", "2026-03-28 23:30"},
    };
    for (const Row& row : rows) {
        const SendWindows windows = windowsOf(row.windows, row.rule);
        const auto opens = windows.opens(at(row.now));
        ASSERT_TRUE(opens.has_value()) << row.windows[0] << " " << row.now;
        EXPECT_EQ(formatUtc(*opens), formatUtc(at(row.opens)))
            << row.windows[0] << " " << row.rule << " " << row.now;
        EXPECT_EQ(windows.open(at(row.now)), at(row.now) == at(row.opens))
            << row.windows[0] << " " << row.now;
    }
}

// Minute by minute over both changes of a year: opens() finds exactly what open() says.
TEST(SendWindows, TheNextOpeningIsTheFirstOpenMinute) {
    for (const char* rule : {kBerlin, kNewYork, "AEST-10AEDT,M10.1.0,M4.1.0/3"})
        for (const auto& texts : std::vector<std::vector<const char*>>{
                 {"Mon-Fri 08:00-18:00"}, {"Sat,Sun 22:00-06:00", "02:17-02:48"}, {"Sun 01:30-02:30"}}) {
            const SendWindows windows = windowsOf(texts, rule);
            for (const char* from : {"2026-03-05 00:00", "2026-03-26 00:00", "2026-10-01 00:00",
                                     "2026-10-22 00:00", "2026-10-30 00:00"}) {
                std::optional<WallTime> next;
                for (WallTime now = at(from) + std::chrono::days(9); now >= at(from);
                     now -= std::chrono::minutes(1)) {
                    if (windows.open(now)) next = now;
                    if (!next || now.time_since_epoch() % std::chrono::minutes(37) != Millis(0)) continue;
                    ASSERT_EQ(formatUtc(windows.opens(now).value_or(WallTime())), formatUtc(*next))
                        << texts[0] << " " << rule << " " << formatUtc(now);
                }
            }
        }
}

TEST(SendWindows, NoneIsAlwaysOpen) {
    EXPECT_TRUE(SendWindows().open(at("2026-11-22 00:00")));
    EXPECT_EQ(SendWindows().opens(at("2026-11-22 00:00")), at("2026-11-22 00:00"));
}

TEST(SendWindows, TheMomentIsSaidAsTheClockThereShowsIt) {
    const SendWindows windows({}, TimeZone::fromRule("Europe/Berlin", kBerlin).value());
    EXPECT_EQ(windows.text(at("2026-11-23 07:00")), "2026-11-23 08:00 Europe/Berlin");
}

TEST(SendWindows, WhatIsNoneIsRefused) {
    for (const char* text : {"", "Mon", "Mon 8-18", "Mon 08:00", "Mun 08:00-18:00", "Mon-Fri 08:00-25:00",
                             "Mon 08:60-09:00", "Mon 08:00-08:00", "24:00-06:00", "Mon Tue 08:00-09:00",
                             "Mon- 08:00-09:00", "Mon,,Tue 08:00-09:00", "-1:00-09:00"})
        EXPECT_FALSE(parseSendWindow(text).ok()) << text;
}

}  // namespace
}  // namespace postern::config
