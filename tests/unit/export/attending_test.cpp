#include "connector/export/attending.h"

#include <algorithm>

#include <gtest/gtest.h>

#include "base/log.h"
#include "connector/export/runner.h"
#include "queue/hold.h"
#include "store/notifier.h"
#include "tests/kit/post_office.h"
#include "tests/kit/wait.h"

namespace postern {
namespace {

using adapters::Returned;
using exporting::Attended;

// Exports everything, and hands out what each test puts into `answers` until it is settled.
class Answering final : public adapters::Adapter {
  public:
    Result<void> probe() override {
        MutexLock lock(mutex);
        ++probed;
        return {};
    }
    void stage(std::span<adapters::Job> jobs, const std::function<void()>&) override {
        for (adapters::Job& job : jobs) job.evidence = "staged";
    }
    void publish(std::span<adapters::Job> jobs, const std::function<void()>&) override {
        for (adapters::Job& job : jobs) job.outcome = adapters::exported("here");
    }
    void abandon(adapters::Job&) override {}
    adapters::Recovery recover(const adapters::DeliveryKey&, std::string_view) override { return {}; }
    Result<int> sweep(const std::function<bool(const adapters::DeliveryKey&)>&) override { return 0; }
    std::string describe() const override { return "answering"; }
    Result<std::vector<Returned>> attend(const std::function<bool()>&) override {
        MutexLock lock(mutex);
        ++asked;
        if (!trouble.empty()) return fail(Errc::Unavailable, trouble);
        if (throws) throw std::runtime_error("no such section");
        return answers;
    }
    Result<void> settle(const std::string& token) override {
        MutexLock lock(mutex);
        if (keeps) return fail(Errc::NoSpace, "full");
        std::erase_if(answers, [&](const Returned& each) { return each.token == token; });
        return {};
    }

    Mutex mutex;
    std::vector<Returned> answers;
    std::string trouble;
    bool throws = false, keeps = false;
    int asked = 0, probed = 0;
};

class AttendingTest : public testing::Test {
  protected:
    AttendingTest() {
        settings_.name = "po";
        settings_.watchers = 2;
    }
    ItemId exported() {
        office_.post("po", 1, 1);
        exporting::Exporter exporter(post_);
        EXPECT_TRUE(exporter.exportBatch([] { return false; }, 1).ok());
        return ItemId{1};
    }
    Attended attend() {
        return exporting::attend(post_, [] { return false; }).value();
    }
    int count(queue::State state) { return office_.states()[state]; }

