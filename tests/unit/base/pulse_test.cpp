#include "base/pulse.h"

#include <gtest/gtest.h>

#include "tests/fake_clock.h"

namespace postern {
namespace {

using Life = Pulse::Life;

constexpr Millis kMoment{1};

class PulseTest : public testing::Test {
  protected:
    tests::FakeClock clock_;
    Pulse pulse_{clock_};
};

TEST_F(PulseTest, ARoundHasItsTime) {
    clock_.advance(Pulse::kRound);
    EXPECT_EQ(pulse_.look(), Life::Well);
    clock_.advance(kMoment);
    EXPECT_EQ(pulse_.look(), Life::Stuck);
    pulse_.beat();
    EXPECT_EQ(pulse_.look(), Life::Well) << "it was only slow";
}

TEST_F(PulseTest, WhoSleepsIsLateOnlyBehindItsWaking) {
    pulse_.rest(clock_.steady() + Millis(1'000'000));
    clock_.advance(Millis(1'000'000) + Pulse::kRound);
    EXPECT_EQ(pulse_.look(), Life::Well);
    clock_.advance(kMoment);
    EXPECT_EQ(pulse_.look(), Life::Stuck);
}

TEST_F(PulseTest, CodeOfOthersHasLonger) {
    {
        const Pulse::Away away(pulse_);
        clock_.advance(Pulse::kAway);
        EXPECT_EQ(pulse_.look(), Life::Well);
        pulse_.beat();
        clock_.advance(Pulse::kAway);
        EXPECT_EQ(pulse_.look(), Life::Well);
        clock_.advance(kMoment);
        EXPECT_EQ(pulse_.look(), Life::Overdue);
    }
    EXPECT_EQ(pulse_.look(), Life::Well) << "it came back";
    clock_.advance(Pulse::kRound + kMoment);
    EXPECT_EQ(pulse_.look(), Life::Stuck);
}

TEST_F(PulseTest, WhoHasEndedIsNotMissed) {
    pulse_.end();
    clock_.advance(Pulse::kAway * 1000);
    EXPECT_EQ(pulse_.look(), Life::Well);
}

TEST_F(PulseTest, ASetWallClockIsNoDelay) {
    clock_.jumpWall(Pulse::kAway * 2);
    EXPECT_EQ(pulse_.look(), Life::Well);
}

}  // namespace
}  // namespace postern
