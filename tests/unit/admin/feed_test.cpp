#include "connector/admin/feed.h"

#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/log_tap.h"

namespace postern::admin {
namespace {

using testing::ElementsAre;
using testing::SizeIs;

constexpr SteadyTime kAtOnce{};

SteadyTime soon() {
    return std::chrono::steady_clock::now() + Millis(20'000);
}

TEST(Feed, HandsOnWhatHappenedBehindASerial) {
    Feed feed;
    EXPECT_THAT(feed.wait(0, kAtOnce).events, SizeIs(0));
    for (int i = 1; i <= 3; ++i) feed.push(WallTime{}, LogEvent::ItemExported, ItemId{i}, "adapter=a");
    EXPECT_THAT(feed.wait(0, kAtOnce).events, SizeIs(3));
    const auto news = feed.wait(2, kAtOnce);
    ASSERT_THAT(news.events, SizeIs(1));
    EXPECT_EQ(news.events[0].item, ItemId{3});
    EXPECT_EQ(news.missed, 0);
    EXPECT_THAT(feed.wait(0, kAtOnce, 2).events, SizeIs(2)) << "the rest comes with the next call";
}

TEST(Feed, WhoIsTooSlowIsToldHowMuchIsGone) {
    Feed feed(5);
    for (int i = 1; i <= 12; ++i) feed.push(WallTime{}, LogEvent::ItemExported, ItemId{i}, "");
    const auto news = feed.wait(3, kAtOnce);
    EXPECT_EQ(news.missed, 4) << "4, 5, 6 and 7";
    ASSERT_THAT(news.events, SizeIs(5));
    EXPECT_EQ(news.events[0].serial, 8);
}

TEST(Feed, AWaiterWakesForNewsAndForTheEnd) {
    Feed feed;
    Feed::News first, second;
    std::thread waiter([&] {
        first = feed.wait(0, soon());
        second = feed.wait(1, soon());
    });
    feed.push(WallTime{}, LogEvent::ItemHeld, ItemId{1}, "");
    feed.stop();
    waiter.join();
    EXPECT_TRUE(first.stopped || first.events.size() == 1);
    EXPECT_TRUE(second.stopped);
    feed.push(WallTime{}, LogEvent::ItemHeld, ItemId{2}, "");
    EXPECT_EQ(feed.last(), 1) << "nothing is kept for nobody";
}

TEST(Feed, ReadsAValueOutOfALine) {
    constexpr std::string_view line = R"(adapter=fax text="a \"b\" adapter=c\\" n=5 adapter2=x)";
    EXPECT_EQ(valueIn(line, "adapter"), "fax");
    EXPECT_EQ(valueIn(line, "text"), R"(a "b" adapter=c\)");
    EXPECT_EQ(valueIn(line, "n"), "5");
    EXPECT_EQ(valueIn(line, "c"), "");
    EXPECT_EQ(valueIn("", "adapter"), "");
    EXPECT_EQ(valueIn("text=\"open", "text"), "open");
}

TEST(Feed, HearsOfLinesThatTheLogDoesNotShow) {
    std::vector<std::string> heard, shown;
    setLogSink([&](Severity, std::string_view line) { shown.emplace_back(line); });
    setLogLevel(Severity::Error);
    setLogTap([&](LogEvent event, ItemId item, std::string_view line) {
        heard.push_back(std::string(logEventInfo(event).id) + "/" + std::to_string(item.value) + "/" +
                        std::string(line));
    });
    LogLine(LogEvent::ItemExported, ItemId{7}).with("adapter", "fax").with("n", 3);
    LogLine(LogEvent::ServiceReady, ItemId{});
    LogLine(LogEvent::SessionOpened).with("debug", "is never heard");
    LogLine(LogEvent::StoreBroken).with("reason", "both");
    setLogTap({});
    LogLine(LogEvent::ItemExported, ItemId{8});
    setLogLevel(Severity::Info);
    setLogSink({});
    EXPECT_THAT(heard, ElementsAre("item.exported/7/adapter=fax n=3", "service.ready/0/",
                                   "store.broken/0/reason=both"));
    EXPECT_THAT(shown, ElementsAre("- store.broken reason=both"));
}

}  // namespace
}  // namespace postern::admin
