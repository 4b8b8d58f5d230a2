#include <atomic>

#include <gtest/gtest.h>

#include "tests/kit/wait.h"
#include "tests/unit/export/runner_rig.h"

namespace postern {
namespace {

using adapters::Job;
using exporting::Runner;
using State = exporting::Runner::Health::State;
using tests::RunnerTest;
using tests::Scripted;

TEST_F(RunnerTest, Q198841_lost_notifications_only_delay) {
    auto runner = makeRunner("a", std::make_shared<Scripted>());
    runner->start();
    ASSERT_TRUE(tests::waitFor([&] { return runner->health().state == State::Running; }));
    office_.post("a", 1, 20);  // nobody is told
    EXPECT_TRUE(tests::waitFor([&] { return count(queue::State::Exported) == 20; }));
}

// A batch that is full is followed by the next at once: one hint is enough for all.
TEST_F(RunnerTest, Q115490_a_full_batch_is_followed_by_the_next_at_once) {
    config::Adapter settings;
    settings.batch = 50;
    auto runner = makeRunner("a", std::make_shared<Scripted>(), settings, Millis(3'600'000));
    runner->start();
    ASSERT_TRUE(tests::waitFor([&] { return runner->health().state == State::Running; }));
    office_.post("a", 1, 130);
    notifier_.notify("a");
    EXPECT_TRUE(tests::waitFor([&] { return count(queue::State::Exported) == 130; }));
}

TEST_F(RunnerTest, Q176375_poison_item_isolated) {
    auto adapter = std::make_shared<Scripted>();
    std::atomic<std::int64_t> poison{0};
    adapter->onStage = [&](Job& job) {
        std::int64_t none = 0;
        poison.compare_exchange_strong(none, job.delivery.key.item.value);
        if (job.delivery.key.item.value == poison) throw std::runtime_error("illegal section name");
    };
    office_.post("a", 1, 50);
    auto runner = makeRunner("a", adapter);
    runner->start();
    EXPECT_TRUE(tests::waitFor(
        [&] { return count(queue::State::Exported) == 49 && count(queue::State::Held) == 1; }));
    office_.post("a", 51, 5);
    EXPECT_TRUE(tests::waitFor([&] { return count(queue::State::Exported) == 54; })) << "the service goes on";
    EXPECT_GE(runner->counters().faults, 5);
}

TEST_F(RunnerTest, Q202178_unusable_folder_is_visible_and_heals) {
    auto adapter = std::make_shared<Scripted>();
    std::atomic<bool> broken{true};
    adapter->onProbe = [&]() -> Result<void> {
        return broken ? Result<void>(fail(Errc::Unavailable, "/srv/out: No such file or directory"))
                      : Result<void>();
    };
    office_.post("a", 1, 3);
    auto runner = makeRunner("a", adapter);
    runner->start();
    ASSERT_TRUE(tests::waitFor([&] { return runner->health().state == State::Suspended; }));
    EXPECT_EQ(runner->health().reason, "/srv/out: No such file or directory");
    EXPECT_EQ(count(queue::State::Ready), 3);
    broken = false;
    EXPECT_TRUE(tests::waitFor([&] { return count(queue::State::Exported) == 3; }));
    EXPECT_EQ(runner->health().state, State::Running);
}

TEST_F(RunnerTest, TroubleInTheMiddleSuspendsAndGivesTheMailBack) {
    auto adapter = std::make_shared<Scripted>();
    std::atomic<bool> full{true};
    adapter->onStage = [&](Job& job) {
        if (full) job.outcome = adapters::unusable("disk full");
    };
    office_.post("a", 1, 3);
    auto runner = makeRunner("a", adapter);
    runner->start();
    ASSERT_TRUE(tests::waitFor([&] { return runner->counters().deferred >= 3; }));
    full = false;
    EXPECT_TRUE(tests::waitFor([&] { return count(queue::State::Exported) == 3; }));
}

TEST_F(RunnerTest, Q193760_slow_adapter_does_not_delay_others) {
    auto slow = std::make_shared<Scripted>();
    std::atomic<bool> hang{true};
    slow->onStage = [&](Job&) { EXPECT_TRUE(tests::waitFor([&] { return !hang; })); };
    auto slowRunner = makeRunner("slow", slow);
    auto quickRunner = makeRunner("quick", std::make_shared<Scripted>());
    office_.post("slow", 1, 4);
    office_.post("quick", 5, 10);
    slowRunner->start();
    quickRunner->start();
    EXPECT_TRUE(tests::waitFor([&] { return quickRunner->counters().exported == 10; }));
    EXPECT_EQ(slowRunner->counters().exported, 0);
    hang = false;
    EXPECT_TRUE(tests::waitFor([&] { return slowRunner->counters().exported == 4; }));
}

// Time that moves only when the test says so, and how often somebody asked for it.
class AskedClock final : public Clock {
  public:
    WallTime now() const override { return fromMillis(1'700'000'000'000); }
    SteadyTime steady() const override {
        ++asked_;
        return SteadyTime(Millis(steady_.load()));
    }
    void advance(Millis by) { steady_ += by.count(); }
    int asked() const { return asked_; }

