#include "base/system_log.h"

#include "base/event_numbers.h"
#include "base/service_control.h"
#include "base/windows/system.h"

namespace postern {
namespace {

// The Event Log takes no more than 31,839 units in a text; our lines are far below.
struct Kind {
    WORD type;
    DWORD bits;  // of the event's identifier, as the message compiler sets them for a severity
};
Kind kindOf(Severity severity) {
    if (severity == Severity::Error) return {EVENTLOG_ERROR_TYPE, 0xC0000000};
    if (severity == Severity::Warning) return {EVENTLOG_WARNING_TYPE, 0x80000000};
    return {EVENTLOG_INFORMATION_TYPE, 0x40000000};
}

HANDLE source() {
    static const HANDLE opened = ::RegisterEventSourceW(nullptr, windows::wide(kServiceName).c_str());
    return opened;  // for the life of the process
}

}  // namespace

void tellSystemLog(Severity severity, std::string_view line) {
    const auto event = eventOf(line);
    if (!event || !forSystemLog(*event) || source() == nullptr) return;
    const std::wstring text = windows::wide(line);
    LPCWSTR texts[] = {text.c_str()};
    const Kind kind = kindOf(severity);
    (void)::ReportEventW(source(), kind.type, 0, kind.bits | static_cast<DWORD>(eventNumber(*event)), nullptr,
                         1, 0, texts, nullptr);
}

}  // namespace postern
