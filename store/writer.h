#pragma once
// The one thread that changes the store: takes what waits, runs it in one transaction, commits with one disk
// sync, then answers. Also folds the log back and gives freed pages to the file system. Private to this
// folder.

#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <thread>
#include <vector>

#include "base/sync.h"
#include "store/sqlite_engine.h"
#include "store/store.h"

namespace postern::store {

struct WriterOptions {
    std::int64_t checkpointBytes = 0;
    int groupLimit = 0;
    Millis idle{0};
    std::function<void(const Error&)> onBroken;
    std::function<void()> onFull{};  // each time a full disk is met, on the writer thread; may be empty
};

// Thread rule: submit, foldSoon, broken, counters and isWriterThread from any thread; start and stop from the
// owner's.
class Writer {
  public:
    Writer(std::unique_ptr<SqliteWriter> engine, WriterOptions options);
    ~Writer();

    void start();
    // Runs what was submitted, also what that submits, then ends the thread and folds the log back.
    void stop();

    void submit(Store::Work work, Store::Done done);
    void foldSoon();  // Store::foldSoon()
    bool isWriterThread() const;
    bool broken() const { return broken_.load(std::memory_order_acquire); }
    StoreCounters counters() const;
    std::int64_t logBytes() const { return logBytes_.load(); }

  private:
    struct Job {
        Store::Work work;
        Store::Done done;
        Result<void> result;
    };
    using Jobs = std::span<Job>;

    void loop();
    // False when stop() was called and nothing waits. An empty `jobs` means that the pause was long enough
    // for housekeeping, or that a fold was asked for.
    bool take(std::vector<Job>& jobs);
    void runAll(std::vector<Job>& jobs);
    std::size_t runGroup(Jobs jobs);
    std::size_t runWorks(Jobs jobs);
    Result<void> runWork(Job& job);
    void finishGroup(Jobs jobs);
    void answer(Jobs jobs);

    void keepHouse();
    void foldLog(Fold how);
    void giveBackPages();
    void onTrouble(const Error& error, std::string_view during);
    void breakDown(const Error& error);

    std::unique_ptr<SqliteWriter> engine_;
    const WriterOptions options_;
    std::jthread thread_;

    // The writer thread's own.
    Error brokenBy_;
    bool fullTold_ = false;
    Millis pause_;         // without work before it keeps house
    std::int64_t foldAt_;  // bytes of log not folded back yet

    Mutex mutex_;
    Condition condition_;
    std::vector<Job> waiting_ GUARDED_BY(mutex_);
    bool asleep_ GUARDED_BY(mutex_) = false;
    bool stopping_ GUARDED_BY(mutex_) = false;

    std::atomic<bool> broken_{false};
    std::atomic<bool> foldAsked_{false};
    std::atomic<std::int64_t> commits_{0};
    std::atomic<std::int64_t> works_{0};
    std::atomic<std::int64_t> checkpoints_{0};
    std::atomic<std::int64_t> logBytes_{0};
    Histogram commitTimes_;
};

}  // namespace postern::store
