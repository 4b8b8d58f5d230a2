#include "connector/admin/watch.h"

#include "base/text.h"

namespace postern::admin {

namespace {

constexpr Millis kBeat{10'000};  // a client that went away is noticed by then

}  // namespace

bool passes(const FeedEvent& event, const Request& request) {
    const std::string_view adapter = request.field("adapter"), item = request.field("item");
    if (!logEventInfo(event.event).id.starts_with(request.field("event"))) return false;
    if (!item.empty() && item != std::to_string(event.item.value)) return false;
    return adapter.empty() || valueIn(event.line, "adapter") == adapter;
}

Result<void> watch(const ServiceView& view, const Request& request, ByteStream&, const RowSink& row) {
    if (view.feed == nullptr) return fail(Errc::Unavailable, "no service runs: nothing happens");
    const std::string adapter(request.field("adapter"));
    const auto known = [&](store::ReadSession& session) {
        return checkAdapter(session, *view.config(), adapter);
    };
    if (!adapter.empty()) POSTERN_TRY(view.store.read(known));
    const std::string_view from = request.field("after");
    const auto after = from.empty() ? std::optional(view.feed->last()) : parseInt(from);
    if (!after || *after < 0) return fail(Errc::Invalid, "after must be the serial of an event");
    for (std::int64_t seen = *after;;) {
        const Feed::News news = view.feed->wait(seen, view.clock.steady() + kBeat);
        if (news.stopped) return {};
        if (news.missed > 0)
            POSTERN_TRY(row(Record().add("event", "watch.missed").add("count", news.missed)));
        for (const FeedEvent& event : news.events) {
            seen = event.serial;
            if (passes(event, request)) POSTERN_TRY(row(feedRow(event)));
        }
        if (news.events.empty()) POSTERN_TRY(row(Record().add("event", "watch.beat")));
    }
}

}  // namespace postern::admin
