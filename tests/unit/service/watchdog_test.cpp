#include "connector/service/watchdog.h"

#include <vector>

#include <gtest/gtest.h>

#include "base/log.h"
#include "tests/fake_clock.h"

namespace postern::service {
namespace {

class WatchdogTest : public testing::Test {
  protected:
    WatchdogTest() {
        setLogSink([this](Severity, std::string_view line) {
            if (line.find("service.stuck") != std::string_view::npos) said_.emplace_back(line);
        });
    }
    ~WatchdogTest() override { setLogSink({}); }

    Watchdog watchdog(std::optional<Millis> limit) {
        return {clock_, limit, [this] { return life_; }, [this] { ++fed_; }};
    }
    void pass(Watchdog& watchdog, Millis time) {
        for (Millis passed{0}; passed < time; passed += Millis(500)) {
            clock_.advance(Millis(500));
            watchdog.look();
        }
    }

    tests::FakeClock clock_;
    Service::Life life_;
    int fed_ = 0;
    std::vector<std::string> said_;
};

TEST_F(WatchdogTest, IsFedSomeTimesWithinItsLimit) {
    Watchdog watchdog = this->watchdog(Millis(8'000));
    pass(watchdog, Millis(8'000));
    EXPECT_GE(fed_, 3);
    EXPECT_LE(fed_, 5) << "and not for nothing";
    fed_ = 0;
    Watchdog patient = this->watchdog(Millis(600'000));
    pass(patient, Millis(60'000));
    EXPECT_GE(fed_, 5) << "who is stuck is looked for more often than the manager asks";
}

TEST_F(WatchdogTest, AStuckThreadIsNotFedForAndIsNamedOnce) {
    Watchdog watchdog = this->watchdog(Millis(8'000));
    life_ = {"adapter a", true};
    pass(watchdog, Millis(60'000));
    EXPECT_EQ(fed_, 0);
    ASSERT_EQ(said_.size(), 1u);
    EXPECT_NE(said_[0].find("who=\"adapter a\" restart=needed"), std::string::npos) << said_[0];
    life_ = {};
    pass(watchdog, Millis(8'000));
    EXPECT_GE(fed_, 3) << "it was only slow";
    life_ = {"adapter a", true};
    pass(watchdog, Millis(8'000));
    EXPECT_EQ(said_.size(), 2u);
}

TEST_F(WatchdogTest, AnAdapterThatStandsStillIsNamedAndTheOthersGoOn) {
    Watchdog watchdog = this->watchdog(Millis(8'000));
    life_ = {"adapter a", false};
    pass(watchdog, Millis(8'000));
    EXPECT_GE(fed_, 3);
    ASSERT_EQ(said_.size(), 1u);
    EXPECT_NE(said_[0].find("restart=\"would not help\""), std::string::npos) << said_[0];
}

TEST_F(WatchdogTest, NobodyIsToldWhoDoesNotAsk) {
    Watchdog watchdog = this->watchdog(std::nullopt);
    life_ = {"the listeners", true};
    pass(watchdog, Millis(30'000));
    EXPECT_EQ(fed_, 0);
    EXPECT_EQ(said_.size(), 1u);
}

}  // namespace
}  // namespace postern::service
