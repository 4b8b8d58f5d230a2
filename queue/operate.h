#pragma once
// What operators do to items: one guarded UPDATE each, one history row each with the operator's name. The
// service's control socket and the CLI (when the service is down) call the same functions.

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "queue/fate.h"
#include "queue/item.h"
#include "store/store.h"

namespace postern::queue {

// Claimed and publishing items are in a watcher's hands: every verb is refused for them.
enum class Verb {
    Hold,     // ready -> held
    Release,  // held -> ready, due now, deaths forgotten
    Retry,    // ready -> ready, due now; failed -> ready, due now, for the recipients that failed; if
              // they fail again the sender is told again
    Bounce,   // ready, held, failed, in_doubt -> failed, and the sender is told, of a failed item again
    Delete,   // ready, held, failed, in_doubt -> deleted. The mail stays readable until the purge
    ResolveExported,  // in_doubt -> exported: a person saw it on the legacy side
    ResolveResend,    // in_doubt -> ready: a person saw that it is not there
    ResolveFailed,    // in_doubt -> failed, and the sender is told
};
inline constexpr Verb kAllVerbs[] = {Verb::Hold,          Verb::Release,      Verb::Retry,
                                     Verb::Bounce,        Verb::Delete,       Verb::ResolveExported,
                                     Verb::ResolveResend, Verb::ResolveFailed};
// An item that a person makes ready again lives at least this long from then on: past its age it would fail
// before it was tried.
inline constexpr Millis kSecondLife{24 * 3'600'000};

std::string_view verbName(Verb verb);
std::optional<Verb> verbOf(std::string_view name);  // "hold", "resolve-exported", ...
bool takesState(Verb verb, State from);

struct VerbResult {
    ItemId item;
    bool done = false;
    bool missing = false;  // there is no such item
    std::string text;      // "held", or why not: "is publishing; only ready items can be held"
    std::string adapter;   // to notify, when the item became ready
};

// Inside Store::write. `who` is the operator's name, never empty (Invalid). Each id gets its own result; an
// id that does not exist or is in a state the verb does not take is refused by itself and changes nothing.
// `tell` makes the report to the sender where the verb fails or exports something; empty: nobody is told.
Result<std::vector<VerbResult>> operate(store::WriteSession& session, Verb verb, std::span<const ItemId> ids,
                                        const std::string& who, const std::string& reason, WallTime now,
                                        const Teller& tell = {});

// The adapter's own state (running, suspended), kept across restarts.
struct AdapterState {
    std::string adapter;
    bool suspended = false;
    WallTime since;
    std::string who;
    std::string reason;  // suspended: what to mend; else what it found when it was opened
    std::optional<WallTime> until, probe;
};
Result<std::vector<AdapterState>> readAdapterStates(store::ReadSession& session);
Result<void> writeAdapterState(store::WriteSession& session, const AdapterState& state);

// Removes messages all of whose items were settled before `before`, at most `most` of them, with bodies,
// items, recipients and history. `files` collects body files to delete after the commit. Result: how many
// messages went.
Result<std::int64_t> purgeSettled(store::WriteSession& session, WallTime before, int most,
                                  std::vector<std::string>& files);

}  // namespace postern::queue
