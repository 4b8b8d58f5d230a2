#include "base/clock.h"

#include <cstdlib>
#include <ctime>

#include <gtest/gtest.h>

#include "tests/fake_clock.h"

namespace postern {
namespace {

TEST(Clock, DatesAreRfc5322AndRfc3339InUtc) {
    const struct {
        std::int64_t millis;
        const char* mail;
        const char* log;
    } cases[] = {
        {0, "Thu, 1 Jan 1970 00:00:00 +0000", "1970-01-01T00:00:00Z"},
        {-1, "Wed, 31 Dec 1969 23:59:59 +0000", "1969-12-31T23:59:59Z"},
        {946'684'799'999, "Fri, 31 Dec 1999 23:59:59 +0000", "1999-12-31T23:59:59Z"},
        {946'684'800'000, "Sat, 1 Jan 2000 00:00:00 +0000", "2000-01-01T00:00:00Z"},
        {951'782'400'000, "Tue, 29 Feb 2000 00:00:00 +0000", "2000-02-29T00:00:00Z"},
        {1'709'210'096'000, "Thu, 29 Feb 2024 12:34:56 +0000", "2024-02-29T12:34:56Z"},
        {1'795'183'387'000, "Fri, 20 Nov 2026 14:03:07 +0000", "2026-11-20T14:03:07Z"},
        {2'147'483'647'000, "Tue, 19 Jan 2038 03:14:07 +0000", "2038-01-19T03:14:07Z"},
        {2'147'483'648'000, "Tue, 19 Jan 2038 03:14:08 +0000", "2038-01-19T03:14:08Z"},
        {4'107'542'399'000, "Sun, 28 Feb 2100 23:59:59 +0000", "2100-02-28T23:59:59Z"},
        {4'107'542'400'000, "Mon, 1 Mar 2100 00:00:00 +0000", "2100-03-01T00:00:00Z"},
    };
    for (const auto& c : cases) {
        EXPECT_EQ(formatRfc5322(fromMillis(c.millis)), c.mail) << c.millis;
        EXPECT_EQ(formatUtc(fromMillis(c.millis)), c.log) << c.millis;
    }
}

TEST(Clock, CivilTimeKnowsTheWeekday) {
    const CivilTime leap = civilUtc(fromMillis(951'868'799'000));  // the last second of 29 February 2000
    EXPECT_EQ(leap.year, 2000);
    EXPECT_EQ(leap.month, 2);
    EXPECT_EQ(leap.day, 29);
    EXPECT_EQ(leap.hour, 23);
    EXPECT_EQ(leap.minute, 59);
    EXPECT_EQ(leap.second, 59);
    EXPECT_EQ(leap.weekday, 2);
}

#ifndef _WIN32  // its C library has no setenv(); nothing of ours asks for a zone there
TEST(Clock, TheMachinesTimeZoneChangesNothing) {
    const char* before = std::getenv("TZ");
    const std::string kept = before ? before : "";
    ::setenv("TZ", "Pacific/Auckland", 1);
    ::tzset();
    EXPECT_EQ(formatRfc5322(fromMillis(0)), "Thu, 1 Jan 1970 00:00:00 +0000");
    EXPECT_EQ(civilUtc(fromMillis(0)).hour, 0);
    before ? ::setenv("TZ", kept.c_str(), 1) : ::unsetenv("TZ");
    ::tzset();
}
#endif

TEST(Clock, MillisecondsGoThereAndBack) {
    for (const std::int64_t millis : {0LL, -1LL, 999LL, 2'147'483'648'000LL, 9'007'199'254'740'993LL})
        EXPECT_EQ(toMillis(fromMillis(millis)), millis);
}

TEST(Clock, TheSystemClockIsNearTheSystemsTimeAndNeverRunsBackward) {
    const std::int64_t outside = static_cast<std::int64_t>(std::time(nullptr)) * 1000;
    EXPECT_NEAR(static_cast<double>(toMillis(Clock::system().now())), static_cast<double>(outside), 5000.0);
    SteadyTime last = Clock::system().steady();
    for (int i = 0; i < 1000; ++i) {
        const SteadyTime now = Clock::system().steady();
        ASSERT_GE(now, last);
        last = now;
    }
}

TEST(Clock, TheFakeOneMovesOnlyWhenTold) {
    tests::FakeClock clock(1000);
    const SteadyTime start = clock.steady();
    EXPECT_EQ(toMillis(clock.now()), 1000);
    clock.advance(Millis(50));
    EXPECT_EQ(toMillis(clock.now()), 1050);
    EXPECT_EQ(clock.steady() - start, Millis(50));
    clock.jumpWall(Millis(-500));
    EXPECT_EQ(toMillis(clock.now()), 550);
    EXPECT_EQ(clock.steady() - start, Millis(50)) << "a set clock does not move the monotonic one";
}

TEST(ClockText, TimesAreReadWithTheirOffsets) {
    const std::pair<const char*, const char*> rows[] = {
        {"2026-11-23", "2026-11-23T00:00:00Z"},
        {"2026-11-23 08:00", "2026-11-23T08:00:00Z"},
        {"2026-11-23T08:00:01Z", "2026-11-23T08:00:01Z"},
        {"2026-11-23T08:00+01:00", "2026-11-23T07:00:00Z"},
        {"2026-11-23 23:30:00-05:30", "2026-11-24T05:00:00Z"},
    };
    for (const auto& [text, wanted] : rows) {
        const auto time = parseTime(text);
        ASSERT_TRUE(time.has_value()) << text;
        EXPECT_EQ(formatUtc(*time), wanted) << text;
    }
    for (const char* text : {"", "2026", "2026-13-01", "2026-02-30", "2026-11-23 ", "2026-11-23 24:00",
                             "2026-11-23 8:00", "2026-11-23 08:00Zx", "2026-11-23 08:00+1", "2h"})
        EXPECT_FALSE(parseTime(text)) << text;
}

}  // namespace
}  // namespace postern
