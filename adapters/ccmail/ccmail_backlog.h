#pragma once
// How much may wait for an import program that takes nothing: a dead post office must not fill the disk. What
// does not fit is deferred; it is the queue's then, and goes on when there is room.
//
// Thread rule: any thread. With several watchers the limits may be passed by what is being staged.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "base/sync.h"

namespace postern::adapters::ccmail {

struct BacklogPlan {
    std::string adapter;               // for the log
    std::vector<std::string> folders;  // in which import files wait; each with those right below it
    std::int64_t mostFiles = 0;        // 0: any number
    std::int64_t mostBytes = 0;        // likewise
};

class Backlog {
  public:
    explicit Backlog(BacklogPlan plan) : plan_(std::move(plan)) {}

    // Why no further file may be added ("3 files (1 KiB) wait in X, and nobody imports them"); nothing: it
    // may. Says so in the log when that begins. Looks into the folders only when the files added since the
    // last look could have filled them, and then at most four times a second. An Error: a folder can not be
    // read.
    Result<std::optional<std::string>> full() EXCLUDES(mutex_);
    void add(std::int64_t bytes) EXCLUDES(mutex_);  // a file was made, or is about to be

  private:
    Result<void> look() REQUIRES(mutex_);
    struct Waiting {
        std::int64_t files = 0, bytes = 0;
    };
    static Result<void> lookInto(const std::string& path, int depth, Waiting& waiting);
    bool over() const REQUIRES(mutex_);

    const BacklogPlan plan_;
    Mutex mutex_;
    bool looked_ GUARDED_BY(mutex_) = false;
    std::int64_t files_ GUARDED_BY(mutex_) = 0;  // at most so many: others only take them away
    std::int64_t bytes_ GUARDED_BY(mutex_) = 0;
    std::string full_ GUARDED_BY(mutex_);  // why; empty: there was room
    SteadyTime next_ GUARDED_BY(mutex_);   // no look before, while it is full
};

}  // namespace postern::adapters::ccmail
