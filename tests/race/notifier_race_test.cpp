// KB Q272274: Exchange freed a push notification's subscriber while it was being told. A million times, from
// eight threads: subscribe, notify, wait for the hint, leave in one of three ways. Run it under ASan and
// TSan.

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "store/notifier.h"

namespace postern::tests {
namespace {

using store::Inbox;
using store::Notifier;

constexpr int kThreads = 8;

// POSTERN_RACE_SCALE is a percentage, for builds that are slower.
std::int64_t scaled(std::int64_t count) {
    const char* percent = std::getenv("POSTERN_RACE_SCALE");
    if (percent == nullptr) return count;
    return std::max<std::int64_t>(1, count * std::max(1, std::atoi(percent)) / 100);
}

SteadyTime soon() {
    return std::chrono::steady_clock::now() + std::chrono::seconds(30);
}

std::string topicOf(int thread) {
    return "adapter" + std::to_string(thread % 3);
}

TEST(NotifierRace, Q272274_SubscribersComeAndGoWhileTheyAreNotified) {
    const std::int64_t each = scaled(1'000'000) / kThreads;
    auto notifier = std::make_unique<Notifier>();
    std::atomic<std::int64_t> lost{0}, rounds{0};
    {
        std::vector<std::jthread> threads;
        for (int t = 0; t < kThreads; ++t)
            threads.emplace_back([&, t] {
                const std::string topic = topicOf(t);
                for (std::int64_t i = 0; i < each; ++i) {
                    std::shared_ptr<Inbox> inbox = notifier->subscribe(topic);
                    if (i % 16 == 0)
                        notifier->notifyAll();
                    else
                        notifier->notify(topic);
                    if (!inbox->waitUntil(soon())) ++lost;
                    if (i % 3 == 0) inbox->close();
                    if (i % 3 == 1) inbox.reset();
                    ++rounds;
                }
            });
    }
    EXPECT_EQ(rounds.load(), each * kThreads);
    EXPECT_EQ(lost.load(), 0) << "hints that never came";
    EXPECT_EQ(notifier->subscribers(), 0u);
    EXPECT_EQ(notifier->counters().published, each * kThreads);
    EXPECT_GE(notifier->counters().pushed, each * kThreads);
}

// Inboxes that several threads share, closed and replaced by one thread while others push and wait.
TEST(NotifierRace, InboxesAreClosedFromOutsideWhileTheirOwnersWait) {
    const std::int64_t turns = scaled(20'000);
    Notifier notifier;
    std::atomic<bool> stop{false};
    std::vector<std::jthread> pushers;
    for (int t = 0; t < 3; ++t)
        pushers.emplace_back([&] {
            while (!stop) notifier.notify("topic");
        });
    for (std::int64_t i = 0; i < turns; ++i) {
        const std::shared_ptr<Inbox> inbox = notifier.subscribe("topic");
        std::jthread closer;
        if (i % 64 == 0)
            closer = std::jthread([inbox] { inbox->close(); });
        else
            inbox->close();
        // Ends by a hint or by the close, never by the deadline.
        const SteadyTime deadline = soon();
        while (!inbox->closed() && inbox->waitUntil(deadline)) {
        }
        ASSERT_LT(std::chrono::steady_clock::now(), deadline)
            << "neither a hint nor the close woke the owner";
    }
    stop = true;
    pushers.clear();
    EXPECT_EQ(notifier.subscribers(), 0u);
}

// The last hint before the owner looks away must be there when it looks again: no lost wake-up over many
// rounds.
TEST(NotifierRace, Q226137_NoHintIsLostBetweenTwoLooks) {
    const std::int64_t wanted = scaled(200'000);
    Notifier notifier;
    const std::shared_ptr<Inbox> inbox = notifier.subscribe("topic");
    std::atomic<std::int64_t> made{0}, seen{0};
    const std::jthread producer([&] {
        for (std::int64_t i = 1; i <= wanted; ++i) {
            made.store(i);  // the work, then the hint
            notifier.notify("topic");
        }
    });
    while (seen < wanted) {
        ASSERT_TRUE(inbox->waitUntil(soon())) << "asleep with work waiting: seen " << seen << " of " << made;
        seen = made.load();
    }
}

}  // namespace
}  // namespace postern::tests
