#include "connector/chat/event_lines.h"

#include <algorithm>
#include <array>

#include "base/text.h"

namespace postern::chat {

namespace {

// In the order of EventKind.
constexpr std::array<std::string_view, kEventKinds> kNames = {
    "exported", "deferred", "failed", "held", "doubt", "changed", "adapter", "space", "service"};

struct Told {
    LogEvent event;
    EventKind kind;
    const char* words;
};

constexpr Told kTold[] = {
    {LogEvent::ItemExported, EventKind::Exported, "exported"},
    {LogEvent::ItemPartly, EventKind::Exported, "exported to some"},
    {LogEvent::ItemDeferred, EventKind::Deferred, "deferred"},
    {LogEvent::ItemMoved, EventKind::Deferred, "goes to its fallback"},
    {LogEvent::ItemFailed, EventKind::Failed, "failed"},
    {LogEvent::ItemReturned, EventKind::Failed, "given back by the legacy side"},
    {LogEvent::ItemHeld, EventKind::Held, "held"},
    {LogEvent::ItemInDoubt, EventKind::Doubt, "in doubt"},
    {LogEvent::ItemUnanswered, EventKind::Doubt, "not known yet"},
    {LogEvent::ItemAnswered, EventKind::Doubt, "known at last"},
    {LogEvent::ItemChanged, EventKind::Changed, "changed"},
    {LogEvent::AdapterSuspended, EventKind::Adapter, "adapter suspended"},
    {LogEvent::AdapterResumed, EventKind::Adapter, "adapter resumed"},
    {LogEvent::AdapterHeld, EventKind::Adapter, "adapter suspended by a person"},
    {LogEvent::AdapterReleased, EventKind::Adapter, "adapter resumed by a person"},
    {LogEvent::AdapterHostDown, EventKind::Adapter, "host down"},
    {LogEvent::AdapterHostUp, EventKind::Adapter, "host up"},
    {LogEvent::ImportFailed, EventKind::Adapter, "import failed"},
    {LogEvent::ImportSetAside, EventKind::Adapter, "import set aside"},
    {LogEvent::DiskLow, EventKind::Space, "space low"},
    {LogEvent::DiskAmple, EventKind::Space, "space enough again"},
    {LogEvent::StoreFull, EventKind::Space, "the store's disk is full"},
    {LogEvent::StoreRoom, EventKind::Space, "the store has room again"},
    {LogEvent::StoreBallastOut, EventKind::Space, "the space kept for a full disk is given away"},
    {LogEvent::StoreBroken, EventKind::Service, "THE STORE IS BROKEN"},
    {LogEvent::ServiceStuck, EventKind::Service, "a thread is stuck"},
    {LogEvent::ServiceReady, EventKind::Service,
     "the service is ready; what was before its start is in the log, and 'list' tells what waits"},
    {LogEvent::ServiceStopping, EventKind::Service, "the service stops"},
    {LogEvent::ConfigReloaded, EventKind::Service, "configuration reloaded"},
    {LogEvent::ConfigRejected, EventKind::Service, "configuration refused"},
    {LogEvent::PickupTrouble, EventKind::Service, "pickup in trouble"},
};

const Told* toldOf(LogEvent event) {
    for (const Told& told : kTold)
        if (told.event == event) return &told;
    return nullptr;
}

// Exported and failed by itself, or made so by a person; what was moved lives on as another item.
bool endsItem(const admin::FeedEvent& event) {
    constexpr std::string_view kEnds[] = {"bounce", "delete", "move", "resolve-exported", "resolve-failed"};
    if (event.event != LogEvent::ItemChanged)
        return event.event == LogEvent::ItemExported || event.event == LogEvent::ItemFailed;
    const std::string change = admin::valueIn(event.line, "change");
    return std::find(std::begin(kEnds), std::end(kEnds), change) != std::end(kEnds);
}

}  // namespace

std::string_view eventKindName(EventKind kind) {
    return kNames[static_cast<std::size_t>(kind)];
}

std::optional<EventKind> eventKindNamed(std::string_view name) {
    for (std::size_t i = 0; i < kEventKinds; ++i)
        if (kNames[i] == name) return static_cast<EventKind>(i);
    return std::nullopt;
}

bool wantsAttention(EventKind kind) {
    return kind != EventKind::Exported && kind != EventKind::Deferred && kind != EventKind::Changed;
}

std::optional<EventLine> eventLine(const admin::FeedEvent& event) {
    constexpr std::size_t kLongest = 350;  // bytes: a line of IRC has 510, with who says it and where
    const Told* told = toldOf(event.event);
    if (told == nullptr) return std::nullopt;
    EventLine line;
    line.kind = told->kind;
    line.item = event.item;
    line.adapter = admin::valueIn(event.line, "adapter");
    line.at = event.at;
    line.over = endsItem(event);
    const std::string facts = escapeLine(event.line, kLongest);
    line.text = (event.item ? std::to_string(event.item.value) + " " : "") + told->words +
                (facts.empty() ? "" : ": " + facts);
    return line;
}

}  // namespace postern::chat
