#include "connector/export/runner.h"

#include <atomic>
#include <set>

#include <gtest/gtest.h>

#include "base/log.h"
#include "queue/inspect.h"
#include "queue/operate.h"
#include "store/notifier.h"
#include "tests/fake_clock.h"
#include "tests/kit/post_office.h"
#include "tests/kit/wait.h"

namespace postern {
namespace {

using adapters::Job;
using exporting::Runner;
using State = exporting::Runner::Health::State;

// Does what each test tells it to; everything else exports at once.
class Scripted final : public adapters::Adapter {
  public:
    std::function<Result<void>()> onProbe = [] { return Result<void>(); };
    std::function<void(Job&)> onStage = [](Job&) {};
    std::function<void(Job&)> onPublish = [](Job&) {};
    std::function<adapters::Recovery()> onRecover = [] {
        return adapters::Recovery{adapters::Found::CannotTell, "nobody knows", std::nullopt};
    };

    std::function<void()> onHasten = [] {};

    Result<void> probe() override { return onProbe(); }
    void hasten() override { onHasten(); }
    void stage(std::span<Job> jobs, const std::function<void()>&) override {
        for (Job& job : jobs) {
            onStage(job);
            if (!job.outcome) job.evidence = "staged";
        }
    }
    void publish(std::span<Job> jobs, const std::function<void()>&) override {
        for (Job& job : jobs) {
            onPublish(job);
            if (!job.outcome) job.outcome = adapters::exported("here");
        }
    }
    void abandon(Job&) override {}
    adapters::Recovery recover(const adapters::DeliveryKey&, std::string_view) override {
        return onRecover();
    }
    Result<int> sweep(const std::function<bool(const adapters::DeliveryKey&)>&) override { return 0; }
    std::string describe() const override { return "scripted"; }
};

class RunnerTest : public testing::Test {
  protected:
    std::unique_ptr<Runner> makeRunner(const std::string& name, std::shared_ptr<adapters::Adapter> adapter,
                                       config::Adapter settings = {}, Millis pollInterval = Millis(50)) {
        settings.name = name;
        settings.watchers = 2;
        settings.retry.first = Millis(5);
        settings.retry.longest = Millis(10);
        exporting::RunnerOptions options;
        options.pollInterval = pollInterval;
        options.firstProbe = Millis(5);
        options.longestProbe = Millis(20);
        options.regroup = [](const std::string&, const std::vector<queue::RecipientRow>& recipients,
                             WallTime received) -> Result<std::vector<queue::NewItem>> {
            queue::NewItem item;
            item.expires = received + std::chrono::hours(1);
            item.recipients = recipients;
            return std::vector<queue::NewItem>{item};
        };
        return std::make_unique<Runner>(office_.store(), notifier_, queue_, std::move(adapter), settings,
                                        options);
    }
    void hold(std::optional<WallTime> until) {
        const auto held = office_.store().write([&](store::WriteSession& session) {
            return queue::holdAdapter(session, {"a", office_.clock().now(), "anna", "new disk", until});
        });
        ASSERT_TRUE(held.ok());
    }
    int count(queue::State state) {
        auto states = office_.states();
        return states[state];
    }

    tests::PostOffice office_;
    store::Notifier notifier_;
    queue::Queue queue_{office_.store(), office_.clock(), {.owner = "unit"}};
};

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

class LogOf {
  public:
    LogOf() {
        setLogSink([this](Severity, std::string_view line) {
            MutexLock lock(mutex_);
            lines_.emplace_back(line);
        });
    }
    ~LogOf() { setLogSink({}); }
    std::vector<std::string> of(const std::string& event) const {
        MutexLock lock(mutex_);
        std::vector<std::string> found;
        for (const std::string& line : lines_)
            if (line.find(event + " ") != std::string::npos) found.push_back(line);
        return found;
    }

  private:
    mutable Mutex mutex_;
    std::vector<std::string> lines_ GUARDED_BY(mutex_);
};

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
    exporting::Exporter exporter({office.store(), queue, adapter, settings, counters});
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

}  // namespace
}  // namespace postern
