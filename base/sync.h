#pragma once
// A mutex whose rules clang can check (-Wthread-safety; libstdc++'s own mutex carries no annotations).

#include <chrono>
#include <condition_variable>
#include <mutex>

#if defined(__clang__)
#define POSTERN_ANNOTATE(x) __attribute__((x))
#else
#define POSTERN_ANNOTATE(x)
#endif

#define CAPABILITY(x) POSTERN_ANNOTATE(capability(x))
#define SCOPED_CAPABILITY POSTERN_ANNOTATE(scoped_lockable)
#define GUARDED_BY(x) POSTERN_ANNOTATE(guarded_by(x))
#define REQUIRES(...) POSTERN_ANNOTATE(requires_capability(__VA_ARGS__))
#define EXCLUDES(...) POSTERN_ANNOTATE(locks_excluded(__VA_ARGS__))
#define ACQUIRE(...) POSTERN_ANNOTATE(acquire_capability(__VA_ARGS__))
#define RELEASE(...) POSTERN_ANNOTATE(release_capability(__VA_ARGS__))
#define NO_THREAD_SAFETY_ANALYSIS POSTERN_ANNOTATE(no_thread_safety_analysis)

namespace postern {

class CAPABILITY("mutex") Mutex {
  public:
    void lock() ACQUIRE() { mutex_.lock(); }
    void unlock() RELEASE() { mutex_.unlock(); }

  private:
    friend class Condition;
    std::mutex mutex_;
};

// Holds a Mutex for a scope. May be given up and taken again by Condition only.
class SCOPED_CAPABILITY MutexLock {
  public:
    explicit MutexLock(Mutex& mutex) ACQUIRE(mutex) : mutex_(mutex) { mutex_.lock(); }
    ~MutexLock() RELEASE() { mutex_.unlock(); }
    MutexLock(const MutexLock&) = delete;
    MutexLock& operator=(const MutexLock&) = delete;

  private:
    Mutex& mutex_;
};

// Waits always have a deadline (house rule): callers loop around their own predicate.
class Condition {
  public:
    void notifyOne() { condition_.notify_one(); }
    void notifyAll() { condition_.notify_all(); }

    // True when woken, false when the deadline passed. REQUIRES: the caller holds `mutex`.
    bool waitUntil(Mutex& mutex, std::chrono::steady_clock::time_point deadline) REQUIRES(mutex) {
        std::unique_lock<std::mutex> lock(mutex.mutex_, std::adopt_lock);
        const bool woken = condition_.wait_until(lock, deadline) == std::cv_status::no_timeout;
        lock.release();
        return woken;
    }

  private:
    std::condition_variable condition_;
};

}  // namespace postern
