// KB Q184524, the bug this product exists to make impossible: two threads took the same notification just
// after the connector began to process its queue, and mail went out twice.

#include <algorithm>
#include <cstdlib>
#include <thread>

#include <gtest/gtest.h>

#include "connector/export/runner.h"
#include "store/notifier.h"
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

void runRace(int backlog, int live, int batch) {
    tests::PostOffice office;
    store::Notifier notifier;
    const std::string out = office.folder("out");
    queue::QueueOptions options;
    options.owner = "race";
    queue::Queue queue(office.store(), office.clock(), options);
    exporting::Runner runner(office.store(), notifier, queue,
                             tests::makeAdapter("drop", "out", {{"folder", out}}), settingsFor("out", batch),
                             {});
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
