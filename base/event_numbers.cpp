#include "base/event_numbers.h"

namespace postern {

namespace {

struct Numbered {
    LogEvent event;
    int number;
};
constexpr Numbered kNumbers[] = {
#define POSTERN_NUMBER(identifier, number) {LogEvent::identifier, number},
    POSTERN_EVENT_NUMBERS(POSTERN_NUMBER)
#undef POSTERN_NUMBER
};

}  // namespace

int eventNumber(LogEvent event) {
    for (const Numbered& each : kNumbers)
        if (each.event == event) return each.number;
    return 0;
}

std::optional<LogEvent> eventOf(std::string_view line) {
    const auto blank = line.find(' ');
    if (blank == std::string_view::npos) return std::nullopt;
    const std::string_view behind = line.substr(blank + 1);
    const std::string_view id = behind.substr(0, behind.find(' '));
    for (int i = 0; i < logEventCount(); ++i)
        if (logEventInfo(static_cast<LogEvent>(i)).id == id) return static_cast<LogEvent>(i);
    return std::nullopt;
}

bool forSystemLog(LogEvent event) {
    switch (event) {
        case LogEvent::ServiceStarting:
        case LogEvent::ServiceReady:
        case LogEvent::ServiceStopping:
        case LogEvent::ServiceStopped: return true;
        default: return logEventInfo(event).severity <= Severity::Warning;
    }
}

}  // namespace postern
