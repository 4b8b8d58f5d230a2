#pragma once
// Turns events into items of webhook adapters: reads the outbox (queue/outbox.h) and, in one transaction,
// stores a message and an item for each event that a webhook chose and drops what was read. A crash leaves
// the events or the items, never both and never none. From then on an event is an item like any other.
//
// Hints wake it; losing them all delays an event by the poll interval (I6). Without a webhook nothing is
// read, and the store records nothing. After an error it is deaf to hints for a poll interval: its own line
// in the log is one. An event of which no telling can be made, twice, is set aside and holds nobody up (I7).
//
// Thread rule: one thread of its own; hint() from any thread, the rest on the owner's.

#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "base/sync.h"
#include "connector/config/config.h"
#include "connector/webhooks/document.h"
#include "store/notifier.h"
#include "store/store.h"

namespace postern::webhooks {

// One webhook adapter's choice.
struct Hook {
    std::string adapter;
    std::vector<std::string> events;    // never empty
    std::vector<std::string> adapters;  // whose; empty: all
    Millis maximumAge{};
};
std::vector<Hook> hooksOf(const config::Config& config);

struct FollowerOptions {
    EventContext context;
    Millis pollInterval{5'000};
    // Tests put one that fails here.
    std::function<std::string(const queue::Event&, const std::optional<EventItem>&, const EventContext&)>
        compose = document;
    bool alone = false;  // of tests: no thread of its own, runOnce() does it all
};

class Follower {
  public:
    // The references outlive the follower.
    Follower(store::Store& store, store::Notifier& notifier, Clock& clock, FollowerOptions options);
    ~Follower();  // stops at the end of the batch in hand

    // These from now on. A new one begins with what happens next. An Error is the store's: then the old ones
    // stay.
    Result<void> use(std::vector<Hook> hooks);
    // Something may have happened. Quick; calls nobody.
    void hint();

    // Everything that waits, for tests. Result: how many items were made.
    Result<int> runOnce();

  private:
    struct Found;
    struct Telling;
    void run(const std::stop_token& stop);
    Result<void> round(const std::stop_token& stop);
    Result<int> batch(bool& more) EXCLUDES(batchMutex_);
    Result<int> attempt(int most, bool& more, std::vector<std::string>& touched) REQUIRES(batchMutex_);
    Result<int> move(int most, bool& more, std::vector<std::string>& touched) REQUIRES(batchMutex_);
    Result<int> singly(bool& more, std::vector<std::string>& touched) REQUIRES(batchMutex_);
    Result<void> setOldestAside(const Error& why) REQUIRES(batchMutex_);
    Result<Found> read(int most);
    std::vector<Telling> tellings(const Found& found) REQUIRES(batchMutex_);

    store::Store& store_;
    store::Notifier& notifier_;
    Clock& clock_;
    const FollowerOptions options_;
    const std::shared_ptr<store::Inbox> inbox_;
    std::atomic<bool> active_{false};
    Mutex batchMutex_;  // one at a time: what one has read no other may take, and no choice changes meanwhile
    std::vector<Hook> hooks_ GUARDED_BY(batchMutex_);
    int failures_ GUARDED_BY(batchMutex_) = 0;  // of batches, one after the other, and not the store's
    std::jthread thread_;                       // last member: it uses all the others
};

}  // namespace postern::webhooks
