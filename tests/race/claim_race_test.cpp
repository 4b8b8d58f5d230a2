// KB Q184524, the bug this product exists to make impossible: two threads took the same notification just
// after the connector began to process its queue, and mail went out twice.

#include <algorithm>
#include <cstdlib>
#include <iostream>
#include <map>
#include <mutex>
#include <thread>

#include <gtest/gtest.h>

#include "connector/export/runner.h"
#include "store/notifier.h"
#include "tests/kit/forwarding_adapter.h"
#include "tests/kit/post_office.h"
#include "tests/kit/wait.h"

namespace postern {
namespace {

constexpr int kWatchers = 24;

config::Adapter settingsFor(const std::string& name, int batch) {
    config::Adapter settings;
    settings.name = name;
    settings.watchers = kWatchers;
    settings.batch = batch;
    return settings;
}

// Counts what each watcher publishes.
class Tallying final : public tests::ForwardingAdapter {
  public:
    using ForwardingAdapter::ForwardingAdapter;

    void publish(std::span<adapters::Job> jobs, const std::function<void()>& beat) override {
        ForwardingAdapter::publish(jobs, beat);
        const std::lock_guard lock(mutex_);
        tally_[std::this_thread::get_id()] += static_cast<int>(jobs.size());
    }
    // The share of the slowest watcher, in hundredths of what an even share would be.
    int slowest() const {
        const std::lock_guard lock(mutex_);
        if (tally_.size() < kWatchers) return 0;
        int sum = 0;
        int least = tally_.begin()->second;
        for (const auto& [thread, count] : tally_) {
            sum += count;
            least = std::min(least, count);
        }
        return static_cast<int>(100LL * least * kWatchers / std::max(sum, 1));
    }

  private:
    mutable std::mutex mutex_;
    std::map<std::thread::id, int> tally_;
};

// Few items may be gone before the last watcher has begun; of many each takes its part.
constexpr int kEnoughForAll = 1'000'000;
constexpr int kLeastShare = 20;  // hundredths of an even share

void runRace(int backlog, int live, int batch) {
    tests::PostOffice office;
    store::Notifier notifier;
    const std::string out = office.folder("out");
    queue::QueueOptions options;
    options.owner = "race";
    queue::Queue queue(office.store(), office.clock(), options);
    const auto adapter = std::make_shared<Tallying>(tests::makeAdapter("drop", "out", {{"folder", out}}));
    exporting::RunnerOptions all;
    all.helpAfter = Millis(0);  // nobody stands by: it is to be a race
    exporting::Runner runner(office.store(), notifier, queue, adapter, settingsFor("out", batch), all);
    office.post("out", 1, backlog);  // stands there when the watchers start, as in the article
    std::thread hints([&] {          // every notification three times
        constexpr int kStep = 100;
        for (int first = backlog + 1; first <= backlog + live; first += kStep) {
            office.post("out", first, std::min(kStep, backlog + live - first + 1));
            for (int i = 0; i < 3; ++i) notifier.notify("out");
        }
    });
    runner.start();
    for (int i = 0; i < 3; ++i) notifier.notify("out");
    hints.join();
    const int total = backlog + live;
    EXPECT_TRUE(tests::waitFor([&] { return runner.counters().exported >= total; }, Millis(240'000 + total)))
        << runner.counters().exported << " of " << total << " exported";
    runner.stop();
    tests::Consumer consumer(out);
    consumer.take();
    EXPECT_EQ(consumer.verdict(total), "");
    EXPECT_EQ(runner.counters().exported, total);
    EXPECT_EQ(runner.counters().fenced, 0);
    if (total >= kEnoughForAll) {
        EXPECT_GE(adapter->slowest(), kLeastShare);
        std::cout << total << " mails, the slowest watcher took " << adapter->slowest()
                  << " % of an even share\n";
    }
    EXPECT_EQ(office.states(), (std::map<queue::State, int>{{queue::State::Exported, total}}));
}

TEST(ClaimRace, Q184524_claim_race_exports_once) {
    runRace(tests::scaled(10'000), tests::scaled(10'000), 64);
}

// One item per claim: the most contention there can be.
TEST(ClaimRace, Q184524_single_claims_export_once) {
    runRace(tests::scaled(1'000), tests::scaled(1'000), 1);
}

// The moment of the bug: the first claims on a full queue, again and again.
TEST(ClaimRace, Q184524_many_starts_export_once) {
    const char* rows = std::getenv("POSTERN_RACE_ROWS");  // more for the proof
    const int backlog = rows == nullptr ? 60 : std::max(1, std::atoi(rows));
    for (int start = 0; start < tests::scaled(30); ++start) runRace(backlog, 0, 3);
}

}  // namespace
}  // namespace postern
