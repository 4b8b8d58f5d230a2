#include "base/time_zone.h"

#include <gtest/gtest.h>

namespace postern {
namespace {

using std::chrono::seconds;

constexpr const char* kBerlin = "CET-1CEST,M3.5.0,M10.5.0/3";
constexpr const char* kNewYork = "EST5EDT,M3.2.0,M11.1.0";

WallTime utc(int year, unsigned month, unsigned day, int hour, int minute = 0, int second = 0) {
    using namespace std::chrono;
    return sys_days(std::chrono::year(year) / std::chrono::month(month) / std::chrono::day(day)) +
           hours(hour) + minutes(minute) + seconds(second);
}

TimeZone zoneOf(const char* rule) {
    return TimeZone::fromRule("Test", rule).value();
}

struct Moment {
    const char* rule;
    WallTime at;
    int offset;  // seconds
};

TEST(TimeZone, RulesChangeAtTheirMoments) {
    const Moment moments[] = {
        {"CET-1", utc(2026, 7, 1, 0), 3600},
        {"<-0330>3:30", utc(2026, 7, 1, 0), -12600},
        {kBerlin, utc(2026, 3, 29, 0, 59, 59), 3600},
        {kBerlin, utc(2026, 3, 29, 1), 7200},
        {kBerlin, utc(2026, 10, 25, 0, 59, 59), 7200},
        {kBerlin, utc(2026, 10, 25, 1), 3600},
        {kBerlin, utc(2026, 12, 31, 23, 30), 3600},
        {kNewYork, utc(2026, 3, 8, 6, 59, 59), -18000},
        {kNewYork, utc(2026, 3, 8, 7), -14400},
        {kNewYork, utc(2026, 11, 1, 5, 59, 59), -14400},
        {kNewYork, utc(2026, 11, 1, 6), -18000},
        // South of the equator summer lasts over the new year.
        {"AEST-10AEDT,M10.1.0,M4.1.0/3", utc(2026, 1, 1, 0), 39600},
        {"AEST-10AEDT,M10.1.0,M4.1.0/3", utc(2026, 7, 1, 0), 36000},
        // Half an hour, and days by number.
        {"<+1030>-10:30<+11>-11,M10.1.0,M4.1.0", utc(2026, 1, 1, 0), 39600},
        {"A0BB", utc(2026, 1, 1, 0), -1},
        {"XXX0YYY,J60/0,J61/0", utc(2028, 3, 1, 12), 3600},
        {"XXX0YYY,J60/0,J61/0", utc(2028, 2, 29, 12), 0},
        {"XXX0YYY,59/0,60/0", utc(2028, 2, 29, 12), 3600},
        // Begins the day before, as Greenland's does.
        {"<-02>2<-01>,M3.5.0/-1,M10.5.0/0", utc(2026, 3, 29, 0, 59, 59), -7200},
        {"<-02>2<-01>,M3.5.0/-1,M10.5.0/0", utc(2026, 3, 29, 1), -3600},
    };
    for (const Moment& each : moments) {
        const auto zone = TimeZone::fromRule("Test", each.rule);
        if (each.offset == -1) {
            EXPECT_FALSE(zone.ok()) << each.rule;
            continue;
        }
        ASSERT_TRUE(zone.ok()) << each.rule << ": " << zone.error().text;
        EXPECT_EQ(zone->offsetAt(each.at), seconds(each.offset)) << each.rule << " " << formatUtc(each.at);
    }
}

TEST(TimeZone, WhatIsNoRuleIsRefused) {
    for (const char* text :
         {"", "CET", "C-1", "CET-1CEST", "CET-25", "CET-1CEST,M3.5.0", "CET-1CEST,M13.1.0,M1.1.0",
          "CET-1CEST,M3.6.0,M10.5.0", "CET-1CEST,M3.5.7,M10.5.0", "CET-1CEST,M3.5.0,M10.5.0/168",
          "CET-1CEST,J0,J1", "CET-1CEST,M3.5.0,M10.5.0 ", "<CET-1", "CET-1:60"})
        EXPECT_FALSE(parseZoneRule(text).ok()) << text;
}

std::string big(std::int64_t value, int width) {
    std::string bytes;
    for (int i = width - 1; i >= 0; --i) bytes += static_cast<char>(value >> (8 * i) & 0xff);
    return bytes;
}

std::string header(char version, std::size_t times, std::size_t types) {
    return std::string("TZif") + version + std::string(15, '\0') + big(0, 4) + big(0, 4) + big(0, 4) +
           big(static_cast<std::int64_t>(times), 4) + big(static_cast<std::int64_t>(types), 4) + big(4, 4);
}

std::string type(int offset) {
    return big(offset, 4) + std::string(2, '\0');
}

// Two changes and a rule behind them.
std::string zoneFile() {
    std::string bytes = header('2', 0, 1) + type(0) + std::string("LMT\0", 4);
    bytes += header('2', 2, 3) + big(-1'000'000, 8) + big(1'000'000, 8) + std::string("\1\2", 2);
    bytes += type(100) + type(3600) + type(7200) + std::string("LMT\0", 4);
    return bytes + "\n" + kBerlin + "\n";
}

TEST(TimeZone, AZoneFileSaysThePastAndItsRuleTheFuture) {
    const auto zone = TimeZone::parse("Test/Zone", zoneFile());
    ASSERT_TRUE(zone.ok()) << zone.error().text;
    EXPECT_EQ(zone->name(), "Test/Zone");
    EXPECT_EQ(zone->offsetAt(fromMillis(-1'000'000'001)), seconds(100));
    EXPECT_EQ(zone->offsetAt(fromMillis(-1'000'000'000)), seconds(3600));
    EXPECT_EQ(zone->offsetAt(fromMillis(999'999'999)), seconds(3600));
    EXPECT_EQ(zone->offsetAt(utc(2026, 7, 1, 0)), seconds(7200));
    EXPECT_EQ(zone->offsetAt(utc(2026, 12, 1, 0)), seconds(3600));
}

TEST(TimeZone, EveryDamagedFileIsRefusedOrRead) {
    const std::string whole = zoneFile();
    for (std::size_t length = 0; length < whole.size(); ++length)
        EXPECT_FALSE(TimeZone::parse("x", whole.substr(0, length)).ok()) << length;
    for (std::size_t at = 0; at < whole.size(); ++at)
        for (const int byte : {0x00, 0x7f, 0xff}) {
            std::string bytes = whole;
            bytes[at] = static_cast<char>(byte);
            if (const auto zone = TimeZone::parse("x", bytes); zone.ok())
                (void)zone->offsetAt(utc(2026, 7, 1, 0));
        }
}

TEST(TimeZone, TheSystemsZonesAgreeWithTheirRules) {
    const std::pair<const char*, const char*> zones[] = {{"Europe/Berlin", kBerlin},
                                                         {"America/New_York", kNewYork}};
    for (const auto& [name, rule] : zones) {
        const auto zone = TimeZone::load(name);
        ASSERT_TRUE(zone.ok()) << zone.error().text;
        // Beyond 2037, where fat files end, too.
        for (WallTime at = utc(2020, 1, 1, 0); at < utc(2045, 1, 1, 0); at += std::chrono::minutes(30 * 7))
            ASSERT_EQ(zone->offsetAt(at), zoneOf(rule).offsetAt(at)) << name << " " << formatUtc(at);
    }
}

TEST(TimeZone, WhatIsNoZonesNameIsRefused) {
    EXPECT_EQ(TimeZone::load("UTC")->offsetAt(utc(2026, 7, 1, 0)), seconds(0));
    for (const char* name : {"", "/etc/passwd", "../../etc/passwd", "Europe/", "a b"})
        EXPECT_EQ(TimeZone::load(name).error().code, Errc::Invalid) << name;
    EXPECT_EQ(TimeZone::load("Europe/Atlantis").error().code, Errc::NotFound);
}

}  // namespace
}  // namespace postern
