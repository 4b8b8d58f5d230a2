#include "connector/admin/waits.h"

#include "adapters/chat/chat_entry.h"
#include "base/text.h"
#include "queue/inspect.h"

namespace postern::admin {

namespace {

std::string behind(const std::string& text, const std::string& reason) {
    return reason.empty() ? text : text + ": " + reason;
}

}  // namespace

std::string holdText(const queue::AdapterHold& hold) {
    return behind("suspended by " + hold.who + (hold.until ? " until " + formatUtc(*hold.until) : ""),
                  hold.reason);
}

Result<Waits> Waits::read(store::ReadSession& session, const config::Config& config, WallTime now) {
    Waits waits;
    waits.config_ = &config;
    waits.now_ = now;
    POSTERN_LET(holds, queue::readHolds(session));
    for (queue::AdapterHold& hold : holds)
        if (hold.holds(now)) waits.holds_[hold.adapter] = std::move(hold);
    queue::Filter publishing;
    publishing.states = {queue::State::Publishing};
    POSTERN_TRY(queue::listItems(session, publishing, [&](const queue::ItemRow& item) {
        if (item.reason.starts_with(queue::kUnanswered))
            waits.unanswered_.try_emplace(
                item.adapter,
                Wait{"item " + std::to_string(item.id.value) + ": " + item.reason, item.leaseUntil});
        return true;
    }));
    POSTERN_LET(states, queue::readAdapterStates(session));
    for (queue::AdapterState& state : states)
        if (state.suspended) waits.states_[state.adapter] = std::move(state);
    return waits;
}

const queue::AdapterHold* Waits::holdOf(const std::string& adapter) const {
    const auto found = holds_.find(adapter);
    return found == holds_.end() ? nullptr : &found->second;
}

const queue::AdapterState* Waits::unhealthy(const std::string& adapter) const {
    const auto found = states_.find(adapter);
    return found == states_.end() ? nullptr : &found->second;
}

Wait Waits::ofAdapter(const std::string& adapter) const {
    const config::Adapter* settings = config::adapterNamed(*config_, adapter);
    if (settings == nullptr) return {"adapter " + adapter + " is not configured", std::nullopt};
    if (const auto* hold = holdOf(adapter))
        return {"adapter " + adapter + " is " + holdText(*hold), hold->until};
    if (const auto* state = unhealthy(adapter)) {
        std::string text = "adapter " + adapter + " is unhealthy";
        const bool ahead = state->probe && *state->probe > now_;
        if (state->probe)
            text += ahead ? ", next look " + formatUtc(*state->probe) : ", the next look is due";
        return {behind(text, state->reason), state->probe};
    }
    const config::SendWindows& windows = settings->policy.windows;
    if (windows.open(now_)) return {};
    const auto opens = windows.opens(now_);
    return {"waits for its send window" + (opens ? ", opens " + windows.text(*opens) : ""), opens};
}

Wait Waits::unansweredOf(const std::string& adapter) const {
    const auto found = unanswered_.find(adapter);
    return found == unanswered_.end() ? Wait{} : found->second;
}

Wait Waits::ofReady(const queue::ItemRow& item) const {
    if (Wait wait = ofAdapter(item.adapter); !wait.text.empty()) return wait;
    const config::Adapter* settings = config::adapterNamed(*config_, item.adapter);
    if (item.due > now_) {
        std::string text = behind("next attempt " + formatUtc(item.due), item.reason);
        // True as far as it goes: nobody can come.
        if (settings != nullptr && settings->kind == adapters::chat::kChatKind && !config_->chat.on() &&
            item.reason.ends_with(adapters::chat::awayReason("")))
            text += ", and [chat] is off";
        return {std::move(text), item.due};
    }
    std::string text = "due now";
    if (settings != nullptr && settings->policy.rate)
        text += ", at most " + std::to_string(settings->policy.rate->count) + " begin in " +
                formatDurationMillis(settings->policy.rate->per.count());
    return {behind(text, item.reason), std::nullopt};
}

Wait Waits::ofItem(const queue::ItemRow& item) const {
    switch (item.state) {
        case queue::State::Ready: return ofReady(item);
        case queue::State::Held: return {behind("held", item.reason), std::nullopt};
        case queue::State::InDoubt: return {behind("in doubt", item.reason), std::nullopt};
        case queue::State::Claimed:
        case queue::State::Publishing:
            if (item.reason.starts_with(queue::kUnanswered)) return {item.reason, item.leaseUntil};
            return {"is being exported", item.leaseUntil};
        default: return {};
    }
}

}  // namespace postern::admin
