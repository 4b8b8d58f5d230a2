#pragma once
// Tells watchers that work may be waiting. A notification is a hint and carries no work: the table is the
// truth, and losing every hint delays mail by at most the poll interval (I6).
//
// Ownership (the rule whose absence was KB Q272274): a subscriber owns its Inbox; the notifier holds it
// weakly and takes a strong reference only while it pushes. No lock is held during a push and no foreign code
// runs in one. A subscription may end at any moment, from either side, also while it is being notified (I9).

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/sync.h"

namespace postern::store {

// Counts hints up to "one or more": bursts collapse, the last one is never lost (KB Q226137).
class Inbox {
  public:
    void push();   // any thread
    void close();  // any thread; wakes the waiter for good
    // True when a hint came since the last wait, false at the deadline or after close(). One waiting thread.
    bool waitUntil(SteadyTime deadline);
    // For one who has no use for hints yet: they wake nobody and are kept for the next wait. Ends like the
    // other.
    void restUntil(SteadyTime deadline);
    bool closed() const;

  private:
    mutable Mutex mutex_;
    Condition condition_;
    bool hinted_ GUARDED_BY(mutex_) = false;
    bool resting_ GUARDED_BY(mutex_) = false;
    bool closed_ GUARDED_BY(mutex_) = false;
};

struct NotifierCounters {
    std::int64_t published = 0;  // calls of notify
    std::int64_t pushed = 0;     // inboxes pushed to
};

class Notifier {
  public:
    // Hints for `topic` (an adapter's name) reach the inbox until it is destroyed or closed.
    [[nodiscard]] std::shared_ptr<Inbox> subscribe(const std::string& topic);
    void notify(std::string_view topic);
    void notifyAll();
    std::size_t subscribers() const;  // live ones; the others are forgotten at the next subscription
    NotifierCounters counters() const;

  private:
    struct Entry {
        std::string topic;
        std::weak_ptr<Inbox> inbox;
    };
    using List = std::vector<Entry>;
    // Copy-on-write: a push takes the list under the lock and walks it outside.
    std::shared_ptr<const List> list() const;
    void push(const std::string_view* topic);  // null: all topics

    mutable Mutex mutex_;
    std::shared_ptr<const List> list_ GUARDED_BY(mutex_) = std::make_shared<const List>();
    std::atomic<std::int64_t> published_{0};
    std::atomic<std::int64_t> pushed_{0};
};

}  // namespace postern::store
