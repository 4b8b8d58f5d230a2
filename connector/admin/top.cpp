#include "connector/admin/top.h"

#include <algorithm>
#include <map>

#include "base/file.h"
#include "base/text.h"
#include "connector/admin/look.h"
#include "connector/admin/status.h"
#include "connector/admin/trouble.h"
#include "queue/inspect.h"

namespace postern::admin {

namespace {

using Flows = std::map<std::string, queue::Flow, std::less<>>;

Record serviceRow(const Record& status, const std::string& folder, WallTime now, Millis over) {
    Record row;
    row.add("type", "service").add("state", status.text("state")).add("at", now).add("over_ms", over.count());
    const auto space = freeSpace(folder);
    row.add("free_bytes", space.ok() ? Value::size(space->freeBytes) : Value());
    row.add("free_files", space.ok() ? Value(space->freeFiles) : Value());
    for (const auto& [name, value] : status.fields)
        if (row.find(name) == nullptr) row.add(name, value);
    return row;
}

// A suspended or unhealthy adapter says itself what is wrong.
Result<std::string> lastError(store::ReadSession& session, const Record& status, WallTime since) {
    const std::string_view reason = status.text("reason");
    if (!reason.empty()) return std::string(reason);
    return queue::lastTrouble(session, std::string(status.text("adapter")), since);
}

Result<Record> adapterRow(store::ReadSession& session, const Record& status, const Flows& flows,
                          WallTime since) {
    Record row;
    for (const char* name : {"type", "adapter", "kind", "state", "ready", "claimed", "publishing", "held",
                             "in_doubt", "oldest_ready"})
        row.add(name, *status.find(name));
    const auto flow = flows.find(status.text("adapter"));
    row.add("in", flow == flows.end() ? 0 : flow->second.in);
    row.add("out", flow == flows.end() ? 0 : flow->second.out);
    POSTERN_LET(error, lastError(session, status, since));
    row.add("last_error", error);
    return row;
}

}  // namespace

Result<void> topRows(store::ReadSession& session, const config::Config& config,
                     const std::optional<Record>& facts, WallTime now, Millis over, const RowSink& row) {
    const Millis window = std::clamp(over, kShortestFlow, kLongestFlow);
    const WallTime since = now - window;
    POSTERN_LET(listed, queue::flowSince(session, since));
    Flows flows;
    for (queue::Flow& flow : listed) flows[flow.adapter] = std::move(flow);
    return statusRows(session, config, facts, {}, now, false, [&](const Record& status) -> Result<void> {
        if (status.text("type") == "service") return row(serviceRow(status, config.store, now, window));
        POSTERN_LET(made, adapterRow(session, status, flows, since));
        return row(made);
    });
}

Result<void> top(const ServiceView& view, const Request& request, ByteStream&, const RowSink& row) {
    const auto over = request.field("over").empty() ? std::optional(kShortestFlow.count())
                                                    : parseInt(request.field("over"));
    if (!over || *over <= 0) return fail(Errc::Invalid, "over must be a number of milliseconds");
    std::optional<Record> facts;
    if (view.facts) facts = view.facts();
    if (view.disk && facts) addDiskFacts(view.disk(), *facts);
    return readThenHandOn(view, row, [&](store::ReadSession& session, const RowSink& keep) {
        return topRows(session, *view.config(), facts, view.clock.now(), Millis{*over}, keep);
    });
}

}  // namespace postern::admin
