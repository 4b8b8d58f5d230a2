#pragma once
// Waiting for another thread's or process's work, with a deadline and without sleeping blindly.

#include <algorithm>
#include <cstdlib>
#include <functional>

#include "base/clock.h"
#include "base/sync.h"

namespace postern::tests {

// Looks every few milliseconds until `done` says true (result true) or `limit` passes (false).
inline bool waitFor(const std::function<bool()>& done, Millis limit = Millis(30'000)) {
    Mutex mutex;
    Condition never;
    const SteadyTime deadline = Clock::system().steady() + limit;
    while (!done()) {
        const SteadyTime now = Clock::system().steady();
        if (now >= deadline) return false;
        MutexLock lock(mutex);
        never.waitUntil(mutex, std::min(deadline, now + Millis(5)));
    }
    return true;
}

// POSTERN_RACE_SCALE (percent) of `count`: sanitizer builds do fewer rounds, a soak more.
inline int scaled(int count) {
    const char* text = std::getenv("POSTERN_RACE_SCALE");
    const int percent = text == nullptr ? 100 : std::atoi(text);
    return std::max(1, static_cast<int>(static_cast<long long>(count) * (percent > 0 ? percent : 100) / 100));
}

}  // namespace postern::tests
