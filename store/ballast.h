#pragma once
// Space that the store keeps for the worst moment (RELIABILITY 2.5): a file that owns its bytes. When a
// commit meets a full disk they are given back, so that claims, settlements, deletions and the folding of the
// log go on and the queue drains; when there is room again somebody fills it again.
//
// Given away, the file stays with no bytes in it: that takes no inode and no space, and the next start still
// knows that it has to be filled before new mail comes in.
//
// Thread rule: any thread.

#include <atomic>
#include <cstdint>
#include <functional>
#include <string>

#include "base/result.h"
#include "base/sync.h"

namespace postern::store {

class Ballast {
  public:
    static constexpr char kName[] = "ballast";

    // Of the store in `folder`; looks at what is there and changes nothing.
    explicit Ballast(const std::string& folder);

    std::int64_t held() const { return held_.load(std::memory_order_acquire); }  // bytes
    // A full disk took it and it was not filled again yet, perhaps in another process.
    bool released() const { return released_.load(std::memory_order_acquire); }

    // Somebody may have removed it or cut it short since: it is what stands there now.
    void look() EXCLUDES(mutex_);
    // Of a process that died while it made one. REQUIRES: nobody else has the store.
    Result<void> sweep() EXCLUDES(mutex_);

    // Makes it `bytes` long, allocated and on the disk; 0 removes it. Done in pieces, which count as soon as
    // they stand. After an error, NoSpace among them, it is as it was. Stopped: release() came in between,
    // and then all of it is given away, or `stopping` (asked before each piece) said yes, and then the pieces
    // so far stay. Does not look how much room that leaves.
    Result<void> fill(std::int64_t bytes, const std::function<bool()>& stopping = {}) EXCLUDES(mutex_);
    // Result: bytes given back to the volume; 0 when there were none. Waits for one piece of fill() at most.
    Result<std::int64_t> release() EXCLUDES(mutex_);

  private:
    Result<void> shrink(std::int64_t bytes) EXCLUDES(mutex_);
    Result<void> grow(std::int64_t bytes, std::int64_t releases) EXCLUDES(mutex_);
    Result<void> finish(std::int64_t releases) EXCLUDES(mutex_);
    Result<void> undo(std::int64_t before, std::int64_t releases) EXCLUDES(mutex_);
    void lookFirst() EXCLUDES(mutex_);

    const std::string folder_;
    Mutex mutex_;  // one change at a time
    std::int64_t releases_ GUARDED_BY(mutex_) = 0;
    std::atomic<std::int64_t> held_{0};
    std::atomic<bool> released_{false};
};

}  // namespace postern::store
