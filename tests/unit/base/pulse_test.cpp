#include "base/pulse.h"

#include <gtest/gtest.h>

#include "tests/fake_clock.h"

namespace postern {
namespace {

constexpr Millis kMoment{1};

class PulseTest : public testing::Test {
  protected:
    tests::FakeClock clock_;
    Pulse pulse_{clock_};
};

TEST_F(PulseTest, ARoundHasItsTime) {
    clock_.advance(Pulse::kRound);
    EXPECT_FALSE(pulse_.late());
    clock_.advance(kMoment);
    EXPECT_TRUE(pulse_.late());
    pulse_.beat();
    EXPECT_FALSE(pulse_.late()) << "it was only slow";
}

TEST_F(PulseTest, WhoSleepsIsLateOnlyBehindItsWaking) {
    pulse_.rest(clock_.steady() + Millis(1'000'000));
    clock_.advance(Millis(1'000'000) + Pulse::kRound);
    EXPECT_FALSE(pulse_.late());
    clock_.advance(kMoment);
    EXPECT_TRUE(pulse_.late());
}

TEST_F(PulseTest, CodeOfOthersHasLonger) {
    {
        const Pulse::Away away(pulse_);
        clock_.advance(Pulse::kAway);
        EXPECT_FALSE(pulse_.late());
        pulse_.beat();
        clock_.advance(Pulse::kAway);
        EXPECT_FALSE(pulse_.late());
        clock_.advance(kMoment);
        EXPECT_TRUE(pulse_.late());
    }
    EXPECT_FALSE(pulse_.late()) << "it came back";
    clock_.advance(Pulse::kRound + kMoment);
    EXPECT_TRUE(pulse_.late());
}

TEST_F(PulseTest, ASetWallClockIsNoDelay) {
    clock_.jumpWall(Pulse::kAway * 2);
    EXPECT_FALSE(pulse_.late());
}

}  // namespace
}  // namespace postern
