#pragma once
// Whether an adapter may begin anything now, and how much: a person's suspension, its send windows and its
// rate. One Gate for all watchers of an adapter. It only spares useless claims: the suspension itself is kept
// by the claim's statement (queue/hold.h).
//
// Thread rule: any thread.

#include <deque>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/sync.h"
#include "connector/config/policy.h"
#include "queue/hold.h"

namespace postern::exporting {

// At most `rate.count` begin in any `rate.per`: the beginnings within that time are remembered, many close
// together as one, that of the last. Times of the steady clock: a clock that is set changes nothing.
// Thread rule: one thread at a time.
class RateLimit {
  public:
    explicit RateLimit(config::Rate rate) : rate_(rate) {}

    // Up to `most` may begin now; those count from now on.
    int take(int most, SteadyTime now);
    void giveBack(int count, SteadyTime taken);  // of what take() gave at that time: not begun after all
    void remember(int count, SteadyTime at);
    SteadyTime nextFree(SteadyTime now) const;  // `now` when one may begin

  private:
    struct Begun {
        SteadyTime first, last;
        int count;
    };
    void forget(SteadyTime now);

    const config::Rate rate_;
    std::deque<Begun> begun_;  // in order of time
    std::int64_t sum_ = 0;
};

class Gate {
  public:
    // REQUIRES: both outlive the gate.
    Gate(const config::Policy& policy, Clock& clock);

    struct Permit {
        int items = 0;     // 0: not before `again`
        SteadyTime again;  // at most this long: a change of the suspension is told by a hint
        SteadyTime at;     // when it was given
    };
    // `patience` is the longest that a watcher waits without looking.
    Permit ask(int most, Millis patience);
    void giveBack(const Permit& permit, int items);  // so many of it were not begun
    bool shut() const;                               // by a person or by the hour; the rate does not count

    void setHold(std::optional<queue::AdapterHold> hold);
    std::optional<queue::AdapterHold> hold() const;
    // The suspension's time is over and nobody has removed it yet: once, for the caller to do.
    bool takeExpired();

    // What ended so long ago (wall time) counts against the rate: after a restart.
    void remember(const std::vector<WallTime>& ended);

  private:
    const config::Policy& policy_;
    Clock& clock_;
    mutable Mutex mutex_;
    std::optional<queue::AdapterHold> hold_ GUARDED_BY(mutex_);
    std::optional<RateLimit> rate_ GUARDED_BY(mutex_);
};

}  // namespace postern::exporting
