#pragma once
// Work that one thread does in turn, with a limit to what may wait: for event loops, which must not wait
// themselves. Thread rule: put() from any thread.

#include <cstddef>
#include <deque>
#include <functional>
#include <optional>
#include <string>
#include <thread>
#include <utility>

#include "base/sync.h"
#include "base/thread.h"

namespace postern {

template <class Job>
class WorkQueue {
  public:
    // `work` is called once for each job that was taken: on the queue's thread, or, with `stopped`, by the
    // destructor for what still waits then. It must not throw.
    using Work = std::function<void(Job job, bool stopped)>;

    WorkQueue(std::string threadName, std::size_t most, Work work)
        : most_(most), work_(std::move(work)), thread_([this, name = std::move(threadName)] {
              nameThisThread(name);
              while (auto job = next()) work_(std::move(*job), false);
          }) {}
    ~WorkQueue() {
        {
            MutexLock lock(mutex_);
            stopping_ = true;
            changed_.notifyAll();
        }
        thread_.join();
        std::deque<Job> left;
        {
            MutexLock lock(mutex_);
            left.swap(waiting_);
        }
        for (Job& job : left) work_(std::move(job), true);
    }
    WorkQueue(const WorkQueue&) = delete;
    WorkQueue& operator=(const WorkQueue&) = delete;

    // False: too many wait, and `job` is as it was.
    bool put(Job&& job) EXCLUDES(mutex_) {
        MutexLock lock(mutex_);
        if (waiting_.size() >= most_) return false;
        waiting_.push_back(std::move(job));
        changed_.notifyOne();
        return true;
    }

  private:
    std::optional<Job> next() EXCLUDES(mutex_) {
        constexpr std::chrono::seconds kWait{3'600};  // a new wait begins where its deadline passes
        MutexLock lock(mutex_);
        while (waiting_.empty() && !stopping_) {
            changed_.waitUntil(mutex_, std::chrono::steady_clock::now() + kWait);
        }
        if (stopping_) return std::nullopt;
        std::optional<Job> job(std::move(waiting_.front()));
        waiting_.pop_front();
        return job;
    }

    const std::size_t most_;
    const Work work_;
    Mutex mutex_;
    Condition changed_;
    std::deque<Job> waiting_ GUARDED_BY(mutex_);
    bool stopping_ GUARDED_BY(mutex_) = false;
    std::jthread thread_;  // last: it uses all the others
};

}  // namespace postern
