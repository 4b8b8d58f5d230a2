#include "connector/admin/metrics.h"

#include <cmath>
#include <cstdio>
#include <limits>

#include "base/file.h"
#include "connector/admin/commands.h"
#include "connector/admin/waits.h"
#include "connector/version.h"
#include "queue/inspect.h"

namespace postern::admin {

namespace {

std::string number(double value) {
    if (std::isinf(value)) return value > 0 ? "+Inf" : "-Inf";
    char text[40];
    std::snprintf(text, sizeof text, "%.9g", value);
    return text;
}

double seconds(std::int64_t micros) {
    return static_cast<double>(micros) / 1e6;
}

// Backslash, quote and line end escaped, as the format asks.
std::string labelValue(std::string_view value) {
    std::string safe;
    for (const char c : value) {
        if (c == '\\' || c == '"') safe += '\\';
        if (c == '\n')
            safe += "\\n";
        else
            safe += c;
    }
    return safe;
}

// Read in one short session: what the store says of items and adapters.
struct Stock {
    std::vector<queue::StateCount> counts;
    std::vector<std::pair<std::string, bool>> suspended;  // by a person
    std::vector<std::pair<std::string, bool>> unhealthy;
};

Result<Stock> readStock(const ServiceView& view, const config::Config& config) {
    Stock stock;
    const Result<void> read = view.store.read([&](store::ReadSession& session) -> Result<void> {
        POSTERN_LET(counts, queue::countItems(session, false));
        stock.counts = std::move(counts);
        POSTERN_LET(waits, Waits::read(session, config, view.clock.now()));
        for (const config::Adapter& each : config.adapters) {
            stock.suspended.emplace_back(each.name, waits.holdOf(each.name) != nullptr);
            stock.unhealthy.emplace_back(each.name, waits.unhealthy(each.name) != nullptr);
        }
        return {};
    });
    POSTERN_TRY(read);
    return stock;
}

void writeStock(const Stock& stock, WallTime now, MetricsText& text) {
    text.family("postern_items", "gauge", "Items that are not settled, by adapter and state.");
    for (const queue::StateCount& each : stock.counts)
        text.sample({{"adapter", each.adapter}, {"state", queue::stateName(each.state)}}, each.count);
    text.family("postern_oldest_seconds", "gauge",
                "Age of the oldest of them. Alert on this, not on counts.");
    for (const queue::StateCount& each : stock.counts) {
        const std::int64_t age = each.oldest ? std::max<std::int64_t>(0, (now - *each.oldest).count()) : 0;
        text.sample({{"adapter", each.adapter}, {"state", queue::stateName(each.state)}}, age / 1000.0);
    }
    text.family("postern_adapter_suspended", "gauge", "1 while a person keeps the adapter back.");
    for (const auto& [name, is] : stock.suspended) text.sample({{"adapter", name}}, std::int64_t{is});
    text.family("postern_adapter_unhealthy", "gauge", "1 while the adapter's folder or tool is unusable.");
    for (const auto& [name, is] : stock.unhealthy) text.sample({{"adapter", name}}, std::int64_t{is});
}

void writeCounter(const std::vector<AdapterMeasures>& all, MetricsText& text, std::string_view name,
                  std::string_view help, std::int64_t AdapterMeasures::*member) {
    text.family(name, "counter", help);
    for (const AdapterMeasures& each : all) text.sample({{"adapter", each.adapter}}, each.*member);
}

void writeAdapters(const std::vector<AdapterMeasures>& all, MetricsText& text) {
    text.family("postern_adapter_claims", "gauge", "1 while items of the adapter are begun.");
    for (const AdapterMeasures& each : all)
        text.sample({{"adapter", each.adapter}}, std::int64_t{each.claims});
    text.family("postern_attempts_total", "counter", "Ends of attempts, by result.");
    for (const AdapterMeasures& each : all)
        for (const auto& [result, count] : each.results)
            text.sample({{"adapter", each.adapter}, {"result", result}}, count);
    writeCounter(all, text, "postern_claims_total", "Items claimed.", &AdapterMeasures::claimed);
    writeCounter(all, text, "postern_claim_conflicts_total",
                 "Claims that were gone when their holder came back.", &AdapterMeasures::fenced);
    writeCounter(all, text, "postern_lapsed_leases_total",
                 "Leases that were over before their holder was done.", &AdapterMeasures::lapsed);
    writeCounter(all, text, "postern_recovered_total", "Interrupted attempts brought to a known state.",
                 &AdapterMeasures::recovered);
    writeCounter(all, text, "postern_watcher_faults_total", "Unexpected errors of a watcher.",
                 &AdapterMeasures::faults);
    text.family("postern_wakeups_total", "counter", "Times a watcher woke, by source.");
    for (const AdapterMeasures& each : all) {
        text.sample({{"adapter", each.adapter}, {"source", "hint"}}, each.hinted);
        text.sample({{"adapter", each.adapter}, {"source", "clock"}}, each.timed);
    }
    text.family("postern_batch_seconds", "histogram", "From the claim of a batch to its end.");
    for (const AdapterMeasures& each : all) text.histogram({{"adapter", each.adapter}}, each.batchTimes);
    text.family("postern_delivery_seconds", "histogram", "From the moment a mail came in to its export.");
    for (const AdapterMeasures& each : all) text.histogram({{"adapter", each.adapter}}, each.deliveryTimes);
}

void writeFolders(const std::vector<AdapterMeasures>& all, MetricsText& text) {
    text.family("postern_adapter_free_bytes", "gauge", "Free space on the volume of the adapter's folder.");
    for (const AdapterMeasures& each : all)
        if (each.volume) text.sample({{"adapter", each.adapter}}, each.volume->freeBytes);
    text.family("postern_adapter_free_files", "gauge", "Free inodes there.");
    for (const AdapterMeasures& each : all)
        if (each.volume) text.sample({{"adapter", each.adapter}}, each.volume->freeFiles);
}

void writeDisk(const disk::Overview& seen, MetricsText& text) {
    text.family("postern_store_ballast_bytes", "gauge", "Space kept in a file for a full disk.");
    text.sample({}, seen.ballastHeld);
    if (!seen.room) return;
    text.family("postern_store_free_bytes", "gauge",
                "Free space on the store's volume, or on that of its bodies where less is to spare.");
    text.sample({}, seen.room->tight().volume.freeBytes);
    text.family("postern_store_free_files", "gauge", "Free inodes, the fewer of both.");
    text.sample({}, seen.room->freeFiles());
    text.family("postern_adapter_low", "gauge", "1 while the volume of the adapter's folder runs low.");
    for (const disk::FolderSpace& each : seen.folders)
        text.sample({{"adapter", each.adapter}}, std::int64_t{seen.isLow(each)});
    text.family("postern_store_reserve_bytes", "gauge", "Free space below which new mail is refused.");
    text.sample({}, seen.room->tight().reserve);
    text.family("postern_store_warn_bytes", "gauge", "Free space below which operators are warned.");
    text.sample({}, seen.room->tight().warnBelow);
    text.family("postern_store_refuses", "gauge", "1 while new mail is refused for lack of space.");
    text.sample({}, std::int64_t{!seen.room->refusal().empty()});
    text.family("postern_store_full_in_seconds", "gauge",
                "Until new mail is refused; +Inf: it is not filling; missing: not known yet.");
    if (seen.outlook.kind == disk::Outlook::Kind::Unknown) return;
    text.sample({}, seen.outlook.kind == disk::Outlook::Kind::Filling
                        ? static_cast<double>(seen.outlook.left.count()) / 1000.0
                        : std::numeric_limits<double>::infinity());
}

void writeStore(const ServiceView& view, MetricsText& text) {
    const store::StoreCounters counters = view.store.counters();
    text.family("postern_commits_total", "counter", "Transactions committed, each with one disk sync.");
    text.sample({}, counters.commits);
    text.family("postern_commit_requests_total", "counter", "Changes committed in them.");
    text.sample({}, counters.works);
    text.family("postern_checkpoints_total", "counter", "Times the write-ahead log was folded back.");
    text.sample({}, counters.checkpoints);
    text.family("postern_commit_seconds", "histogram", "Of each commit with its disk sync.");
    text.histogram({}, counters.commitTimes);
    text.family("postern_store_broken", "gauge", "1 when the store refuses writes until the next start.");
    text.sample({}, std::int64_t{view.store.broken()});
}

void writeChat(const ServiceView& view, MetricsText& text) {
    const ChatState chat = view.chat ? view.chat() : ChatState{};
    text.family("postern_chat_clients", "gauge", "Connections to the chat.");
    text.sample({}, chat.clients);
    text.family("postern_chat_commands", "gauge", "Commands of the chat that wait or are carried out.");
    text.sample({}, chat.commands);
    text.family("postern_chat_connections_total", "counter",
                "Connections to the chat by what became of them.");
    text.sample({{"result", "logged_on"}}, chat.loggedOn);
    text.sample({{"result", "refused"}}, chat.refused);
    text.sample({{"result", "not_logged_on"}}, chat.notLoggedOn);
    text.family("postern_chat_refusals_total", "counter",
                "A nick in use, a wrong password, log-ons that are barred.");
    text.sample({{"reason", "nick_in_use"}}, chat.nickInUse);
    text.sample({{"reason", "wrong_password"}}, chat.wrongPasswords);
    text.sample({{"reason", "barred"}}, chat.barred);
    text.family("postern_chat_ended_total", "counter", "Chat connections that were ended for that reason.");
    text.sample({{"reason", "silent"}}, chat.silent);
    text.sample({{"reason", "overflown"}}, chat.overflown);
    text.sample({{"reason", "stalled"}}, chat.stalled);
    text.sample({{"reason", "late"}}, chat.late);
    text.family("postern_chat_restarts_total", "counter", "Times the chat was begun anew after a fault.");
    text.sample({}, chat.deaths);
}

void writeFacts(const ServiceView& view, MetricsText& text) {
    text.family("postern_info", "gauge", "Always 1; its label says which version runs.");
    text.sample({{"version", kVersion}}, std::int64_t{1});
    if (!view.facts) return;
    const Record facts = view.facts();
    const auto fact = [&](const char* name) {
        const Value* value = facts.find(name);
        return value == nullptr ? std::int64_t{0} : value->number;
    };
    text.family("postern_start_time_seconds", "gauge", "When the service started.");
    text.sample({}, static_cast<double>(fact("started")) / 1000.0);
    text.family("postern_sessions", "gauge", "Open sessions of the listeners.");
    text.sample({}, fact("sessions"));
    text.family("postern_sessions_total", "counter", "Sessions accepted.");
    text.sample({}, fact("sessions_total"));
    text.family("postern_sessions_refused_total", "counter", "Sessions refused at a limit.");
    text.sample({}, fact("sessions_refused"));
    text.family("postern_tls_failed_total", "counter", "TLS handshakes that failed.");
    text.sample({}, fact("tls_failed"));
}

}  // namespace

void MetricsText::family(std::string_view name, std::string_view type, std::string_view help) {
    name_ = name;
    text_.append("# HELP ").append(name).append(" ").append(help).append("\n");
    text_.append("# TYPE ").append(name).append(" ").append(type).append("\n");
}

void MetricsText::line(std::string_view suffix, const Labels& labels, std::string_view value) {
    text_.append(name_).append(suffix);
    for (std::size_t i = 0; i < labels.size(); ++i)
        text_.append(i == 0 ? "{" : ",")
            .append(labels[i].first)
            .append("=\"")
            .append(labelValue(labels[i].second))
            .append("\"");
    text_.append(labels.empty() ? " " : "} ").append(value).append("\n");
}

void MetricsText::sample(const Labels& labels, std::int64_t value) {
    line("", labels, std::to_string(value));
}

void MetricsText::sample(const Labels& labels, double value) {
    line("", labels, number(value));
}

void MetricsText::histogram(const Labels& labels, const Histogram::Snapshot& snapshot) {
    std::int64_t below = 0;
    for (std::size_t i = 0; i < snapshot.counts.size(); ++i) {
        below += snapshot.counts[i];
        const bool last = i == Histogram::kBounds.size();
        const std::string bound = last ? "+Inf" : number(seconds(Histogram::kBounds[i]));
        Labels with = labels;
        with.emplace_back("le", bound);
        line("_bucket", with, std::to_string(below));
    }
    line("_sum", labels, number(seconds(snapshot.micros)));
    line("_count", labels, std::to_string(snapshot.total));
}

Result<std::string> metricsText(const ServiceView& view) {
    const auto config = view.config();
    POSTERN_LET(stock, readStock(view, *config));
    MetricsText text;
    writeFacts(view, text);
    writeChat(view, text);
    writeStock(stock, view.clock.now(), text);
    if (view.measures) {
        const auto measures = view.measures();
        writeAdapters(measures, text);
        writeFolders(measures, text);
    }
    writeStore(view, text);
    if (view.disk) writeDisk(view.disk(), text);
    return text.take();
}

}  // namespace postern::admin
