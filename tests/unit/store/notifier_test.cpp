#include "store/notifier.h"

#include <thread>

#include <gtest/gtest.h>

namespace postern::tests {
namespace {

using store::Inbox;
using store::Notifier;

SteadyTime in(std::chrono::milliseconds time) {
    return std::chrono::steady_clock::now() + time;
}
const SteadyTime kPast{};

TEST(Notifier, ReachesTheSubscribersOfItsTopic) {
    Notifier notifier;
    const auto a = notifier.subscribe("a"), alsoA = notifier.subscribe("a"), b = notifier.subscribe("b");
    notifier.notify("a");
    EXPECT_TRUE(a->waitUntil(kPast));
    EXPECT_TRUE(alsoA->waitUntil(kPast));
    EXPECT_FALSE(b->waitUntil(kPast));
    notifier.notifyAll();
    EXPECT_TRUE(a->waitUntil(kPast));
    EXPECT_TRUE(b->waitUntil(kPast));
    EXPECT_EQ(notifier.counters().published, 2);
    EXPECT_EQ(notifier.counters().pushed, 5);
}

// The last hint of a burst is kept, however many came before it.
TEST(Notifier, Q226137_ABurstCollapsesButIsNeverLost) {
    Notifier notifier;
    const auto inbox = notifier.subscribe("a");
    for (int i = 0; i < 1000; ++i) notifier.notify("a");
    EXPECT_TRUE(inbox->waitUntil(kPast));
    EXPECT_FALSE(inbox->waitUntil(kPast));
    notifier.notify("a");
    EXPECT_TRUE(inbox->waitUntil(kPast));
}

TEST(Notifier, AHintWakesAWaiter) {
    Notifier notifier;
    const auto inbox = notifier.subscribe("a");
    const std::jthread other([&] { notifier.notify("a"); });
    EXPECT_TRUE(inbox->waitUntil(in(std::chrono::seconds(20))));
}

TEST(Notifier, AClosedInboxWakesItsWaiterAndStaysClosed) {
    Notifier notifier;
    const auto inbox = notifier.subscribe("a");
    {
        const std::jthread other([&] { inbox->close(); });
        EXPECT_FALSE(inbox->waitUntil(in(std::chrono::seconds(20))));
    }
    EXPECT_TRUE(inbox->closed());
    notifier.notify("a");
    EXPECT_FALSE(inbox->waitUntil(in(std::chrono::seconds(20)))) << "a closed inbox never waits";
    EXPECT_EQ(notifier.subscribers(), 0u);
}

TEST(Notifier, ForgetsSubscribersThatAreGone) {
    Notifier notifier;
    const auto kept = notifier.subscribe("a");
    for (int i = 0; i < 100; ++i) {
        auto gone = notifier.subscribe("a");
        EXPECT_EQ(notifier.subscribers(), 2u);
        gone.reset();
        EXPECT_EQ(notifier.subscribers(), 1u);
    }
    notifier.notify("a");
    EXPECT_EQ(notifier.counters().pushed, 1);
}

TEST(Notifier, AnInboxOutlivesItsNotifier) {
    std::shared_ptr<Inbox> inbox;
    {
        Notifier notifier;
        inbox = notifier.subscribe("a");
        notifier.notify("a");
    }
    EXPECT_TRUE(inbox->waitUntil(kPast));
    inbox->close();
}

// Exchange freed a push notification's subscriber while it was being told. Small here; tests/race has the
// large one.
TEST(Notifier, Q272274_ASubscriberMayGoWhileItIsNotified) {
    Notifier notifier;
    {
        std::vector<std::jthread> threads;
        for (int t = 0; t < 4; ++t)
            threads.emplace_back([&notifier, t] {
                const std::string topic = t % 2 == 0 ? "even" : "odd";
                for (int i = 0; i < 2000; ++i) {
                    const auto inbox = notifier.subscribe(topic);
                    notifier.notify(topic);
                    EXPECT_TRUE(inbox->waitUntil(in(std::chrono::seconds(20)))) << "a hint was lost";
                    if (i % 3 == 0) inbox->close();
                    if (i % 5 == 0) notifier.notifyAll();
                }
            });
    }
    EXPECT_EQ(notifier.subscribers(), 0u);
}

}  // namespace
}  // namespace postern::tests
