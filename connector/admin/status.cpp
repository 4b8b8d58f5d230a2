#include "connector/admin/status.h"

#include <map>

#include "connector/admin/waits.h"
#include "queue/inspect.h"
#include "queue/operate.h"

namespace postern::admin {

namespace {

struct Line {
    std::string kind;
    queue::AdapterState state;
    bool configured = false;
    std::map<queue::State, std::int64_t> counts;
    std::optional<WallTime> oldest, oldestReady;
};
using Lines = std::map<std::string, Line>;

void addCounts(const std::vector<queue::StateCount>& counts, Lines& lines) {
    for (const queue::StateCount& count : counts) {
        Line& line = lines[count.adapter];
        line.counts[count.state] += count.count;
        const bool older = count.oldest && (!line.oldest || *count.oldest < *line.oldest);
        if (older && !queue::isFinal(count.state)) line.oldest = count.oldest;
        if (count.state == queue::State::Ready) line.oldestReady = count.oldest;
    }
}

std::string stateText(const std::string& name, const Line& line, const Waits& waits, bool running) {
    if (!line.configured) return "not configured";
    if (waits.holdOf(name) != nullptr) return "suspended";
    if (line.state.suspended) return "unhealthy";
    return running ? "running" : "stopped";
}

Record recordOf(const std::string& name, const Line& line, const Waits& waits, bool running, bool all) {
    Record record;
    record.add("type", "adapter")
        .add("adapter", name)
        .add("kind", line.kind)
        .add("state", stateText(name, line, waits, running));
    for (const queue::State state : queue::kAllStates) {
        if (queue::isFinal(state) && !all) continue;
        const auto count = line.counts.find(state);
        record.add(std::string(queue::stateName(state)), count == line.counts.end() ? 0 : count->second);
    }
    record.add("oldest", line.oldest);
    record.add("since", line.state.suspended ? std::optional(line.state.since) : std::nullopt);
    record.add("reason", line.state.suspended ? line.state.reason : std::string());
    Wait wait = waits.ofAdapter(name);
    if (wait.text.empty()) wait = waits.unansweredOf(name);
    record.add("waits", wait.text).add("waits_until", wait.until).add("oldest_ready", line.oldestReady);
    return record;
}

Result<Lines> readLines(store::ReadSession& session, const config::Config& config, bool all) {
    Lines lines;
    POSTERN_LET(counts, queue::countItems(session, all));
    addCounts(counts, lines);
    for (const config::Adapter& adapter : config.adapters) {
        lines[adapter.name].kind = adapter.kind;
        lines[adapter.name].configured = true;
    }
    POSTERN_LET(states, queue::readAdapterStates(session));
    for (queue::AdapterState& state : states) {
        const auto line = lines.find(state.adapter);
        if (line != lines.end()) line->second.state = std::move(state);
    }
    return lines;
}

}  // namespace

Result<void> statusRows(store::ReadSession& session, const config::Config& config,
                        const std::optional<Record>& facts, const std::vector<Trouble>& troubles,
                        WallTime now, bool all, const RowSink& row) {
    Record service;
    service.add("type", "service").add("state", facts ? "running" : "stopped").add("store", config.store);
    if (facts)
        for (const auto& [name, value] : facts->fields) service.add(name, value);
    POSTERN_TRY(row(service));
    POSTERN_LET(lines, readLines(session, config, all));
    POSTERN_LET(waits, Waits::read(session, config, now));
    for (const auto& [name, line] : lines)
        POSTERN_TRY(row(recordOf(name, line, waits, facts.has_value(), all)));
    for (const Trouble& trouble : troubles)
        POSTERN_TRY(
            row(Record().add("type", "trouble").add("about", trouble.about).add("text", trouble.text)));
    return {};
}

}  // namespace postern::admin
