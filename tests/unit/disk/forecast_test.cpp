#include "connector/disk/forecast.h"

#include <gtest/gtest.h>

namespace postern::disk {
namespace {

using Kind = Outlook::Kind;
constexpr std::int64_t kMiB = 1 << 20;
constexpr std::int64_t kStart = 100'000 * kMiB;

SteadyTime at(double minutes) {
    return SteadyTime(Millis(1'000'000 + static_cast<std::int64_t>(minutes * 60'000)));
}

// A look each half minute, of free space that is `freeAt(minute)`.
template <class FreeAt>
Forecast seen(double minutes, FreeAt freeAt) {
    Forecast forecast;
    for (double minute = 0; minute <= minutes; minute += 0.5)
        forecast.note(at(minute), static_cast<std::int64_t>(freeAt(minute)));
    return forecast;
}

double hoursLeft(const Outlook& outlook) {
    return static_cast<double>(outlook.left.count()) / 3'600'000;
}

TEST(Forecast, SaysNothingBeforeAQuarterOfAnHour) {
    const auto filling = [](double minute) { return kStart - minute * 50 * kMiB; };
    EXPECT_EQ(Forecast().outlook(kMiB).kind, Kind::Unknown);
    EXPECT_EQ(seen(14, filling).outlook(kMiB).kind, Kind::Unknown);
    EXPECT_EQ(seen(16, filling).outlook(kMiB).kind, Kind::Filling);
}

TEST(Forecast, AnEvenLossIsProlonged) {
    const auto forecast = seen(60, [](double minute) { return kStart - minute * 5 * kMiB; });
    const Outlook outlook = forecast.outlook(3000 * kMiB);  // at 300 MiB an hour
    ASSERT_EQ(outlook.kind, Kind::Filling);
    EXPECT_NEAR(hoursLeft(outlook), 10, 0.01);
    EXPECT_NEAR(static_cast<double>(outlook.bytesPerHour), 300.0 * kMiB, kMiB);
    EXPECT_EQ(outlookText(outlook), "10h at 300 MiB an hour");
    EXPECT_EQ(forecast.outlook(0).left, Millis(0)) << "what is used up can not last";
    EXPECT_EQ(forecast.outlook(-5).left, Millis(0));
}

TEST(Forecast, FlatGrowingOrBreathingSpaceIsNotFilling) {
    EXPECT_EQ(seen(60, [](double) { return kStart; }).outlook(kMiB).kind, Kind::Steady);
    EXPECT_EQ(seen(60, [](double minute) { return kStart + minute * 50 * kMiB; }).outlook(kMiB).kind,
              Kind::Steady);
    // The log grows to its limit and is folded back, again and again.
    const auto saw = [](double minute) { return kStart - (static_cast<int>(minute * 2) % 16) * kMiB; };
    EXPECT_EQ(seen(300, saw).outlook(kMiB).kind, Kind::Steady);
    EXPECT_EQ(outlookText(Outlook{Kind::Steady, {}, 0}), "not filling");
    EXPECT_EQ(outlookText(Outlook{}), "not known yet");
}

TEST(Forecast, OneLargeStepIsNoTrend) {
    for (const double when : {10.0, 50.0}) {
        const auto step = [&](double minute) { return minute < when ? kStart : kStart - 20'000 * kMiB; };
        EXPECT_EQ(seen(60, step).outlook(50'000 * kMiB).kind, Kind::Steady) << when;
    }
}

TEST(Forecast, ASlowLossIsSeenOverTheDay) {
    // 12 MiB an hour: within an hour that is less than the log's breathing.
    const auto forecast = seen(24 * 60, [](double minute) { return kStart - minute * kMiB / 5; });
    const Outlook outlook = forecast.outlook(1200 * kMiB);
    ASSERT_EQ(outlook.kind, Kind::Filling);
    EXPECT_NEAR(hoursLeft(outlook), 100, 2);
    EXPECT_EQ(seen(60, [](double minute) { return kStart - minute * kMiB / 5; }).outlook(kMiB).kind,
              Kind::Steady);
}

TEST(Forecast, AFastLossOfThisHourCountsAtOnce) {
    const auto forecast = seen(24 * 60, [](double minute) {
        return minute < 23 * 60 ? kStart : kStart - (minute - 23 * 60) * 10 * kMiB;
    });
    const Outlook outlook = forecast.outlook(6000 * kMiB);
    ASSERT_EQ(outlook.kind, Kind::Filling);
    EXPECT_NEAR(hoursLeft(outlook), 10, 0.2);
}

TEST(Forecast, WhatLastsForYearsIsNotFilling) {
    const auto forecast = seen(24 * 60, [](double minute) { return kStart - minute * kMiB; });
    EXPECT_EQ(forecast.outlook(std::int64_t{60} * kMiB * 24 * 366).kind, Kind::Steady);
    EXPECT_EQ(forecast.outlook(std::int64_t{60} * kMiB * 24 * 364).kind, Kind::Filling);
}

TEST(Forecast, OldLooksAreForgotten) {
    const auto forecast = seen(24 * 60 + 120, [](double minute) {
        return minute < 60 ? kStart - minute * 1000 * kMiB : kStart - 60'000 * kMiB;
    });
    EXPECT_EQ(forecast.outlook(kMiB).kind, Kind::Steady);
}

}  // namespace
}  // namespace postern::disk
