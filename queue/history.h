#pragma once
// The words of an item's history, in one list, and how a row is written. For this room and for who is called
// inside its transactions (fate.h): others read the history with inspect.h.

#include <string_view>

#include "base/clock.h"
#include "base/ids.h"
#include "store/store.h"

namespace postern::queue {

namespace history {
inline constexpr std::string_view kService = "postern";  // who, when it was not an operator

inline constexpr std::string_view kQueued = "queued";           // accepted, with its message
inline constexpr std::string_view kExported = "exported";       // detail: attempt and target
inline constexpr std::string_view kPartly = "partly exported";  // some have it, the others are tried again
inline constexpr std::string_view kDeferred = "deferred";       // not published; tried again later
inline constexpr std::string_view kFailed = "failed";           // never will be
inline constexpr std::string_view kHeld = "held";               // set aside for a person
inline constexpr std::string_view kMoved = "moved";             // to, or from, another adapter's item
inline constexpr std::string_view kReplayed = "replayed";       // exported once more, as a new item
inline constexpr std::string_view kInDoubt = "in doubt";        // nobody can tell; waits for a person
inline constexpr std::string_view kReturned = "returned";  // the legacy side said more of it after it took it
inline constexpr std::string_view kLapsed = "lapsed";      // its claim ended without a word; ready again
inline constexpr std::string_view kInterrupted =
    "interrupted";  // cut off in publishing; the adapter is asked
inline constexpr std::string_view kUnanswered = "not known yet";  // it was, and can not tell now; asked again
inline constexpr std::string_view kRecipient = "recipient";  // one recipient ended otherwise than the item
inline constexpr std::string_view kReported =
    "reported";  // somebody was told: who, of what, by which message
inline constexpr std::string_view kUnreported = "not reported";  // nobody was told, and why
inline constexpr std::string_view kNote = "note";                // what the conversion lost or changed
// and the verbs of operate.h, with the operator's name; "retry" with ours where what it waits for is there
}  // namespace history

// One row, in the transaction of the change it tells of.
Result<void> record(store::WriteSession& session, ItemId item, WallTime at, std::string_view who,
                    std::string_view what, std::string_view detail);

}  // namespace postern::queue
