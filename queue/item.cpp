#include "queue/item.h"

namespace postern::queue {

std::string_view stateName(State state) {
    switch (state) {
        case State::Ready: return "ready";
        case State::Claimed: return "claimed";
        case State::Publishing: return "publishing";
        case State::Exported: return "exported";
        case State::Failed: return "failed";
        case State::Held: return "held";
        case State::InDoubt: return "in_doubt";
        case State::Deleted: return "deleted";
    }
    return "";
}

std::optional<State> stateOf(std::string_view name) {
    for (const State state : kAllStates)
        if (stateName(state) == name) return state;
    return std::nullopt;
}

}  // namespace postern::queue
