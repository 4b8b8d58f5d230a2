#include <atomic>

#include <gtest/gtest.h>

#include "queue/inspect.h"
#include "tests/kit/wait.h"
#include "tests/unit/export/runner_rig.h"

namespace postern {
namespace {

using adapters::Job;
using exporting::Runner;
using tests::LogOf;
using tests::RunnerTest;
using tests::Scripted;

TEST_F(RunnerTest, TheLogSaysWhoHasItAndWhoWaits) {
    const LogOf log;
    auto adapter = std::make_shared<Scripted>();
    std::atomic<int> published{0};
    adapter->onPublish = [&](Job& job) {
        job.outcome = adapters::exported("old.example");
        if (++published == 1)
            job.outcome->recipients = {
                {1, adapters::Verdict::Deferred, "452 full", "", adapters::Cause::Full}};
    };
    office_.post("a", 1, 1);
    auto runner = makeRunner("a", adapter);
    runner->start();
    ASSERT_TRUE(tests::waitFor([&] { return count(queue::State::Exported) == 1; }));
    runner->stop();
    ASSERT_EQ(log.of("item.partly").size(), 1u);
    const std::string partly = log.of("item.partly")[0];
    for (const char* part : {"exported=\"\" waiting=", "class=full", "1 of 1 recipients waits: "})
        EXPECT_NE(partly.find(part), std::string::npos) << partly;
    EXPECT_EQ(log.of("item.exported").size(), 1u) << "only the whole item";
    EXPECT_EQ(runner->counters().exported, 1);
}

TEST_F(RunnerTest, AnAttemptThatIsNotCountedIsSoEverywhere) {
    const LogOf log;
    auto adapter = std::make_shared<Scripted>();
    std::atomic<bool> gone{true};
    adapter->onStage = [&](Job& job) {
        if (!gone) return;
        job.outcome = adapters::unusable("connection refused");
        job.outcome->cause = adapters::Cause::Connection;
    };
    office_.post("a", 1, 1);
    auto runner = makeRunner("a", adapter);
    runner->start();
    ASSERT_TRUE(tests::waitFor([&] { return runner->counters().deferred >= 1; }));
    gone = false;
    ASSERT_TRUE(tests::waitFor([&] { return count(queue::State::Exported) == 1; }));
    ASSERT_TRUE(tests::waitFor([&] { return log.of("item.exported").size() == 1; }))
        << "said behind the commit";
    const std::string line = log.of("item.deferred").at(0);
    EXPECT_NE(line.find("attempt=\"not counted\""), std::string::npos) << line;
    EXPECT_NE(line.find("class=connection"), std::string::npos) << line;
    EXPECT_NE(log.of("item.exported").at(0).find("attempt=1"), std::string::npos)
        << log.of("item.exported")[0];
}

// Its next look is shown by other processes: what is stored must be the next one, not the first.
TEST_F(RunnerTest, EachNextLookOfAnUnusableAdapterIsStored) {
    auto adapter = std::make_shared<Scripted>();
    std::atomic<int> looks{0};
    adapter->onProbe = [&]() -> Result<void> {
        ++looks;
        return fail(Errc::Unavailable, "no such folder");
    };
    auto runner = makeRunner("a", adapter);
    runner->start();
    const auto stored = [&] {
        std::optional<WallTime> probe;
        (void)office_.store().read([&](store::ReadSession& session) -> Result<void> {
            POSTERN_LET(states, queue::readAdapterStates(session));
            if (!states.empty()) probe = states[0].probe;
            return {};
        });
        return probe;
    };
    ASSERT_TRUE(tests::waitFor([&] { return stored().has_value(); }));
    const WallTime first = *stored();
    EXPECT_TRUE(tests::waitFor([&] { return looks >= 3 && *stored() > first; }));
}

// A mailbox that nobody may open: asked about once a lease, for days.
TEST_F(RunnerTest, WhatCanNotBeToldIsLoggedWhenItBeginsAndEnds) {
    tests::FakeClock clock;
    tests::PostOffice office(clock);
    queue::Queue queue(office.store(), clock, {.owner = "unit"});
    const LogOf log;
    Scripted adapter;
    bool locked = true;
    adapter.onPublish = [](Job& job) { job.outcome = adapters::unknown("the disk vanished"); };
    adapter.onRecover = [&] {
        adapters::Recovery recovery{adapters::Found::Published, "inbox", std::nullopt};
        if (locked) recovery.busy = fail(Errc::Denied, "inbox: permission denied");
        return recovery;
    };
    config::Adapter settings;
    settings.name = "a";
    exporting::Counters counters;
    Pulse pulse(clock);
    exporting::Exporter exporter({office.store(), queue, adapter, settings, counters, pulse});
    office.post("a", 1, 1);
    ASSERT_TRUE(exporter.exportBatch([] { return false; }, 10).ok());
    for (int hour = 0; hour < 3; ++hour) {
        clock.advance(queue.options().lease);
        EXPECT_EQ(exporter.recover(false)->claimed, 0);
    }
    EXPECT_EQ(log.of("item.unanswered").size(), 1u) << "no flood";
    locked = false;
    clock.advance(queue.options().lease);
    EXPECT_EQ(exporter.recover(false)->claimed, 1);
    EXPECT_EQ(log.of("item.answered").size(), 1u);
    EXPECT_EQ(office.states()[queue::State::Exported], 1);
}

TEST_F(RunnerTest, AStopCutsOffWhatWaitsAndGivesItBack) {
    const LogOf log;
    auto adapter = std::make_shared<Scripted>();
    std::atomic<bool> staging{false}, hasty{false};
    adapter->onHasten = [&] { hasty = true; };
    adapter->onStage = [&](Job& job) {
        staging = true;
        EXPECT_TRUE(tests::waitFor([&] { return hasty.load(); }));  // for a host that says nothing
        job.outcome = adapters::unusable("given up");
    };
    office_.post("a", 1, 1);
    auto runner = makeRunner("a", adapter);
    runner->start();
    ASSERT_TRUE(tests::waitFor([&] { return staging.load(); }));
    runner->stop();
    EXPECT_EQ(count(queue::State::Ready), 1);
    EXPECT_EQ(log.of("adapter.suspended").size(), 0u);
    std::int64_t attempts = -1;
    (void)office_.store().read([&](store::ReadSession& session) -> Result<void> {
        return queue::listItems(session, {}, [&](const queue::ItemRow& row) {
            attempts = row.attempts;
            return true;
        });
    });
    EXPECT_EQ(attempts, 0) << "as if it had not begun";
}

// A mailer had the link: it says nothing about the target that the wait for it was given up.
TEST_F(RunnerTest, AStopThatCutsOffPublishingSuspendsNobody) {
    const LogOf log;
    auto adapter = std::make_shared<Scripted>();
    std::atomic<bool> publishing{false}, hasty{false};
    adapter->onHasten = [&] { hasty = true; };
    adapter->onPublish = [&](Job& job) {
        publishing = true;
        EXPECT_TRUE(tests::waitFor([&] { return hasty.load(); }));
        job.outcome = adapters::unusable("given up");
    };
    office_.post("a", 1, 1);
    auto runner = makeRunner("a", adapter);
    runner->start();
    ASSERT_TRUE(tests::waitFor([&] { return publishing.load(); }));
    runner->stop();
    EXPECT_EQ(count(queue::State::Ready), 1);
    EXPECT_EQ(log.of("adapter.suspended").size(), 0u);
}

}  // namespace
}  // namespace postern
