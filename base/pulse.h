#pragma once
// A working thread's sign of life, for whoever feeds the service manager's watchdog. The thread says until
// when it will be heard of next; who is not heard of by then is stuck: in a lock, in the store, in a loop.
// Code of others (an adapter on a dead network folder, an import program) gets far longer, and is only
// overdue: its adapter stands still, which a restart would not mend, and the other adapters work on.
//
// Thread rule: look() from any thread; everything else from the working one.

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <limits>

#include "base/clock.h"

namespace postern {

class Pulse {
  public:
    static constexpr Millis kRound{120'000};   // one round of our own code
    static constexpr Millis kAway{3'600'000};  // between two signs of life in code of others

    explicit Pulse(const Clock& clock) : clock_(clock) { beat(); }
    Pulse(const Pulse&) = delete;
    Pulse& operator=(const Pulse&) = delete;

    enum class Life { Well, Overdue, Stuck };  // the later, the worse

    void beat() { due_ = after(clock_.steady(), away_ ? kAway : kRound); }
    // It sleeps now, and wakes at `until` at the latest.
    void rest(SteadyTime until) { due_ = after(std::max(until, clock_.steady()), kRound); }
    void end() { due_ = std::numeric_limits<std::int64_t>::max(); }  // it works no more
    Life look() const {
        const bool away = away_;
        if (ticks(clock_.steady()) <= due_) return Life::Well;
        return away ? Life::Overdue : Life::Stuck;
    }

    // While it lives, the thread is in code of others.
    class Away {
      public:
        explicit Away(Pulse& pulse) : pulse_(pulse) { pulse_.go(true); }
        ~Away() { pulse_.go(false); }
        Away(const Away&) = delete;
        Away& operator=(const Away&) = delete;

      private:
        Pulse& pulse_;
    };

  private:
    static std::int64_t ticks(SteadyTime time) { return time.time_since_epoch().count(); }
    static std::int64_t after(SteadyTime time, Millis limit) { return ticks(time + limit); }
    void go(bool away) {
        due_ = after(clock_.steady(), away ? kAway : kRound);
        away_ =
            away;  // behind the limit, as look() reads them: an old limit is never taken for the new place's
    }

    const Clock& clock_;
    std::atomic<bool> away_{false};
    std::atomic<std::int64_t> due_{0};
};

}  // namespace postern
