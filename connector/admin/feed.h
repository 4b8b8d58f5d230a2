#pragma once
// Events as they happen, for people who watch: the log lines of this service, kept for a moment and handed to
// whoever waits for them. Bounded: who does not keep up loses the oldest, and is told how many.
//
// Thread rule: any thread. push() never waits for a reader.

#include <deque>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/log.h"
#include "base/sync.h"
#include "connector/admin/record.h"

namespace postern::admin {

struct FeedEvent {
    std::int64_t serial = 0;  // counts from 1 with this process
    WallTime at;
    LogEvent event{};
    ItemId item;       // may be none
    std::string line;  // "key=value ...", as in the log behind its event
};

class Feed {
  public:
    explicit Feed(std::size_t kept = 1000) : kept_(kept) {}

    void push(WallTime at, LogEvent event, ItemId item, std::string_view line);

    struct News {
        std::vector<FeedEvent> events;
        std::int64_t missed = 0;  // happened behind `after` and are gone
        bool stopped = false;     // there will be no more
    };
    // What happened behind `after`, at most `most`; waits for it until `deadline`.
    News wait(std::int64_t after, SteadyTime deadline, std::size_t most = 100);
    std::int64_t last() const;  // the newest serial; 0: none yet
    void stop();                // wakes all who wait, for good

  private:
    const std::size_t kept_;
    mutable Mutex mutex_;
    Condition condition_;
    std::deque<FeedEvent> events_ GUARDED_BY(mutex_);
    std::int64_t last_ GUARDED_BY(mutex_) = 0;
    bool stopped_ GUARDED_BY(mutex_) = false;
};

// The value of "key=" in such a line, without quotes and escapes; "" when there is none.
std::string valueIn(std::string_view line, std::string_view key);

// serial, at, event, item, severity, adapter, text.
Record feedRow(const FeedEvent& event);

}  // namespace postern::admin
