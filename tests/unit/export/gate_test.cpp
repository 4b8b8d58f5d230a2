#include "connector/export/gate.h"

#include <random>

#include <gtest/gtest.h>

#include "tests/fake_clock.h"

namespace postern::exporting {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

config::Policy policyOf(const char* window, const char* rate) {
    config::Policy policy;
    if (*window != '\0')
        policy.windows = config::SendWindows({config::parseSendWindow(window).value()}, TimeZone());
    if (*rate != '\0') policy.rate = config::parseRate(rate).value();
    return policy;
}

constexpr Millis kPatience{5000};

TEST(Gate, WithoutAPolicyEverythingMayBegin) {
    tests::FakeClock clock;
    const config::Policy policy;
    Gate gate(policy, clock);
    EXPECT_EQ(gate.ask(64, kPatience).items, 64);
    EXPECT_FALSE(gate.shut());
}

TEST(Gate, ShutOutsideItsHours) {
    tests::FakeClock clock;  // Tuesday, 2023-11-14 22:13:20
    const config::Policy policy = policyOf("Wed 00:00-01:00", "");
    Gate gate(policy, clock);
    EXPECT_TRUE(gate.shut());
    EXPECT_EQ(gate.ask(64, kPatience).items, 0);
    EXPECT_EQ(gate.ask(64, kPatience).again, clock.steady() + kPatience) << "a clock may be set meanwhile";
    EXPECT_EQ(gate.ask(64, hours(9)).again, clock.steady() + minutes(106) + seconds(40));
    clock.advance(minutes(107));
    EXPECT_EQ(gate.ask(64, kPatience).items, 64);
    clock.advance(hours(1));
    EXPECT_EQ(gate.ask(64, kPatience).items, 0);
}

TEST(Gate, ASuspensionHoldsUntilItsEndAndIsEndedOnce) {
    tests::FakeClock clock;
    const config::Policy policy;
    Gate gate(policy, clock);
    gate.setHold(queue::AdapterHold{"a", clock.now(), "anna", "new disk", clock.now() + seconds(3)});
    EXPECT_TRUE(gate.shut());
    EXPECT_EQ(gate.ask(64, kPatience).items, 0);
    EXPECT_EQ(gate.ask(64, kPatience).again, clock.steady() + seconds(3));
    EXPECT_FALSE(gate.takeExpired());
    clock.advance(seconds(3));
    EXPECT_EQ(gate.ask(64, kPatience).items, 64);
    EXPECT_TRUE(gate.takeExpired());
    EXPECT_FALSE(gate.takeExpired());
    gate.setHold(queue::AdapterHold{"a", clock.now(), "anna", "", std::nullopt});
    clock.advance(hours(9999));
    EXPECT_EQ(gate.ask(64, kPatience).items, 0) << "without an end";
    gate.setHold(std::nullopt);
    EXPECT_EQ(gate.ask(64, kPatience).items, 64);
}

TEST(Gate, SoManyBeginAndTheRestWaitsForTheFirstToBeOldEnough) {
    tests::FakeClock clock;
    const config::Policy policy = policyOf("", "10/1m");
    Gate gate(policy, clock);
    EXPECT_EQ(gate.ask(6, kPatience).items, 6);
    clock.advance(seconds(30));
    const auto rest = gate.ask(6, hours(1));
    EXPECT_EQ(rest.items, 4);
    EXPECT_EQ(gate.ask(6, hours(1)).items, 0);
    EXPECT_EQ(gate.ask(6, hours(1)).again, clock.steady() + seconds(30));
    gate.giveBack(rest, 1);
    EXPECT_EQ(gate.ask(6, hours(1)).items, 1) << "what was not begun is free again";
    clock.jumpWall(hours(5));
    EXPECT_EQ(gate.ask(6, hours(1)).items, 0) << "a clock that is set changes nothing";
    clock.advance(seconds(30));
    EXPECT_EQ(gate.ask(64, hours(1)).items, 6);
}

TEST(Gate, WhatEndedBeforeARestartCounts) {
    tests::FakeClock clock;
    const config::Policy policy = policyOf("", "3/1m");
    Gate gate(policy, clock);
    gate.remember({clock.now() - seconds(70), clock.now() - seconds(50), clock.now() - seconds(10)});
    EXPECT_EQ(gate.ask(64, hours(1)).items, 1);
    EXPECT_EQ(gate.ask(64, hours(1)).again, clock.steady() + seconds(10));
}

// Any minute of a long run, at any rate of asking, has at most so many beginnings.
TEST(Gate, NoWindowOfTimeEverHasMoreThanTheRate) {
    for (const auto& [text, most] :
         {std::pair("7/1s", 7), std::pair("5000/10s", 5000), std::pair("1/1s", 1)}) {
        const config::Rate rate = config::parseRate(text).value();
        RateLimit limit(rate);
        std::mt19937 random(4711);
        SteadyTime now{seconds(1000)};
        std::vector<std::pair<SteadyTime, int>> begun;
        for (int step = 0; step < 20'000; ++step) {
            now += Millis(random() % 20);
            const int taken = limit.take(static_cast<int>(random() % 64), now);
            const int back = taken > 0 ? static_cast<int>(random() % static_cast<unsigned>(taken + 1)) : 0;
            limit.giveBack(back, now);
            begun.emplace_back(now, taken - back);
        }
        std::int64_t sum = 0, all = 0;
        for (std::size_t last = 0, first = 0; last < begun.size(); ++last) {
            sum += begun[last].second;
            all += begun[last].second;
            for (; begun[first].first + rate.per <= begun[last].first; ++first) sum -= begun[first].second;
            ASSERT_LE(sum, most) << text;
        }
        const auto time = begun.back().first - begun.front().first;
        const auto could = static_cast<std::int64_t>(time / rate.per) * most;
        EXPECT_GE(all, std::min<std::int64_t>(could * 3 / 4, 100'000)) << text << " is not only strict";
    }
}

}  // namespace
}  // namespace postern::exporting
