#pragma once
// The number of each event in the system's own list of events (base/system_log.h). An event keeps its number
// for ever, and a retired one is never given again: operators' filters and alarms name them. Written by
// tests/lint/log_events.py --write, which also makes base/windows/events.mc.

#include <optional>
#include <string_view>

#include "base/log.h"

namespace postern {

#define POSTERN_EVENT_NUMBERS(NUMBER) \
    NUMBER(ServiceStarting, 1)        \
    NUMBER(ServiceReady, 2)           \
    NUMBER(ServiceStopping, 3)        \
    NUMBER(ServiceStopped, 4)         \
    NUMBER(ServiceFailed, 5)          \
    NUMBER(ServiceStuck, 6)           \
    NUMBER(ConfigReloaded, 7)         \
    NUMBER(ConfigWarning, 8)          \
    NUMBER(ConfigRejected, 9)         \
    NUMBER(StoreOpened, 10)           \
    NUMBER(StoreLeftover, 11)         \
    NUMBER(StoreBroken, 12)           \
    NUMBER(StoreFull, 13)             \
    NUMBER(StoreRoom, 14)             \
    NUMBER(StoreBallastOut, 15)       \
    NUMBER(StoreBallastIn, 16)        \
    NUMBER(StoreBallastMissing, 17)   \
    NUMBER(DiskLow, 18)               \
    NUMBER(DiskAmple, 19)             \
    NUMBER(StorePurged, 20)           \
    NUMBER(StoreTrouble, 21)          \
    NUMBER(ListenerOpened, 22)        \
    NUMBER(ListenerStrange, 23)       \
    NUMBER(SessionOpened, 24)         \
    NUMBER(SessionClosed, 25)         \
    NUMBER(SessionRefused, 26)        \
    NUMBER(TlsFailed, 27)             \
    NUMBER(TlsUnavailable, 28)        \
    NUMBER(AuthOk, 29)                \
    NUMBER(AuthFailed, 30)            \
    NUMBER(CommandRefused, 31)        \
    NUMBER(MessageAccepted, 32)       \
    NUMBER(MessageRefused, 33)        \
    NUMBER(MessageDuplicate, 34)      \
    NUMBER(RecipientRefused, 35)      \
    NUMBER(PickupSetAside, 36)        \
    NUMBER(PickupTrouble, 37)         \
    NUMBER(AdapterReady, 38)          \
    NUMBER(AdapterSuspended, 39)      \
    NUMBER(AdapterResumed, 40)        \
    NUMBER(AdapterWeaker, 41)         \
    NUMBER(AdapterGroup, 42)          \
    NUMBER(AdapterHostDown, 43)       \
    NUMBER(AdapterHostUp, 44)         \
    NUMBER(AdapterLeftover, 45)       \
    NUMBER(AdapterIndex, 46)          \
    NUMBER(AdapterHeld, 47)           \
    NUMBER(AdapterReleased, 48)       \
    NUMBER(ItemMoved, 49)             \
    NUMBER(ItemExported, 50)          \
    NUMBER(ItemPartly, 51)            \
    NUMBER(ItemDeferred, 52)          \
    NUMBER(ItemFailed, 53)            \
    NUMBER(ItemReturned, 54)          \
    NUMBER(ImportDone, 55)            \
    NUMBER(ImportFailed, 56)          \
    NUMBER(ImportSetAside, 57)        \
    NUMBER(ReportQueued, 58)          \
    NUMBER(ReportFailed, 59)          \
    NUMBER(ItemHeld, 60)              \
    NUMBER(ItemInDoubt, 61)           \
    NUMBER(ItemUnanswered, 62)        \
    NUMBER(ItemAnswered, 63)          \
    NUMBER(ItemRecovered, 64)         \
    NUMBER(ItemFenced, 65)            \
    NUMBER(ItemChanged, 66)           \
    NUMBER(AccountChanged, 67)        \
    NUMBER(WorkerFailed, 68)          \
    NUMBER(ControlRefused, 69)        \
    NUMBER(ControlDone, 70)           \
    NUMBER(ChatUnavailable, 71)

int eventNumber(LogEvent event);
// Which event a line tells, as the log's sink gets it: "ITEM EVENT key=value ...".
std::optional<LogEvent> eventOf(std::string_view line);
// Errors, warnings, and that the service starts, is ready, stops, has stopped.
bool forSystemLog(LogEvent event);

}  // namespace postern
