#pragma once
// Structured one-line logs: "ITEM EVENT key=value ...", the item id first ("-" when there is none). Values
// are escaped (no control characters, valid UTF-8) and cut, so that hostile mail can not forge or flood a
// line. Message content is never logged at any level (KB Q177543); addresses and ids are. Thread rule:
// everything here may be called from any thread.

#include <functional>
#include <string>
#include <string_view>

#include "base/ids.h"
#include "base/log_events.h"

namespace postern {

// In the order of syslog's severities; the numbers are its numbers.
enum class Severity { Error = 3, Warning = 4, Notice = 5, Info = 6, Debug = 7 };

enum class LogEvent {
#define POSTERN_EVENT(identifier, id, severity, advice) identifier,
    POSTERN_LOG_EVENTS(POSTERN_EVENT)
#undef POSTERN_EVENT
};

struct LogEventInfo {
    std::string_view id;
    Severity severity;
    std::string_view advice;
};
const LogEventInfo& logEventInfo(LogEvent event);
int logEventCount();

// Builds one line and writes it when it goes out of scope:
//     LogLine(LogEvent::ItemExported, item).with("adapter", name).with("target", target);
class LogLine {
  public:
    explicit LogLine(LogEvent event, ItemId item = {});
    ~LogLine();
    LogLine(const LogLine&) = delete;
    LogLine& operator=(const LogLine&) = delete;

    LogLine& with(std::string_view key, std::string_view value);
    LogLine& with(std::string_view key, std::int64_t value);

  private:
    LogEvent event_;
    bool wanted_;
    std::string line_;
};

// Where lines go. The default writes to standard error: "<6>line" where that is the journal (base/journal.h),
// "2026-11-20T14:03:07Z info line" otherwise.
using LogSink = std::function<void(Severity, std::string_view line)>;
void setLogSink(LogSink sink);  // replaces; an empty one restores the default
// The line as the default writes it, with its line end.
std::string standardErrorLine(Severity severity, std::string_view line);
void setLogLevel(Severity least_severe);  // default Info
Severity logLevel();

}  // namespace postern
