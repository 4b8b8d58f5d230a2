#pragma once
// What became of a mail at the legacy side. Temporary, permanent and unknown are in the type: a failure that
// does not say is Deferred, an end that does not say is Unknown.

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace postern::adapters {

enum class Verdict {
    Exported,  // the legacy side has it
    Deferred,  // it does not have it; try again later
    Rejected,  // it does not have it and never will: the message or the address is impossible there
    Unknown,   // it may or may not have it
};

// Why a mail was deferred, as far as the adapter knows: an administrator may give each class a back-off of
// its own (`retry_rules`). Names as configured.
enum class Cause {
    Other,       // "other": nothing of the below, or nobody said
    Connection,  // "connection": the other side could not be reached or went away (network adapters)
    Busy,        // "busy": something is in use now: a locked folder, a name not taken away yet (spools)
    Full,        // "full": a disk, quota or mailbox (spools: one recipient's folder; a server's 452)
    Refused,     // "refused": not permitted now, or turned away for now (spools: a folder's mode; a server's
                 // 4xx)
};
inline constexpr Cause kAllCauses[] = {Cause::Other, Cause::Connection, Cause::Busy, Cause::Full,
                                       Cause::Refused};
std::string_view causeName(Cause cause);
// The class of a system error.
Cause causeOf(Errc code);

struct RecipientVerdict {
    int ordinal;  // as in Delivery
    Verdict verdict;
    std::string reason;
    std::string status = {};     // as Outcome::status
    Cause cause = Cause::Other;  // Deferred
};

struct Outcome {
    Verdict verdict = Verdict::Deferred;
    std::string reason;  // UTF-8, one line, for the operator: what happened and, if known, what to do
    std::string target;  // Exported: where it went
    // Those that differ from `verdict`, and those that are Rejected with a reason of their own; none of them
    // Unknown. With an Unknown verdict: those whose end is
    // known all the same, so that only the others are in doubt.
    std::vector<RecipientVerdict> recipients;
    // Exported: the Deferred among `recipients` wait for nothing but their turn. Deferred: another mail's end
    // took this one along; it is due again at once, and the attempt is not counted.
    bool again = false;
    bool adapterUnusable = false;  // Deferred because of the folder, disk or tool and not because of this
                                   // mail: suspend the adapter, do not count the attempt
    Cause cause = Cause::Other;    // Deferred
    std::string status = {};       // RFC 3463, "5.1.1", where the legacy side says one; for delivery reports
};

inline Outcome deferred(std::string reason, Cause cause = Cause::Other) {
    return {Verdict::Deferred, std::move(reason), {}, {}, false, false, cause};
}
inline Outcome deferred(const Error& error) {
    return deferred(error.text, causeOf(error.code));
}
inline Outcome rejected(std::string reason) {
    return {Verdict::Rejected, std::move(reason), {}, {}, false, false, Cause::Other};
}
inline Outcome unknown(std::string reason) {
    return {Verdict::Unknown, std::move(reason), {}, {}, false, false, Cause::Other};
}
inline Outcome exported(std::string target) {
    return {Verdict::Exported, {}, std::move(target), {}, false, false, Cause::Other};
}
inline Outcome unusable(std::string reason) {
    return {Verdict::Deferred, std::move(reason), {}, {}, false, true, Cause::Other};
}

}  // namespace postern::adapters
