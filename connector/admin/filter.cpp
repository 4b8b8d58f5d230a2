#include "connector/admin/filter.h"

#include <algorithm>

#include "base/text.h"
#include "connector/admin/selection.h"
#include "connector/config/unknown.h"

namespace postern::admin {

namespace {

constexpr Parameter kParameters[] = {
    {"ids", "items: 3, 3-7, or m12 for those of message 12"},
    {"adapter", "only this adapter's"},
    {"state", "only those in this state, or in one of these: held,in_doubt"},
    {"from", "the sender contains this"},
    {"to", "a recipient or legacy name contains this"},
    {"older", "came in longer ago: 90s, 2h, 7d"},
    {"message_id", "the Message-ID of the mail"},
    {"error", "the reason of the item or of a recipient contains this"},
    {"limit", "at most so many"},
};

Result<std::vector<queue::State>> statesFrom(std::string_view names) {
    std::vector<queue::State> states;
    for (const std::string_view name : split(names, ',')) {
        const auto state = queue::stateOf(trim(name));
        if (!state) {
            std::string all;
            for (const queue::State each : queue::kAllStates)
                all += (all.empty() ? "" : ", ") + std::string(queue::stateName(each));
            return fail(Errc::Invalid, "state must be one of " + all);
        }
        states.push_back(*state);
    }
    return states;
}

Result<std::int64_t> numberFrom(const Request& request, const char* name) {
    const std::string_view text = request.field(name);
    if (text.empty()) return std::int64_t{0};
    const auto number = parseInt(text);
    if (!number || *number < 0)
        return fail(Errc::Invalid, std::string(name) + " must be a whole number, 0 or more");
    return *number;
}

Result<std::vector<ItemId>> idsFrom(store::ReadSession& session, const Request& request) {
    POSTERN_LET(selection, parseSelection(request.field("ids")));
    POSTERN_LET(ids, selectItems(session, selection));
    if (ids.empty()) ids.push_back(ItemId{});  // a range without items: nothing matches
    return ids;
}

}  // namespace

std::span<const Parameter> filterParameters() {
    return kParameters;
}

bool choosesItems(const Request& request) {
    return std::any_of(std::begin(kParameters), std::end(kParameters), [&](const Parameter& each) {
        return std::string_view(each.name) != "limit" && !request.field(each.name).empty();
    });
}

Result<void> checkAdapter(store::ReadSession& session, const config::Config& config,
                          const std::string& name) {
    if (name.empty() || config::adapterNamed(config, name) != nullptr) return {};
    queue::Filter any;
    any.adapter = name;
    any.limit = 1;
    bool has = false;
    POSTERN_TRY(queue::listItems(session, any, [&](const queue::ItemRow&) {
        has = true;
        return false;
    }));
    return has ? Result<void>() : config::noAdapter(config, name);
}

Result<queue::Filter> filterFrom(store::ReadSession& session, const config::Config& config,
                                 const Request& request, WallTime now) {
    queue::Filter filter;
    filter.adapter = request.field("adapter");
    POSTERN_TRY(checkAdapter(session, config, filter.adapter));
    filter.sender = request.field("from");
    filter.recipient = request.field("to");
    filter.headerId = request.field("message_id");
    filter.reason = request.field("error");
    POSTERN_LET(limit, numberFrom(request, "limit"));
    filter.limit = limit;
    POSTERN_LET(after, numberFrom(request, "after"));
    filter.after = ItemId{after};
    if (const std::string_view names = request.field("state"); !names.empty()) {
        POSTERN_LET(states, statesFrom(names));
        filter.states = std::move(states);
    }
    if (const std::string_view age = request.field("older"); !age.empty()) {
        const auto millis = parseDurationMillis(age);
        if (!millis) return fail(Errc::Invalid, "older must be a time with its unit: 90s, 2h, 7d");
        filter.receivedBefore = now - Millis{*millis};
    }
    if (!request.field("ids").empty()) {
        POSTERN_LET(ids, idsFrom(session, request));
        filter.ids = std::move(ids);
    }
    const bool named = !filter.ids.empty() || !filter.headerId.empty() || !filter.states.empty();
    filter.waiting = !named && request.field("all") != "true";
    return filter;
}

Result<void> narrowTo(std::string_view name, const std::function<bool(queue::State)>& takes,
                      queue::Filter& filter) {
    const auto wanted = [&](queue::State state) {
        return filter.states.empty()
                   ? !queue::isFinal(state)
                   : std::find(filter.states.begin(), filter.states.end(), state) != filter.states.end();
    };
    std::vector<queue::State> states;
    for (const queue::State state : queue::kAllStates)
        if (takes(state) && wanted(state)) states.push_back(state);
    if (states.empty()) return fail(Errc::Invalid, std::string(name) + " takes no item in such a state");
    filter.states = std::move(states);
    filter.waiting = false;
    return {};
}

}  // namespace postern::admin