  private:
    mutable std::atomic<int> asked_{0};
    std::atomic<std::int64_t> steady_{1'000};  // the system's own is past it: nobody really sleeps
};

// One of two watchers has a mail in hand until the test lets it go; five more wait, and two fill a batch.
class TwoWatchers : public testing::Test {
  protected:
    void SetUp() override {
        adapter_->onStage = [this](Job&) {
            if (++staged_ > 1) return;
            EXPECT_TRUE(tests::waitFor([this] { return free_.load(); }));
        };
        config::Adapter settings;
        settings.name = "a";
        settings.watchers = 2;
        settings.batch = 2;
        runner_ = std::make_unique<Runner>(office_.store(), notifier_, queue_, adapter_, settings,
                                           exporting::RunnerOptions{});
        office_.post("a", 1, 1);
        runner_->start();
        ASSERT_TRUE(tests::waitFor([this] { return staged_ == 1; }));
        office_.post("a", 2, 5);
        notifier_.notify("a");
    }
    bool exported(int mails) {
        return tests::waitFor([&] { return office_.states()[queue::State::Exported] == mails; });
    }

    AskedClock clock_;
    tests::PostOffice office_{clock_};
    store::Notifier notifier_;
    queue::Queue queue_{office_.store(), clock_, {.owner = "unit"}};
    std::shared_ptr<Scripted> adapter_ = std::make_shared<Scripted>();
    std::atomic<int> staged_{0};
    std::atomic<bool> free_{false};
    std::unique_ptr<Runner> runner_;  // last: its threads use the others
};

TEST_F(TwoWatchers, WhatComesInMeanwhileIsLeftToTheOneAtWork) {
    const int before = clock_.asked();
    // On a clock that stands the other one looks again and again.
    EXPECT_TRUE(tests::waitFor([&] { return clock_.asked() > before + 1000; }));
    EXPECT_EQ(staged_, 1);
    free_ = true;
    EXPECT_TRUE(exported(6));
}

// Nor is there one between two batches that were full, although the clock stands.
TEST_F(TwoWatchers, ABatchThatTakesLongIsNoReasonToWaitForIt) {
    clock_.advance(Millis(50));
    EXPECT_TRUE(exported(5)) << "by the other one";
    free_ = true;
    EXPECT_TRUE(exported(6));
}

TEST_F(RunnerTest, OneImpossibleMailFailsAndTheRestOfItsBatchGoesOn) {
    auto adapter = std::make_shared<Scripted>();
    std::atomic<std::int64_t> bad{0};
    adapter->onStage = [&](Job& job) {
        std::int64_t none = 0;
        bad.compare_exchange_strong(none, job.delivery.key.item.value);
        if (job.delivery.key.item.value == bad) job.outcome = adapters::rejected("1025 > 1024 attachments");
    };
    office_.post("a", 1, 10);
    auto runner = makeRunner("a", adapter);
    runner->start();
    EXPECT_TRUE(tests::waitFor(
        [&] { return count(queue::State::Exported) == 9 && count(queue::State::Failed) == 1; }));
}

TEST_F(RunnerTest, AnUnansweredPublishIsAskedAboutAndHeldInDoubt) {
    auto adapter = std::make_shared<Scripted>();
    adapter->onPublish = [](Job& job) {
        job.outcome = adapters::unknown("the line broke after the final dot");
    };
    office_.post("a", 1, 1);
    auto runner = makeRunner("a", adapter);
    runner->start();
    EXPECT_TRUE(tests::waitFor([&] { return count(queue::State::InDoubt) == 1; }));
    EXPECT_TRUE(tests::waitFor([&] { return runner->counters().inDoubt == 1; }));
}

TEST(RunnerPulse, Q176566_a_hung_watcher_is_noticed) {
    tests::FakeClock clock;
    tests::PostOffice office(clock);
    store::Notifier notifier;
    queue::Queue queue(office.store(), clock, {.owner = "unit"});
    auto adapter = std::make_shared<Scripted>();
    std::atomic<bool> staging{false}, free{false};
    adapter->onStage = [&](Job&) {
        staging = true;
        EXPECT_TRUE(tests::waitFor([&] { return free.load(); }));
    };
    office.post("a", 1, 1);
    config::Adapter settings;
    settings.name = "a";
    settings.watchers = 1;
    Runner runner(office.store(), notifier, queue, adapter, settings, {});
    runner.start();
    ASSERT_TRUE(tests::waitFor([&] { return staging.load(); }));
    clock.advance(Pulse::kRound);
    EXPECT_EQ(runner.life(), Pulse::Life::Well) << "a slow host has its time";
    clock.advance(Pulse::kAway);
    EXPECT_EQ(runner.life(), Pulse::Life::Overdue) << "and its adapter is named, not everything restarted";
    free = true;
    EXPECT_TRUE(tests::waitFor([&] { return runner.life() == Pulse::Life::Well; }));
    runner.stop();
}

TEST_F(RunnerTest, Q179013_stop_under_load_joins_and_gives_back) {
    office_.post("a", 1, 500);
    for (int round = 0; round < 20; ++round) {
        auto runner = makeRunner("a", std::make_shared<Scripted>());
        runner->start();
        notifier_.notify("a");
        runner->stop();
        EXPECT_EQ(count(queue::State::Claimed) + count(queue::State::Publishing), 0) << "round " << round;
    }
    EXPECT_EQ(notifier_.subscribers(), 0u);
}

TEST_F(RunnerTest, ASuspensionSurvivesARestartAndEndsAtItsTime) {
    hold(std::nullopt);
    office_.post("a", 1, 3);
    auto runner = makeRunner("a", std::make_shared<Scripted>());
    runner->start();
    ASSERT_TRUE(tests::waitFor([&] { return runner->health().state == State::Running; }));
    EXPECT_FALSE(runner->claims());
    EXPECT_EQ(count(queue::State::Ready), 3);
    hold(office_.clock().now() + Millis(20));
    runner->lookForHold();
    EXPECT_TRUE(tests::waitFor([&] { return count(queue::State::Exported) == 3; }));
    EXPECT_TRUE(tests::waitFor([&] {
        bool none = false;
        (void)office_.store().read([&](store::ReadSession& session) -> Result<void> {
            POSTERN_LET(holds, queue::readHolds(session));
            none = holds.empty();
            return {};
        });
        return none;
    })) << "the watcher removes what is over";
}

TEST_F(RunnerTest, AfterSoManyFailedAttemptsTheFallbackTakesOver) {
    auto adapter = std::make_shared<Scripted>();
    adapter->onStage = [](Job& job) { job.outcome = adapters::deferred("busy", adapters::Cause::Busy); };
    config::Adapter settings;
    settings.fallback = "b";
    settings.fallbackAfter = 3;
    settings.watchers = 1;  // another one may begin a fourth attempt before the third is moved
    office_.post("a", 1, 2);
    auto runner = makeRunner("a", adapter, settings);
    auto fallback = makeRunner("b", std::make_shared<Scripted>());
    runner->start();
    fallback->start();
    EXPECT_TRUE(tests::waitFor([&] { return count(queue::State::Exported) == 2; }));
    EXPECT_EQ(count(queue::State::Deleted), 2);
    EXPECT_TRUE(tests::waitFor([&] { return fallback->counters().exported == 2; }));
    runner->stop();
    EXPECT_EQ(runner->counters().moved, 2);
    EXPECT_EQ(runner->counters().deferred, 6) << "three attempts each";
}

TEST_F(RunnerTest, WhatMayBePublishedDoesNotGoToTheFallback) {
    auto adapter = std::make_shared<Scripted>();
    adapter->onPublish = [](Job& job) {
        job.outcome = adapters::unknown("the line broke after the final dot");
    };
    config::Adapter settings;
    settings.onDoubt = config::OnDoubt::Resend;
    settings.fallback = "b";
    settings.fallbackAfter = 1;
    office_.post("a", 1, 1);
    auto runner = makeRunner("a", adapter, settings);
    runner->start();
    ASSERT_TRUE(
        tests::waitFor([&] { return runner->counters().deferred >= 3 || runner->counters().moved > 0; }));
    EXPECT_EQ(runner->counters().moved, 0);
    EXPECT_EQ(count(queue::State::Deleted), 0);
}

// The first attempt is in doubt, the later ones surely did not deliver: the doubt stays.
TEST_F(RunnerTest, WhatWasOnceInDoubtDoesNotGoToTheFallback) {
    auto adapter = std::make_shared<Scripted>();
    std::atomic<int> staged{0};
    adapter->onStage = [&](Job& job) {
        if (++staged > 1) job.outcome = adapters::deferred("busy", adapters::Cause::Busy);
    };
    adapter->onPublish = [](Job& job) {
        job.outcome = adapters::unknown("the line broke after the final dot");
    };
    config::Adapter settings;
    settings.onDoubt = config::OnDoubt::Resend;
    settings.fallback = "b";
    settings.fallbackAfter = 1;
    office_.post("a", 1, 1);
    auto runner = makeRunner("a", adapter, settings);
    runner->start();
    ASSERT_TRUE(
        tests::waitFor([&] { return runner->counters().deferred >= 3 || runner->counters().moved > 0; }));
    EXPECT_EQ(runner->counters().moved, 0);
    EXPECT_EQ(count(queue::State::Deleted), 0);
}

// Nobody could tell, and then the adapter could after all: each recipient has its own end.
TEST_F(RunnerTest, WhatIsKnownAfterAllIsSettled) {
    auto adapter = std::make_shared<Scripted>();
    adapter->onPublish = [](Job& job) { job.outcome = adapters::unknown("another watcher has it"); };
    adapter->onRecover = [] {
        adapters::Recovery recovery{adapters::Found::CannotTell, "some have it", std::nullopt};
        recovery.known = adapters::exported("there");
        return recovery;
    };
    office_.post("a", 1, 1);
    auto runner = makeRunner("a", adapter);
    runner->start();
    EXPECT_TRUE(tests::waitFor([&] { return count(queue::State::Exported) == 1; }));
    EXPECT_EQ(runner->counters().inDoubt, 0);
}

TEST_F(RunnerTest, AnUnusableAdapterIsNoFailedAttempt) {
    auto adapter = std::make_shared<Scripted>();
    adapter->onStage = [](Job& job) { job.outcome = adapters::unusable("disk full"); };
    config::Adapter settings;
    settings.fallback = "b";
    settings.fallbackAfter = 1;
    office_.post("a", 1, 1);
    auto runner = makeRunner("a", adapter, settings);
    runner->start();
    ASSERT_TRUE(tests::waitFor([&] { return runner->counters().deferred >= 3; }));
    EXPECT_EQ(runner->counters().moved, 0);
    EXPECT_EQ(count(queue::State::Deleted), 0);
}

TEST_F(RunnerTest, AnUnusableAdapterDoesNotUseUpItsRate) {
    auto adapter = std::make_shared<Scripted>();
    std::atomic<int> broken{2};
    adapter->onStage = [&](Job& job) {
        if (broken-- > 0) job.outcome = adapters::unusable("disk full");
    };
    config::Adapter settings;
    settings.policy.rate = config::Rate{2, std::chrono::hours(1)};
    office_.post("a", 1, 3);
    auto runner = makeRunner("a", adapter, settings);
    runner->start();
    EXPECT_TRUE(tests::waitFor([&] { return count(queue::State::Exported) == 2; }));
    runner->stop();
    EXPECT_EQ(count(queue::State::Ready), 1) << "what began counts";
}

}  // namespace
}  // namespace postern
