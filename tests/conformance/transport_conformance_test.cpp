// The promises T1 to T4 of include/postern/adapter.h, for a Transport of a library. What the legacy side has
// is what a command prints. From the environment, in place of the ledger of tests/unit/extension:
//
//   POSTERN_CONFORMANCE_FOLDER     the folder of the library
//   POSTERN_CONFORMANCE_TRANSPORT  the kind's name
//   POSTERN_CONFORMANCE_SETTINGS   "key=value;key=value": those that must be given
//   POSTERN_CONFORMANCE_LOOK       a command for the shell that prints everything the legacy side has, with
//   subjects
//
// {folder} in the last two is an empty folder, another one for each test. Every run is a store of its own.

#include <cstdio>
#include <cstdlib>
#include <thread>

#include <gtest/gtest.h>

#include "adapters/extension/loader.h"
#include "base/random.h"
#include "tests/adapter_rig.h"
#include "tests/kit/doomed.h"
#include "tests/kit/programs.h"
#include "tests/kit/starting_line.h"

namespace postern::tests {

using adapters::Found;
using adapters::Job;
using adapters::Verdict;

namespace {

std::string given(const char* name, const char* otherwise) {
    const char* value = std::getenv(name);
    return value == nullptr ? otherwise : value;
}

std::string kindName() {
    return given("POSTERN_CONFORMANCE_TRANSPORT", "ledger");
}

std::string replaced(std::string text, const std::string& what, const std::string& with) {
    for (std::size_t at = text.find(what); at != std::string::npos; at = text.find(what, at + with.size()))
        text.replace(at, what.size(), with);
    return text;
}

class TransportSuite : public testing::Test {
  protected:
    TransportSuite() : store_(randomName(20)) {
        for (const auto& refused : adapters::loadExtensions(
                 builtLibraries(given("POSTERN_CONFORMANCE_FOLDER", POSTERN_LIBRARIES)), {}))
            if (kindName() != "ledger") ADD_FAILURE() << refused.path << " " << refused.reason;
    }
    void SetUp() override {
        ASSERT_NE(adapters::kindNamed(kindName()), nullptr) << "no library brings the kind " << kindName();
        adapter_ = made(store_);
        const auto probed = adapter_->probe();
        ASSERT_TRUE(probed.ok()) << probed.error().text;
    }

    std::unique_ptr<adapters::Adapter> made(const std::string& store) const {
        SettingMap settings;
        std::istringstream pairs(
            replaced(given("POSTERN_CONFORMANCE_SETTINGS", "book={folder}/book"), "{folder}", folder_));
        for (std::string pair; std::getline(pairs, pair, ';');)
            settings[pair.substr(0, pair.find('='))] = pair.substr(std::min(pair.size(), pair.find('=') + 1));
        adapters::AdapterContext context = kRigContext;
        context.storeId = store;
        return makeKind(kindName(), settings, context).value();
    }
    // Nothing is remembered but what the other side has.
    void restart() { adapter_ = made(store_); }

    std::string subject(std::int64_t item) const { return store_ + " number " + std::to_string(item) + "."; }
    Job job(std::int64_t item, std::int64_t epoch = 1) {
        return jobs_.make(item, epoch, "bob",
                          "From: Alice <alice@example.org>\r\nTo: bob@legacy.example\r\nSubject: " +
                              subject(item) + "\r\n\r\nHello from the gateway.\r\n");
    }
    Job staged(std::int64_t item) {
        Job one = job(item);
        adapter_->stage({&one, 1}, [] {});
        EXPECT_FALSE(one.outcome) << outcomeText(one);
        return one;
    }
    static void publish(adapters::Adapter& adapter, Job& one) {
        adapter.publish({&one, 1}, [] {});
    }
    adapters::Recovery recovered(const Job& one) { return adapter_->recover(one.delivery.key, one.evidence); }

