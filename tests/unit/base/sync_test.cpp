#include "base/sync.h"

#include <thread>
#include <vector>

#include <gtest/gtest.h>

namespace postern {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using std::chrono::steady_clock;

struct Counter {
    Mutex mutex;
    Condition changed;
    int value GUARDED_BY(mutex) = 0;

    void add() {
        {
            MutexLock lock(mutex);
            ++value;
        }
        changed.notifyAll();
    }
    bool waitFor(int wanted, steady_clock::time_point deadline) {
        MutexLock lock(mutex);
        while (value < wanted)
            if (!changed.waitUntil(mutex, deadline)) return value >= wanted;
        return true;
    }
};

TEST(Sync, ADeadlineInThePastReturnsAtOnce) {
    Counter counter;
    EXPECT_FALSE(counter.waitFor(1, steady_clock::now() - seconds(5)));
}

TEST(Sync, AWaitLastsUntilItsDeadlineAndNoShorter) {
    Counter counter;
    const auto deadline = steady_clock::now() + milliseconds(20);
    EXPECT_FALSE(counter.waitFor(1, deadline));
    EXPECT_GE(steady_clock::now(), deadline);
}

TEST(Sync, ANotifiedWaiterComesBackBeforeItsDeadline) {
    Counter counter;
    const auto deadline = steady_clock::now() + seconds(60);
    std::jthread other([&] { counter.add(); });
    EXPECT_TRUE(counter.waitFor(1, deadline));
    EXPECT_LT(steady_clock::now(), deadline);
}

TEST(Sync, EveryWaiterIsWoken) {
    Counter counter;
    const auto deadline = steady_clock::now() + seconds(60);
    std::vector<std::jthread> waiters;
    std::atomic<int> woken{0};
    for (int i = 0; i < 8; ++i) waiters.emplace_back([&] { woken += counter.waitFor(1, deadline) ? 1 : 0; });
    counter.add();
    waiters.clear();
    EXPECT_EQ(woken, 8);
}

// After a wait the lock is held again: without that, this count comes out short (and TSan says so).
TEST(Sync, TheLockIsHeldAgainAfterAWait) {
    Counter counter;
    std::vector<std::jthread> threads;
    for (int t = 0; t < 8; ++t)
        threads.emplace_back([&] {
            for (int i = 0; i < 200; ++i) {
                MutexLock lock(counter.mutex);
                (void)counter.changed.waitUntil(counter.mutex, steady_clock::now());
                ++counter.value;
            }
        });
    threads.clear();
    EXPECT_TRUE(counter.waitFor(1600, steady_clock::now()));
}

}  // namespace
}  // namespace postern
