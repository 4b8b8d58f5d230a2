#pragma once
// Time that moves only when a test says so.

#include <atomic>

#include "base/clock.h"

namespace postern::tests {

class FakeClock final : public Clock {
  public:
    explicit FakeClock(std::int64_t startMillis = 1'700'000'000'000) : wall_(startMillis) {}
    WallTime now() const override { return fromMillis(wall_.load()); }
    SteadyTime steady() const override { return SteadyTime(Millis(steady_.load())); }
    void advance(Millis by) {
        wall_ += by.count();
        steady_ += by.count();
    }
    void jumpWall(Millis by) { wall_ += by.count(); }  // an operator sets the clock

  private:
    std::atomic<std::int64_t> wall_;
    std::atomic<std::int64_t> steady_{1'000'000};
};

}  // namespace postern::tests
