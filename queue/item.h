#pragma once
// The words of the queue: states, items, claims, settlements. docs/STATES.md is the same list for people, and
// a test holds the two and the CHECK in 0002_queue.sql together.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/ids.h"

namespace postern::queue {

enum class State { Ready, Claimed, Publishing, Exported, Failed, Held, InDoubt, Deleted };
inline constexpr State kAllStates[] = {State::Ready,  State::Claimed, State::Publishing, State::Exported,
                                       State::Failed, State::Held,    State::InDoubt,    State::Deleted};

std::string_view stateName(State state);  // as stored: "in_doubt"
std::optional<State> stateOf(std::string_view name);
inline bool isFinal(State state) {
    return state == State::Exported || state == State::Failed || state == State::Deleted;
}

struct RecipientRow {
    int ordinal = 0;
    std::string address;              // Internet address of the envelope
    std::string legacy;               // the name on the legacy side
    std::string outcome = "pending";  // pending, exported, failed, deleted
    std::string reason;
    std::string notify =
        {};  // NOTIFY of RFC 3461, lower case: "", "never", "success,failure,delay" in any choice
    std::string original = {};  // ORCPT as given, "rfc822;xtext"
    std::string status = {};  // RFC 3463, "5.1.1", as far as known; in a Settlement and a Fate, never stored
};

// What intake asks for: one artifact of a message for one adapter.
struct NewItem {
    std::string adapter;
    std::string group;                     // unique within (message, adapter): "1", "2", ...
    std::vector<RecipientRow> recipients;  // ordinals are given by enqueue; never empty
    WallTime expires;
    std::string hold = {};  // not empty: it begins as held, for this reason
};

// An item in somebody's hands until the lease ends. Dropping it is safe: it lapses.
struct Claim {
    ItemId item;
    Epoch epoch;
    MessageId message;
    std::string adapter;
    std::string group;
    int attempts = 0;  // this one included
    int deaths = 0;
    bool doubted = false;  // an earlier attempt may have been published, and it was tried again all the same
    WallTime leaseUntil;
    WallTime expires;
    std::vector<RecipientRow> recipients;  // the unresolved ones
};

// An item found in `publishing` whose holder lost it, taken over with a new epoch; only the adapter can say
// what became of it (I5).
struct Interrupted {
    Claim claim;
    std::string evidence;         // as recorded by markPublishing
    Epoch stagedEpoch;            // under which it was staged; names the artifact, whoever took it over since
    std::string unanswered = {};  // why nobody could tell when it was last asked about; empty: it was not
};

// What a holder asks to be recorded at the end of an attempt.
struct Settlement {
    enum class Kind {
        Exported,  // published; `target` says where
        Deferred,  // not published; ready again at `due`
        Failed,    // not published and never will be
        Held,      // not published; waits for a person
        InDoubt,   // nobody can tell whether it was published; waits for a person. Recipients that are
                   // listed as "pending" surely do not have it: they go on, in a new item due at `due`
    };
    Kind kind = Kind::Deferred;
    ItemId item;
    Epoch epoch;
    std::string target;
    std::string reason;
    WallTime due;            // when it is tried again, if it becomes ready; REQUIRED for Deferred
    bool suspect = false;    // Deferred only: count a death, so that it is claimed alone next time
    bool uncounted = false;  // Deferred, Exported that leaves some: it was no attempt of those that wait, as
                             // the adapter was to blame or their turn had not come
    bool doubted = false;    // Deferred only: nobody can tell of this attempt; remembered with the item
    std::vector<std::string> notes;  // what the conversion lost or changed: a history row "note" each
    std::string status = {};         // Failed: of those unlisted, as RecipientRow::status
    bool successAsked = false;       // a recipient of the claim has NOTIFY=SUCCESS: look who, and tell
    // Those that end otherwise than the item, by ordinal: "exported", "failed" with a reason, or "pending"
    // for one that must be tried again; may be empty.
    std::vector<RecipientRow> recipients;
};

// For lists and details.
struct ItemRow {
    ItemId id;
    MessageId message;
    std::string adapter, group;
    State state = State::Ready;
    Epoch epoch;
    std::string owner;
    WallTime received;
    WallTime due, expires;
    std::optional<WallTime> leaseUntil, settled;
    int attempts = 0, deaths = 0;
    std::string evidence, target, reason;
    std::string sender, headerId, subject;
    std::int64_t size = 0;
    std::int64_t recipientCount = 0;
    std::string firstRecipient;
};

// How the reason of a publishing item begins that the adapter was asked about and could not tell of.
inline constexpr std::string_view kUnanswered = "not known yet: ";

struct HistoryRow {
    WallTime at;
    std::string who, what, detail;
};

}  // namespace postern::queue
