#pragma once
// The wall clock was set back under the queue. Mail that came in, or was put off, while it was ahead is due
// by that clock, and would wait for as long as it was ahead.

#include <string>

#include "base/clock.h"
#include "store/store.h"

namespace postern::queue {

// Ready items of `adapter` that have history later than `now` and are due later than now are due now: at most
// `most`. Who was only put off is tried too early once. The walk is over what is due later, outside of the
// writer. Result: how many; fewer than `most`: there are no more.
Result<int> dueAfterSetBack(store::Store& store, const std::string& adapter, WallTime now, int most);

// Tells whether the wall clock was set back since it was asked last, by comparing it with the monotonic one.
// The first time: yes, as nobody knows what was before. Thread rule: one thread at a time.
class SetBack {
  public:
    bool since(const Clock& clock);

  private:
    bool asked_ = false;
    Millis ahead_{0};  // of the wall clock before the monotonic one
};

}  // namespace postern::queue
