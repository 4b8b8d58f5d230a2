#pragma once
// An adapter suspended by a person: nothing of it is claimed (the claim's own statement looks, so none begins
// once the suspension is committed) until somebody resumes it or its time is over. Kept across restarts;
// apart from the adapter's own health (AdapterState in operate.h): both may hold at once.
//
// Thread rule: the functions belong to the session's thread.

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "store/store.h"

namespace postern::queue {

struct AdapterHold {
    std::string adapter;
    WallTime since;
    std::string who, reason;        // who is never empty
    std::optional<WallTime> until;  // it does not hold from then on; nothing: until somebody resumes it
    bool holds(WallTime now) const { return !until || *until > now; }
    bool operator==(const AdapterHold&) const = default;
};

// All rows, also those whose time is over and that nobody has removed yet: ask holds().
Result<std::vector<AdapterHold>> readHolds(store::ReadSession& session);
// Sets it or replaces the one before. Invalid without a name or with an end that is not after its beginning.
Result<void> holdAdapter(store::WriteSession& session, const AdapterHold& hold);
// Removes it; `who` is told of as who did so. Result: whether there was one.
Result<bool> releaseAdapter(store::WriteSession& session, const std::string& adapter,
                            std::string_view who = "postern");
// Removes it if its time is over by then.
Result<bool> releaseExpired(store::WriteSession& session, const std::string& adapter, WallTime now);

}  // namespace postern::queue
