#include "connector/admin/holds.h"

#include "base/log.h"
#include "base/text.h"
#include "connector/admin/waits.h"
#include "connector/config/unknown.h"

namespace postern::admin {

namespace {

Result<Waits> readWaits(const ServiceView& view, const config::Config& config) {
    Waits waits;
    POSTERN_TRY(view.store.read([&](store::ReadSession& session) -> Result<void> {
        POSTERN_LET(found, Waits::read(session, config, view.clock.now()));
        waits = std::move(found);
        return {};
    }));
    return waits;
}

std::string whoOf(const Request& request) {
    return request.who.empty() ? "operator" : request.who;
}

Result<void> answer(const std::string& name, const std::string& text, const RowSink& row) {
    return row(Record().add("adapter", name).add("done", true).add("text", text));
}

}  // namespace

Result<void> suspendAdapter(const ServiceView& view, const Request& request, ByteStream&,
                            const RowSink& row) {
    const auto config = view.config();
    queue::AdapterHold hold;
    hold.adapter = request.field("name");
    if (config::adapterNamed(*config, hold.adapter) == nullptr)
        return config::noAdapter(*config, hold.adapter);
    hold.since = view.clock.now();
    hold.who = whoOf(request);
    hold.reason = request.field("reason");
    if (const std::string_view until = request.field("until"); !until.empty()) {
        const auto millis = parseInt(until);
        if (!millis) return fail(Errc::Invalid, "\"until\" must be milliseconds since 1970");
        hold.until = fromMillis(*millis);
    }
    POSTERN_TRY(
        view.store.write([&](store::WriteSession& session) { return queue::holdAdapter(session, hold); }));
    LogLine line(LogEvent::AdapterHeld);
    line.with("adapter", hold.adapter).with("who", hold.who).with("reason", hold.reason);
    if (hold.until) line.with("until", formatUtc(*hold.until));
    if (view.holdChanged) view.holdChanged(hold.adapter);
    return answer(hold.adapter, holdText(hold), row);
}

Result<void> resumeAdapter(const ServiceView& view, const Request& request, ByteStream&, const RowSink& row) {
    const auto config = view.config();
    const std::string name(request.field("name"));
    bool gone = false;
    POSTERN_TRY(view.store.write([&](store::WriteSession& session) -> Result<void> {
        POSTERN_LET(released, queue::releaseAdapter(session, name, whoOf(request)));
        gone = released;
        return {};
    }));
    if (!gone && config::adapterNamed(*config, name) == nullptr) return config::noAdapter(*config, name);
    if (gone) {
        LogLine(LogEvent::AdapterReleased)
            .with("adapter", name)
            .with("who", whoOf(request))
            .with("reason", "resumed");
        if (view.holdChanged) view.holdChanged(name);
    }
    POSTERN_LET(waits, readWaits(view, *config));
    const Wait rest = waits.ofAdapter(name);
    const std::string text = gone ? "resumed" : "nobody suspended it";
    return answer(name, rest.text.empty() ? text : text + "; " + rest.text, row);
}

}  // namespace postern::admin
