#include "base/log.h"

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <iterator>

#include "base/clock.h"
#include "base/journal.h"
#include "base/log_tap.h"
#include "base/standard_error.h"
#include "base/sync.h"
#include "base/text.h"

namespace postern {

namespace {

constexpr LogEventInfo kEvents[] = {
#define POSTERN_EVENT(identifier, id, severity, advice) {id, Severity::severity, advice},
    POSTERN_LOG_EVENTS(POSTERN_EVENT)
#undef POSTERN_EVENT
};

constexpr std::size_t kValueLimit = 600;
constexpr std::size_t kLineLimit = 4000;

std::atomic<int> leastSevere{static_cast<int>(Severity::Info)};
Mutex sinkMutex;
LogSink sink GUARDED_BY(sinkMutex);

// Apart from the sink: a reader of events must not wait for a slow terminal.
Mutex tapMutex;
LogTap tap GUARDED_BY(tapMutex);
std::atomic<bool> tapped{false};

bool isWanted(Severity severity) {
    const int value = static_cast<int>(severity);
    return value <= leastSevere.load(std::memory_order_relaxed) ||
           (tapped.load(std::memory_order_relaxed) && value <= static_cast<int>(Severity::Info));
}

std::string_view severityName(Severity severity) {
    switch (severity) {
        case Severity::Error: return "error";
        case Severity::Warning: return "warning";
        case Severity::Notice: return "notice";
        case Severity::Info: return "info";
        case Severity::Debug: return "debug";
    }
    return "info";
}

void writeToStandardError(Severity severity, std::string_view line) {
    postern::writeToStandardError(standardErrorLine(severity, line));
}

bool plainValue(std::string_view value) {
    if (value.empty()) return false;
    for (const char c : value)
        if (static_cast<unsigned char>(c) <= ' ' || c == '"' || c == '=' || c == '\\' || c == '\x7F')
            return false;
    return true;
}

bool plainAscii(std::string_view value) {
    return plainValue(value) &&
           std::none_of(value.begin(), value.end(), [](char c) { return (c & 0x80) != 0; });
}

// Backslashes and quotes doubled up, so that no value can end its own quotes and forge a key behind them.
std::string guarded(std::string_view value) {
    std::string out;
    for (const char c : value) {
        if (c == '"' || c == '\\') out += '\\';
        out += c;
    }
    return out;
}

}  // namespace

std::string standardErrorLine(Severity severity, std::string_view line) {
    static const bool journal = leadsToJournal(std::getenv("JOURNAL_STREAM"), fileno(stderr));
    std::string text =
        journal ? "<" + std::to_string(static_cast<int>(severity)) + ">"
                : formatUtc(Clock::system().now()) + " " + std::string(severityName(severity)) + " ";
    text += line;
    text += '\n';
    return text;
}

const LogEventInfo& logEventInfo(LogEvent event) {
    return kEvents[static_cast<std::size_t>(event)];
}
int logEventCount() {
    return static_cast<int>(std::size(kEvents));
}

void setLogSink(LogSink replacement) {
    MutexLock lock(sinkMutex);
    sink = std::move(replacement);
}

void setLogLevel(Severity least) {
    leastSevere = static_cast<int>(least);
}
Severity logLevel() {
    return static_cast<Severity>(leastSevere.load());
}

void setLogTap(LogTap replacement) {
    MutexLock lock(tapMutex);
    tapped = static_cast<bool>(replacement);
    tap = std::move(replacement);
}

LogLine::LogLine(LogEvent event, ItemId item)
    : event_(event), wanted_(isWanted(logEventInfo(event).severity)) {
    if (!wanted_) return;
    line_ = item ? std::to_string(item.value) : "-";
    line_ += ' ';
    line_ += logEventInfo(event).id;
}

LogLine& LogLine::with(std::string_view key, std::string_view value) {
    if (!wanted_ || line_.size() > kLineLimit) return *this;
    line_ += ' ';
    line_ += key;
    line_ += '=';
    if (value.size() <= kValueLimit && plainAscii(value)) {  // nearly all of them
        line_ += value;
        return *this;
    }
    const std::string safe = escapeLine(guarded(cutUtf8(value, 2 * kValueLimit)), kValueLimit);
    if (plainValue(safe))
        line_ += safe;
    else
        line_.append("\"").append(safe).append("\"");
    return *this;
}

LogLine& LogLine::with(std::string_view key, std::int64_t value) {
    return wanted_ ? with(key, std::string_view(std::to_string(value))) : *this;
}

LogLine::~LogLine() {
    if (!wanted_) return;
    const Severity severity = logEventInfo(event_).severity;
    if (tapped.load(std::memory_order_relaxed) && severity <= Severity::Info) {
        // "ITEM EVENT key=value ...": the item's number first, as the constructor wrote it.
        std::string_view rest = line_;
        const ItemId item{parseInt(rest.substr(0, rest.find(' '))).value_or(0)};
        rest.remove_prefix(std::min(rest.size(), rest.find(' ') + 1 + logEventInfo(event_).id.size()));
        if (!rest.empty()) rest.remove_prefix(1);
        MutexLock lock(tapMutex);
        if (tap) tap(event_, item, rest);
    }
    if (static_cast<int>(severity) > leastSevere.load(std::memory_order_relaxed)) return;
    MutexLock lock(sinkMutex);
    if (sink)
        sink(severity, line_);
    else
        writeToStandardError(severity, line_);
}

}  // namespace postern
