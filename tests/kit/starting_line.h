#pragma once
// Threads that begin at once: each waits until all are there. (std::barrier of libstdc++ 12 loses a waiter
// now and then where the system has no futexes, as on Windows.)

#include "base/clock.h"
#include "base/sync.h"

namespace postern::tests {

class StartingLine {
  public:
    explicit StartingLine(int threads) : missing_(threads) {}
    void wait() {
        MutexLock lock(mutex_);
        if (--missing_ == 0) all_.notifyAll();
        while (missing_ > 0) all_.waitUntil(mutex_, Clock::system().steady() + Millis(60'000));
    }

  private:
    Mutex mutex_;
    Condition all_;
    int missing_ GUARDED_BY(mutex_);
};

}  // namespace postern::tests
