#pragma once
// Which log lines the channel of the queue hears of, and in which words. Pure; any thread.

#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "connector/admin/feed.h"

namespace postern::chat {

// What a person may choose by; `Service` is told to everybody who does not choose.
enum class EventKind {
    Exported,
    Deferred,
    Failed,
    Held,
    Doubt,
    Changed,  // by an operator
    Adapter,
    Space,
    Service,
};
inline constexpr std::size_t kEventKinds = 9;
std::string_view eventKindName(EventKind kind);
std::optional<EventKind> eventKindNamed(std::string_view name);

// Whether a person has to do something, or may have to: such lines have room of their own beside the others.
bool wantsAttention(EventKind kind);

struct EventLine {
    EventKind kind{};
    ItemId item{};        // may be none
    std::string adapter;  // may be empty
    WallTime at{};
    bool over = false;  // nothing more will become of the item by itself
    std::string text;   // one line for people, without control characters
};

// Nothing: the channel does not hear of it.
std::optional<EventLine> eventLine(const admin::FeedEvent& event);

}  // namespace postern::chat
