#include "base/log.h"

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <iterator>

#include "base/clock.h"
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
    const std::string text = standardErrorLine(severity, line);
    // A log that can not be written must not stop the mail; there is nowhere left to say so.
    (void)std::fwrite(text.data(), 1, text.size(), stderr);
}

bool plainValue(std::string_view value) {
    if (value.empty()) return false;
    for (const char c : value)
        if (static_cast<unsigned char>(c) <= ' ' || c == '"' || c == '=' || c == '\\' || c == '\x7F')
            return false;
    return true;
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
    static const bool journal = std::getenv("JOURNAL_STREAM") != nullptr;
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

LogLine::LogLine(LogEvent event, ItemId item)
    : event_(event),
      wanted_(static_cast<int>(logEventInfo(event).severity) <= leastSevere.load(std::memory_order_relaxed)) {
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
    MutexLock lock(sinkMutex);
    const Severity severity = logEventInfo(event_).severity;
    if (sink)
        sink(severity, line_);
    else
        writeToStandardError(severity, line_);
}

}  // namespace postern
