#include "base/event_numbers.h"

#include <set>
#include <string>

#include <gtest/gtest.h>

namespace postern {
namespace {

LogEvent eventAt(int index) {
    return static_cast<LogEvent>(index);
}

TEST(EventNumbers, EveryEventHasOneOfItsOwn) {
    std::set<int> numbers;
    for (int i = 0; i < logEventCount(); ++i) {
        const int number = eventNumber(eventAt(i));
        EXPECT_GT(number, 0) << logEventInfo(eventAt(i)).id;
        EXPECT_LE(number, 0xFFFF);  // what the Event Log shows of it
        EXPECT_TRUE(numbers.insert(number).second) << number;
    }
}

// Operators' filters name them: these may never change.
TEST(EventNumbers, AreKeptForEver) {
    EXPECT_EQ(eventNumber(LogEvent::ServiceStarting), 1);
    EXPECT_EQ(eventNumber(LogEvent::ServiceFailed), 5);
    EXPECT_EQ(eventNumber(LogEvent::StoreBroken), 12);
}

TEST(EventNumbers, ALineSaysItsEvent) {
    EXPECT_EQ(eventOf("- service.failed status=78"), LogEvent::ServiceFailed);
    EXPECT_EQ(eventOf("17 item.exported"), LogEvent::ItemExported);
    for (const char* none : {"", "-", "- ", "17", "17 nothing.such x=item.exported", "item.exported"})
        EXPECT_EQ(eventOf(none), std::nullopt) << none;
}

TEST(EventNumbers, TheSystemsListHearsOfTroubleAndOfTheServicesLife) {
    for (const auto event : {LogEvent::ServiceStarting, LogEvent::ServiceReady, LogEvent::ServiceStopping,
                             LogEvent::ServiceStopped, LogEvent::ServiceFailed, LogEvent::ConfigWarning})
        EXPECT_TRUE(forSystemLog(event)) << logEventInfo(event).id;
    for (const auto event : {LogEvent::ItemExported, LogEvent::MessageAccepted, LogEvent::ConfigReloaded})
        EXPECT_FALSE(forSystemLog(event)) << logEventInfo(event).id;
}

}  // namespace
}  // namespace postern
