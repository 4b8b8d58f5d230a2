#pragma once
// What became of a mail at the legacy side. Temporary, permanent and unknown are in the type: a failure that
// does not say is Deferred, an end that does not say is Unknown.

#include <string>
#include <vector>

namespace postern::adapters {

enum class Verdict {
    Exported,  // the legacy side has it
    Deferred,  // it does not have it; try again later
    Rejected,  // it does not have it and never will: the message or the address is impossible there
    Unknown,   // it may or may not have it
};

struct RecipientVerdict {
    int ordinal;  // as in Delivery
    Verdict verdict;
    std::string reason;
};

struct Outcome {
    Verdict verdict = Verdict::Deferred;
    std::string reason;  // UTF-8, one line, for the operator: what happened and, if known, what to do
    std::string target;  // Exported: where it went
    std::vector<RecipientVerdict> recipients;  // those that differ from `verdict`
    bool adapterUnusable = false;  // Deferred because of the folder, disk or tool and not because of this
                                   // mail: suspend the adapter, do not count the attempt
};

inline Outcome deferred(std::string reason) {
    return {Verdict::Deferred, std::move(reason), {}, {}, false};
}
inline Outcome rejected(std::string reason) {
    return {Verdict::Rejected, std::move(reason), {}, {}, false};
}
inline Outcome unknown(std::string reason) {
    return {Verdict::Unknown, std::move(reason), {}, {}, false};
}
inline Outcome exported(std::string target) {
    return {Verdict::Exported, {}, std::move(target), {}, false};
}
inline Outcome unusable(std::string reason) {
    return {Verdict::Deferred, std::move(reason), {}, {}, true};
}

}  // namespace postern::adapters
