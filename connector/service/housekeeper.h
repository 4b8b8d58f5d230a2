#pragma once
// The slow work that nobody waits for: settled mail past its retention time is purged in small batches
// between the mail's own commits, and mail for adapters that do not run reaches its maximum age like any
// other, also what somebody had claimed who is gone.
//
// Thread rule: one thread of its own; constructor and destructor on the owner's.

#include <functional>
#include <string>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "base/sync.h"
#include "queue/queue.h"
#include "store/store.h"

namespace postern::service {

struct HousekeeperOptions {
    std::function<Millis()> retention;                       // as configured now
    std::function<std::vector<std::string>()> idleAdapters;  // adapters with items that nobody watches now
    std::function<Millis()> delayAfter{};          // when senders hear of a delay; 0 or empty: never
    std::function<Result<int>()> pruneCaptured{};  // copies of artifacts past their time; may be empty
    Millis interval{60'000};
};

class Housekeeper {
  public:
    Housekeeper(store::Store& store, queue::Queue& queue, HousekeeperOptions options);
    ~Housekeeper();  // stops at the end of the batch in hand

    // The next round begins at once: what is settled may be kept for a shorter time now. Any thread.
    void lookNow();

    // One round, for tests: everything that is due now. Result: messages purged.
    Result<std::int64_t> runOnce(const std::stop_token& stop = {});

  private:
    void run(const std::stop_token& stop);
    Result<void> freeClaimed(const std::string& adapter, const std::stop_token& stop);
    Result<void> tellDelays(const std::stop_token& stop);
    Result<std::int64_t> purgeBatch();

    store::Store& store_;
    queue::Queue& queue_;
    const HousekeeperOptions options_;
    ItemId delaysTold_;  // the walk of tellDelays came so far
    Mutex mutex_;
    Condition wake_;
    bool stopping_ GUARDED_BY(mutex_) = false;
    bool asked_ GUARDED_BY(mutex_) = false;
    std::jthread thread_;  // last member: it uses all the others
};

}  // namespace postern::service