    tests::PostOffice office_;
    queue::QueueOptions options() {
        queue::QueueOptions options;
        options.owner = "unit";
        options.tell = [this](store::WriteSession&, const queue::Fate& fate) -> Result<void> {
            told_.push_back(fate);
            return {};
        };
        return options;
    }
    std::vector<queue::Fate> told_;
    queue::Queue queue_{office_.store(), office_.clock(), options()};
    config::Adapter settings_;
    exporting::Counters counters_;
    Pulse pulse_{office_.clock()};
    std::shared_ptr<Answering> adapter_ = std::make_shared<Answering>();
    exporting::Post post_{office_.store(), queue_, *adapter_, settings_, counters_, pulse_};
};

TEST_F(AttendingTest, TheAdapterPicksWhomItMeans) {
    const ItemId item = exported();
    adapter_->answers = {{"1.und", item, "given back", [](std::span<const adapters::Recipient> all) {
                              EXPECT_EQ(all.size(), 1u);
                              return std::vector<adapters::RecipientVerdict>{{all.front().ordinal,
                                                                              adapters::Verdict::Rejected,
                                                                              "no such user", "5.1.1"}};
                          }}};
    EXPECT_EQ(attend().answers, 1);
    ASSERT_EQ(told_.size(), 1u);
    EXPECT_EQ(told_[0].recipients[0].reason, "no such user");
    EXPECT_EQ(told_[0].recipients[0].status, "5.1.1");
    EXPECT_EQ(count(queue::State::Failed), 1);
    EXPECT_TRUE(adapter_->answers.empty()) << "settled";
    EXPECT_EQ(attend().answers, 0);
}

// A crash, or a full disk, between the commit and settle().
TEST_F(AttendingTest, WhatIsGivenAgainIsTakenOnce) {
    adapter_->answers = {{"1.und", exported(), "given back"}};
    adapter_->keeps = true;
    EXPECT_EQ(attend().unusable, "full");
    adapter_->keeps = false;
    EXPECT_EQ(attend().unusable, "");
    EXPECT_EQ(told_.size(), 1u);
    EXPECT_TRUE(adapter_->answers.empty());
}

TEST_F(AttendingTest, DoubtGoesThePolicysWay) {
    const ItemId item = exported();
    adapter_->answers = {{"1.doubt", item, "cut off", {}, true}};
    attend();
    EXPECT_EQ(count(queue::State::InDoubt), 1);
    EXPECT_EQ(counters_.inDoubt, 1);
}

// Sent again by policy, the second copy arrived, and only then the first one is said to have been refused.
TEST_F(AttendingTest, AnAnswerToTheFirstCopyDoesNotFailTheSecond) {
    settings_.onDoubt = config::OnDoubt::Resend;
    const ItemId item = exported();
    adapter_->answers = {{"1.doubt", item, "cut off", {}, true, Epoch{1}}};
    attend();
    exporting::Exporter exporter(post_);
    EXPECT_TRUE(exporter.exportBatch([] { return false; }, 1).ok());
    ASSERT_EQ(count(queue::State::Exported), 1);
    adapter_->answers = {{"1.und", item, "no such user", {}, false, Epoch{1}}};
    EXPECT_EQ(attend().answers, 1);
    EXPECT_EQ(count(queue::State::Exported), 1);
    EXPECT_TRUE(told_.empty());
    EXPECT_TRUE(adapter_->answers.empty()) << "settled";
    adapter_->answers = {{"2.und", item, "no such user", {}, false, Epoch{2}}};
    attend();
    EXPECT_EQ(count(queue::State::Failed), 1);
    EXPECT_EQ(told_.size(), 1u);
}

TEST_F(AttendingTest, DoubtIsSentAgainWhereThePolicySaysSo) {
    settings_.onDoubt = config::OnDoubt::Resend;
    adapter_->answers = {{"1.doubt", exported(), "cut off", {}, true}};
    attend();
    EXPECT_EQ(count(queue::State::Ready), 1);
    EXPECT_TRUE(told_.empty());
}

TEST_F(AttendingTest, AnAnswerOfNoItemIsSettledAndOneThatComesEarlyWaits) {
    office_.post("po", 1, 1);
    (void)queue_.claim("po", 1).value();
    adapter_->answers = {{"early", ItemId{1}, "given back"}, {"nowhere", ItemId{99}, "given back"}};
    EXPECT_EQ(attend().answers, 1);
    ASSERT_EQ(adapter_->answers.size(), 1u);
    EXPECT_EQ(adapter_->answers[0].token, "early");
}

TEST_F(AttendingTest, AnAdapterThatThrowsStopsNothing) {
    adapter_->throws = true;
    EXPECT_EQ(attend().answers, 0);
    EXPECT_EQ(counters_.faults, 1);
}

class AttendingRunner : public AttendingTest {
  protected:
    std::unique_ptr<exporting::Runner> runner() {
        exporting::RunnerOptions options;
        options.pollInterval = Millis(5);
        options.firstProbe = options.longestProbe = Millis(5);
        return std::make_unique<exporting::Runner>(office_.store(), notifier_, queue_, adapter_, settings_,
                                                   options);
    }
    store::Notifier notifier_;
};

TEST_F(AttendingRunner, Q294947_AMissingToolSuspendsItsAdapterUntilItIsBack) {
    adapter_->trouble = "/usr/bin/import: No such file or directory";
    auto watched = runner();
    watched->start();
    using State = exporting::Runner::Health::State;
    ASSERT_TRUE(tests::waitFor([&] { return watched->health().state == State::Suspended; }));
    EXPECT_EQ(watched->health().reason, "/usr/bin/import: No such file or directory");
    {
        MutexLock lock(adapter_->mutex);
        adapter_->trouble.clear();
    }
    office_.post("po", 1, 3);
    EXPECT_TRUE(tests::waitFor([&] { return count(queue::State::Exported) == 3; }));
    EXPECT_EQ(watched->health().state, State::Running);
}

TEST_F(AttendingRunner, IsAskedBetweenBatchesAndWhenIdleButNotWhileSuspended) {
    const auto held = office_.store().write([&](store::WriteSession& session) {
        return queue::holdAdapter(session, {"po", office_.clock().now(), "anna", "new disk", {}});
    });
    ASSERT_TRUE(held.ok());
    auto watched = runner();
    watched->start();
    ASSERT_TRUE(
        tests::waitFor([&] { return watched->health().state == exporting::Runner::Health::State::Running; }));
    {
        MutexLock lock(adapter_->mutex);
        EXPECT_EQ(adapter_->asked, 0);
    }
    ASSERT_TRUE(office_.store()
                    .write([&](store::WriteSession& session) -> Result<void> {
                        POSTERN_TRY(queue::releaseAdapter(session, "po"));
                        return {};
                    })
                    .ok());
    watched->lookForHold();
    EXPECT_TRUE(tests::waitFor([&] {
        MutexLock lock(adapter_->mutex);
        return adapter_->asked > 3;
    }));
}

// No probe tells whether a post office is back: attend() is asked itself, and the log has one line each way.
TEST_F(AttendingRunner, Q242944_WhatAttendComplainsOfIsOverWhenItSaysSo) {
    Mutex mutex;
    std::vector<std::string> lines;
    setLogSink([&](Severity, std::string_view line) {
        MutexLock lock(mutex);
        lines.emplace_back(line);
    });
    const auto count = [&](const char* event) {
        MutexLock lock(mutex);
        return std::count_if(lines.begin(), lines.end(),
                             [&](const std::string& line) { return line.find(event) != std::string::npos; });
    };
    const auto asked = [&](int times) {
        return tests::waitFor([&] {
            MutexLock lock(adapter_->mutex);
            return adapter_->asked >= times;
        });
    };
    adapter_->trouble = "the import program ended with exit code 3";
    {
        auto watched = runner();
        watched->start();
        EXPECT_TRUE(asked(12));
        EXPECT_EQ(watched->health().state, exporting::Runner::Health::State::Suspended);
        EXPECT_EQ(count("adapter.suspended"), 1);
        EXPECT_EQ(count("adapter.resumed"), 0);
        {
            MutexLock lock(adapter_->mutex);
            adapter_->trouble.clear();
        }
        EXPECT_TRUE(tests::waitFor([&] { return count("adapter.resumed") == 1; }));
        EXPECT_EQ(count("adapter.suspended"), 1);
    }
    setLogSink({});
}

// Maintenance: nobody runs a tool on a post office that a person has asked us to leave alone (KB Q156063).
TEST_F(AttendingRunner, Q156063_APersonsSuspensionKeepsItFromBeingAsked) {
    adapter_->trouble = "the post office is locked";
    auto watched = runner();
    watched->start();
    using State = exporting::Runner::Health::State;
    ASSERT_TRUE(tests::waitFor([&] { return watched->health().state == State::Suspended; }));
    ASSERT_TRUE(
        office_.store()
            .write([&](store::WriteSession& session) {
                return queue::holdAdapter(session, {"po", office_.clock().now(), "anna", "chkstat", {}});
            })
            .ok());
    watched->lookForHold();
    const auto looks = [&] {
        MutexLock lock(adapter_->mutex);
        return std::pair(adapter_->asked, adapter_->probed);
    };
    const auto before = looks();  // one may be under way
    EXPECT_TRUE(tests::waitFor([&] { return looks().second > before.second + 5; }));
    EXPECT_LE(looks().first, before.first + 1);
    EXPECT_EQ(watched->health().state, State::Suspended);
}

}  // namespace
}  // namespace postern
