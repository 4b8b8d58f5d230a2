#pragma once
// Events that somebody outside is to be told of, between the transaction in which they happened and the one
// in which the telling is queued. Triggers on history, adapter_state and adapter_hold write them (table
// `event`), so whatever changes an item, service or command line, need not know; without a follower there is
// no trigger and nothing is written.
//
// Not events are those of the mails that tell of events (message.protocol kEventProtocol) and of the
// followers' own adapters: telling never makes more to tell.
//
// Thread rule: inside Store::write or Store::read.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/ids.h"
#include "store/store.h"

namespace postern::queue {

// message.protocol of a mail that tells of an event, and of reports about such a mail. No protocol of a
// listener.
inline constexpr std::string_view kEventProtocol = "event";

// Words of events that stand in no item's history.
namespace adapter_event {
inline constexpr std::string_view kSuspended = "adapter suspended";  // its folder or tool is unusable
inline constexpr std::string_view kRunning = "adapter running";      // and works again
inline constexpr std::string_view kHeld = "adapter held";            // a person suspended it
inline constexpr std::string_view kReleased = "adapter released";    // a person, or its time, ended that
}  // namespace adapter_event

struct Event {
    std::int64_t id = 0;  // grows; never reused
    WallTime at;
    std::string word, who, detail, adapter;
    std::optional<ItemId> item;
};

struct Follower {
    std::string adapter;
    std::int64_t after = 0;  // the last event before its time
};

// From now on these adapters' followers are told of these words (queue/history.h, verbs of operate.h, and
// adapter_event). One that was not there begins behind the newest event. Empty: nothing is recorded any more,
// and what waited is dropped. The same again changes nothing, but for triggers of an older version.
Result<void> followEvents(store::WriteSession& session, const std::vector<std::string>& adapters,
                          const std::vector<std::string_view>& words);
// Whether followEvents() left anybody there.
Result<bool> hasFollowers(store::ReadSession& session);
Result<std::vector<Follower>> readFollowers(store::ReadSession& session);

// The oldest `most`, in order.
Result<std::vector<Event>> readEvents(store::ReadSession& session, int most);
// In the transaction that queues the telling: those up to `last` are done with.
Result<void> dropEvents(store::WriteSession& session, std::int64_t last);
// Nobody will be told of the oldest event, since no telling can be made of it: its item's history says why.
Result<void> setEventAside(store::WriteSession& session, const Event& event, const std::string& reason,
                           WallTime now);

}  // namespace postern::queue
