#pragma once
// What a receiver is told of one event: a JSON document, and the mail of ours that carries it through the
// queue. docs/adapters/webhook.md has the fields; they are stable, and new ones come last.
// Thread rule: pure.

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "queue/item.h"
#include "queue/outbox.h"
#include "store/messages.h"

namespace postern::webhooks {

// The item as it stands when the event is handed on, which may be later than the event.
struct EventItem {
    queue::ItemRow row;
    std::string source;  // of its message
    std::vector<queue::RecipientRow> recipients;
};

struct EventContext {
    std::string hostname, storeId;
};

// The words of history and adapters that are this event; empty: there is no event of that name.
std::vector<std::string_view> wordsOf(std::string_view event);
// The event that a word is ("item.exported"); empty: none.
std::string_view eventOf(std::string_view word);

// REQUIRES: eventOf(event.word) is not empty. Without `item`: an adapter's own, or an item that is purged.
std::string document(const queue::Event& event, const std::optional<EventItem>& item,
                     const EventContext& context);

// The mail that carries it to `adapter`.
struct EventMail {
    store::NewMessage message;
    std::string bytes;
    queue::RecipientRow recipient;
};
EventMail mailOf(const queue::Event& event, std::string_view document, const std::string& adapter,
                 WallTime now, const EventContext& context);

}  // namespace postern::webhooks