    static void expectTrue(const adapters::Recovery& seen, int count, std::int64_t item) {
        EXPECT_TRUE(seen.found != Found::Published || count == 1) << item << ": " << seen.text;
        EXPECT_TRUE(seen.found != Found::NotPublished || count == 0) << item << ": " << seen.text;
    }

    static std::string printed(const std::string& command) {
        std::FILE* const program = ::popen(command.c_str(), "r");
        if (program == nullptr) throw std::runtime_error(command);
        std::string all;
        char chunk[4096];
        for (std::size_t got = 0; (got = std::fread(chunk, 1, sizeof chunk, program)) > 0;)
            all.append(chunk, got);
        ::pclose(program);
        return all;
    }
    // How often the legacy side has it.
    int there(const std::string& text) const {
        const std::string look = replaced(given("POSTERN_CONFORMANCE_LOOK", ""), "{folder}", folder_);
        const std::string all = look.empty() ? slurp(folder_ + "/book") : printed(look);
        int count = 0;
        for (std::size_t at = all.find(text); at != std::string::npos; at = all.find(text, at + 1)) ++count;
        return count;
    }
    int there(std::int64_t item) const { return there(subject(item)); }

    TempFolder temp_;
    std::string folder_ = temp_.path();
    std::string store_;
    std::unique_ptr<adapters::Adapter> adapter_;
    JobMaker jobs_;
};

constexpr int kMails = 4;

// Stages and publishes them one after the other, and tells after each of the two steps. Its evidence is kept
// in files.
void exportAll(adapters::Adapter& adapter, std::vector<Job>& jobs, const std::string& folder,
               const Step& step) {
    for (Job& one : jobs) {
        const std::string stem = folder + "/" + std::to_string(one.delivery.key.item.value);
        adapter.stage({&one, 1}, [] {});
        spill(stem + ".evidence", one.evidence);
        step();
        adapter.publish({&one, 1}, [] {});
        if (one.outcome && one.outcome->verdict == Verdict::Exported) spill(stem + ".exported", "");
        step();
    }
}

}  // namespace

TEST_F(TransportSuite, T1StagingShowsNothingAndPublishingOne) {
    Job one = staged(1);
    EXPECT_FALSE(one.evidence.empty());
    EXPECT_LE(one.evidence.size(), 1000u);
    EXPECT_EQ(there(1), 0);
    publish(*adapter_, one);
    ASSERT_EQ(one.outcome->verdict, Verdict::Exported) << outcomeText(one);
    EXPECT_EQ(there(1), 1);
}

TEST_F(TransportSuite, T1WhatWasAbandonedIsNeverSeen) {
    Job one = staged(1);
    adapter_->abandon(one);
    EXPECT_EQ(there(1), 0);
    Job again = job(1, 2);
    adapter_->stage({&again, 1}, [] {});
    ASSERT_FALSE(again.outcome) << outcomeText(again);
    publish(*adapter_, again);
    EXPECT_EQ(there(1), 1);
}

TEST_F(TransportSuite, T2PublishingTwiceTakesEffectOnce) {
    Job one = staged(1), late = one;
    publish(*adapter_, one);
    publish(*adapter_, late);
    restart();
    Job later = one;
    later.outcome.reset();
    publish(*adapter_, later);
    EXPECT_EQ(there(1), 1);
}

TEST_F(TransportSuite, T2PublishingFromManyThreadsTakesEffectOnce) {
    constexpr int kThreads = 8;
    for (std::int64_t item = 1; item <= 5; ++item) {
        const Job one = staged(item);
        std::vector<Job> jobs(kThreads, one);
        StartingLine start(kThreads);
        std::vector<std::jthread> threads;
        for (Job& each : jobs)
            threads.emplace_back([&] {
                start.wait();
                publish(*adapter_, each);
            });
        threads.clear();
        EXPECT_EQ(there(item), 1) << item;
    }
}

TEST_F(TransportSuite, T3WhatWasPublishedIsNeverSaidToBeNot) {
    Job one = staged(1);
    publish(*adapter_, one);
    restart();
    const auto seen = recovered(one);
    ASSERT_FALSE(seen.unusable) << seen.unusable->text;
    EXPECT_NE(seen.found, Found::NotPublished) << seen.text;
    EXPECT_EQ(there(1), 1);
}

TEST_F(TransportSuite, T3WhatIsNotPublishedIsNeverSaidToBeAndComesNoMore) {
    Job one = staged(1);
    restart();
    const auto seen = recovered(one);
    EXPECT_NE(seen.found, Found::Published) << seen.text;
    EXPECT_EQ(there(1), 0);
    if (seen.found != Found::NotPublished) return;  // then a person looks
    publish(*adapter_, one);
    EXPECT_EQ(there(1), 0) << "published after a recovery had promised that it never would be";
}

TEST_F(TransportSuite, T3ARecoveryBesideALatePublishIsRight) {
    for (std::int64_t item = 1; item <= 10; ++item) {
        Job one = staged(item);
        StartingLine start(2);
        std::jthread late([&] {
            start.wait();
            publish(*adapter_, one);
        });
        const auto other = made(store_);
        start.wait();
        const auto seen = other->recover(one.delivery.key, one.evidence);
        late.join();
        const int count = there(item);
        EXPECT_LE(count, 1) << item;
        expectTrue(seen, count, item);
    }
}

TEST_F(TransportSuite, T3AKillBetweenAnyTwoStepsIsRecovered) {
    const auto mails = [this](int round) {
        std::vector<Job> jobs;
        for (int i = 0; i < kMails; ++i) jobs.push_back(job(100 * (round + 1) + i));
        return jobs;
    };
    if (const auto words = doomedWords()) {  // the round, the store and the folder
        std::istringstream in(*words);
        int round = 0;
        in >> round >> store_ >> std::ws;
        std::getline(in, folder_);
        restart();
        auto jobs = mails(round);
        doomed([&](const Step& step) { exportAll(*adapter_, jobs, folder_, step); });
    }
    for (int steps = 0; steps <= 2 * kMails; ++steps) {
        auto jobs = mails(steps);
        killedAfterSteps(steps, std::to_string(steps) + " " + store_ + " " + folder_,
                         [&](const Step& step) { exportAll(*adapter_, jobs, folder_, step); });
        restart();
        for (Job& each : jobs) {
            const std::int64_t item = each.delivery.key.item.value;
            const std::string stem = temp_ / std::to_string(item);
            const int count = there(item);
            EXPECT_LE(count, 1) << item;
            EXPECT_GE(count, std::filesystem::exists(stem + ".exported") ? 1 : 0) << item;
            each.evidence = slurp(stem + ".evidence");
            if (each.evidence.empty()) continue;  // never staged
            const auto seen = recovered(each);
            expectTrue(seen, count, item);
        }
    }
}

TEST_F(TransportSuite, T4AnotherStoresItemOfTheSameNumberIsNotThere) {
    Job one = staged(7);
    publish(*adapter_, one);
    ASSERT_EQ(there(7), 1);
    const auto other = made(randomName(20));
    Job same = job(7);
    other->stage({&same, 1}, [] {});
    ASSERT_FALSE(same.outcome) << outcomeText(same);
    EXPECT_NE(other->recover(same.delivery.key, same.evidence).found, Found::Published)
        << "the number alone is no name: use itemMark()";
}

TEST_F(TransportSuite, AStopIsNotHeldUp) {
    Job one = staged(1);
    adapter_->hasten();
    publish(*adapter_, one);
    EXPECT_EQ(there(1), one.outcome->verdict == Verdict::Exported ? 1 : 0) << outcomeText(one);
    Job next = job(2);
    adapter_->stage({&next, 1}, [] {});
    EXPECT_TRUE(!next.outcome || next.outcome->verdict == Verdict::Deferred) << outcomeText(next);
}

}  // namespace postern::tests
