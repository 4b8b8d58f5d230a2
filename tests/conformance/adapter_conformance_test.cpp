// The promises A1 to A5 of adapters/adapter.h, for every kind.

#include <atomic>
#include <map>
#include <set>
#include <thread>

#include <gtest/gtest.h>

#include "adapters/spool/staged_file.h"
#include "base/file.h"
#include "tests/conformance/adapter_cases.h"
#include "tests/kit/starting_line.h"

namespace postern::tests {

using adapters::DeliveryKey;
using adapters::Found;
using adapters::Job;
using adapters::Verdict;

TEST(AdapterSuiteTable, HoldsEveryKindOfTheRegistry) {
    if (strangerKind() != nullptr) GTEST_SKIP() << "only " << strangerKind() << " is asked about";
    std::set<std::string> tested;
    for (const AdapterCase& which : adapterCases()) tested.insert(which.kind);
    for (const WireCase& which : wireCases()) tested.insert(which.kind);
    for (const CommandCase& which : commandCases()) tested.insert(which.kind);
    tested.insert("webhook");  // takes no mail: webhook_conformance_test.cpp
    for (const adapters::Kind* kind : adapters::kinds())
        EXPECT_TRUE(tested.contains(kind->name))
            << "add " << kind->name << " to tests/conformance/adapter_cases.h";
}

TEST_P(AdapterSuite, A1StagingShowsNothingToTheConsumer) {
    Job job = rig_.job(1, 1);
    rig_.stageJob(job);
    EXPECT_FALSE(job.outcome) << outcomeText(job);
    EXPECT_FALSE(job.evidence.empty());
    EXPECT_LE(job.evidence.size(), 1024u);
    EXPECT_TRUE(rig_.visible().empty()) << testing::PrintToString(rig_.visible());
}

TEST_P(AdapterSuite, PublishingMakesOneArtifact) {
    const Job job = rig_.exportJob(rig_.job(1, 1));
    ASSERT_TRUE(job.outcome && job.outcome->verdict == Verdict::Exported) << outcomeText(job);
    EXPECT_NE(onlyArtifact().find("Hello from the gateway."), std::string::npos);
    EXPECT_TRUE(std::filesystem::exists(job.outcome->target)) << job.outcome->target;
}

TEST_P(AdapterSuite, A2PublishingTwiceMakesOneArtifact) {
    Job job = rig_.job(1, 1);
    rig_.stageJob(job);
    Job late = job;
    rig_.publishJob(job);
    const auto files = rig_.visible();
    rig_.take(files.at(0));  // the consumer has taken it
    rig_.publishJob(late);
    EXPECT_TRUE(rig_.visible().empty()) << testing::PrintToString(rig_.visible());
    EXPECT_EQ(late.outcome->verdict, Verdict::Exported) << outcomeText(late);
}

TEST_P(AdapterSuite, A2PublishingFromManyThreadsMakesOneArtifact) {
    for (int round = 1; round <= (kOnWindows ? 2 : 8); ++round) {
        Job staged = rig_.job(round, 1);
        rig_.stageJob(staged);
        std::vector<Job> copies(8, staged);
        StartingLine start(8);
        {
            std::vector<std::jthread> threads;
            for (Job& copy : copies)
                threads.emplace_back([&] {
                    start.wait();
                    rig_.publishJob(copy);
                });
        }
        for (const Job& copy : copies)
            EXPECT_EQ(copy.outcome->verdict, Verdict::Exported) << outcomeText(copy);
        EXPECT_EQ(rig_.visible().size(), static_cast<std::size_t>(round));
    }
}

TEST_P(AdapterSuite, A3RecoveredBeforePublishingIsNeverPublished) {
    Job job = rig_.job(1, 1);
    rig_.stageJob(job);
    const auto first = rig_.adapter().recover(job.delivery.key, job.evidence);
    EXPECT_EQ(first.found, Found::NotPublished) << first.text;
    rig_.publishJob(job);  // the late worker
    EXPECT_TRUE(rig_.visible().empty()) << testing::PrintToString(rig_.visible());
    EXPECT_NE(job.outcome->verdict, Verdict::Exported) << outcomeText(job);
    const auto again = rig_.adapter().recover(job.delivery.key, job.evidence);
    EXPECT_EQ(again.found, Found::NotPublished) << again.text;
}

TEST_P(AdapterSuite, A3RecoveredAfterPublishingIsPublished) {
    Job job = rig_.exportJob(rig_.job(1, 1));
    rig_.restart();
    for (int time = 0; time < 2; ++time) {
        const auto seen = rig_.adapter().recover(job.delivery.key, job.evidence);
        EXPECT_EQ(seen.found, Found::Published) << seen.text;
        EXPECT_FALSE(seen.unusable);
    }
    EXPECT_EQ(rig_.visible().size(), 1u);
}

TEST_P(AdapterSuite, Q107091_PublishedAndTakenByTheConsumerIsPublished) {
    Job job = rig_.exportJob(rig_.job(1, 1));
    std::filesystem::remove(job.outcome->target);
    rig_.restart();
    const auto seen = rig_.adapter().recover(job.delivery.key, job.evidence);
    EXPECT_EQ(seen.found, Found::Published) << seen.text;
    EXPECT_TRUE(rig_.visible().empty());
}

TEST_P(AdapterSuite, A3RecoveryAndPublishingAtOnceAgree) {
    int published = 0;
    for (int round = 1; round <= (kOnWindows ? 3 : 60); ++round) {
        Job job = rig_.job(round, 1);
        rig_.stageJob(job);
        adapters::Recovery seen;
        StartingLine start(2);
        {
            const std::jthread worker([&] {
                start.wait();
                rig_.publishJob(job);
            });
            const std::jthread recovery([&] {
                start.wait();
                do seen = rig_.adapter().recover(job.delivery.key, job.evidence);
                while (seen.busy);  // a busy machine holds the worker's lock for long
            });
        }
        ASSERT_NE(seen.found, Found::CannotTell) << seen.text;
        if (seen.found == Found::Published) ++published;
        ASSERT_EQ(rig_.visible().size(), static_cast<std::size_t>(published))
            << seen.text << outcomeText(job);
    }
}

TEST_P(AdapterSuite, StagingAgainUnderAnotherEpochMakesOneArtifact) {
    Job first = rig_.job(7, 1), second = rig_.job(7, 2);
    rig_.stageJob(first);
    rig_.stageJob(second);
    rig_.publishJob(second);
    EXPECT_EQ(second.outcome->verdict, Verdict::Exported) << outcomeText(second);
    rig_.publishJob(first);  // fenced in the queue long ago; the name is taken as well
    EXPECT_NE(first.outcome->verdict, Verdict::Exported) << outcomeText(first);
    EXPECT_EQ(rig_.visible().size(), 1u);
}

TEST_P(AdapterSuite, A4NamesDeriveFromTheKey) {
    Job plain = rig_.exportJob(rig_.job(9, 1));
    AdapterRig other(GetParam().kind, GetParam().settings);
    Job hostile = other.job(9, GetParam().namesAttempts ? 1 : 5, "Subject: ../../x\r\n\r\n\r\n");
    hostile.delivery.sender = "../etc/passwd";
    hostile = other.exportJob(std::move(hostile));
    EXPECT_EQ(rig_.visible(), other.visible()) << outcomeText(hostile);
}

TEST_P(AdapterSuite, AbandonedJobsLeaveNothing) {
    Job job = rig_.job(1, 1);
    rig_.stageJob(job);
    rig_.adapter().abandon(job);
    const auto swept = rig_.adapter().sweep([](const DeliveryKey&) { return true; });
    EXPECT_EQ(swept.value(), 0);
    EXPECT_TRUE(rig_.visible().empty());
}

TEST_P(AdapterSuite, SweepingRemovesWhatIsOverAndNothingElse) {
    std::vector<Job> jobs;
    for (int item = 1; item <= 4; ++item) jobs.push_back(rig_.job(item, 3));
    for (Job& job : jobs) rig_.stageJob(job);  // each for itself: those of one file share their fate
    EXPECT_EQ(rig_.adapter().recover(jobs[3].delivery.key, jobs[3].evidence).found, Found::NotPublished);
    spill(rig_.stage() + "/minutes.txt", "an operator's");
    const auto over = [](const DeliveryKey& key) { return key.item.value == 2 || key.item.value == 4; };
    // Item 4 lies among the withdrawn; fbb withdraws one of a batch by a mark and keeps the batch's file.
    const bool marks = std::string(GetParam().kind) == "fbb";
    EXPECT_EQ(rig_.adapter().sweep(over).value(), marks ? 3 : 2);
    EXPECT_EQ(rig_.adapter().sweep(over).value(), 0);
    EXPECT_TRUE(std::filesystem::exists(rig_.stage() + "/minutes.txt"));
    EXPECT_NE(rig_.adapter().describe().find("1 files there are not ours"), std::string::npos)
        << rig_.adapter().describe();
    rig_.publishJob(jobs[0]);
    rig_.publishJob(jobs[2]);
    EXPECT_EQ(jobs[0].outcome->verdict, Verdict::Exported) << outcomeText(jobs[0]);
    EXPECT_EQ(jobs[2].outcome->verdict, Verdict::Exported) << outcomeText(jobs[2]);
}

TEST_P(AdapterSuite, BatchesOfAnySizeAreExportedWhole) {
    int item = 0;
    std::vector<std::size_t> sizes{1, 4, 5, 64};
    if (!kOnWindows) sizes.push_back(200);  // Wine makes each file slowly
    for (const std::size_t size : sizes) {
        std::vector<Job> jobs;
        for (std::size_t i = 0; i < size; ++i) jobs.push_back(rig_.job(++item, 1));
        int beats = 0;
        rig_.adapter().stage(jobs, [&] { ++beats; });
        rig_.adapter().publish(jobs, [&] { ++beats; });
        EXPECT_GE(beats, static_cast<int>(2 * size));
        for (const Job& job : jobs) ASSERT_EQ(job.outcome->verdict, Verdict::Exported) << outcomeText(job);
        EXPECT_EQ(rig_.visible().size(), static_cast<std::size_t>(item));
    }
}

// Without the no-replace rename of the one staged file, an artifact appears twice: the guard is what holds A2
// and A3.
TEST_P(AdapterSuite, WithoutTheRenameGuardTheSuiteWouldFail) {
    adapters::AdapterContext context = kRigContext;
    context.guards.noReplace = false;
    AdapterRig naive(GetParam().kind, GetParam().settings, context);
    Job job = naive.job(1, 1);
    naive.stageJob(job);
    Job late = job;
    naive.publishJob(job);
    std::filesystem::remove(job.outcome->target);
    naive.publishJob(late);
    EXPECT_EQ(naive.visible().size(), 1u) << "published again after the consumer took it";
    EXPECT_EQ(naive.adapter().recover(job.delivery.key, job.evidence).found, Found::NotPublished);
}

// What `postern convert` shows is what would be handed over, byte for byte; and nothing else is touched.
TEST_P(AdapterSuite, ConvertingGivesTheBytesThatExportingGives) {
    static const std::string kFiles =
        "From: Alice <alice@example.org>\r\nTo: bob@legacy.example\r\nSubject: "
        "=?utf-8?Q?Gr=C3=BC=C3=9Fe?=\r\n"
        "Date: Tue, 14 Nov 2023 22:13:20 +0000\r\nMIME-Version: 1.0\r\n"
        "Content-Type: multipart/mixed; boundary=b\r\n\r\n"
        "--b\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n\r\n"
        "R3LDvMOfZSDQlgo=\r\n--b\r\nContent-Type: application/octet-stream; name=\"a rather long "
        "name.dat\"\r\n"
        "Content-Transfer-Encoding: base64\r\n\r\nAAECAwQFBgcICQ==\r\n--b--\r\n";
    std::int64_t item = 0;
    for (const std::string& mail : {AdapterRig::kPlain, kFiles}) {
        ++item;
        std::map<std::string, std::string> before;
        for (const std::string& file : visibleFiles(rig_.folder()))
            before[file] = slurp(rig_.folder() + "/" + file);
        Job shown = rig_.job(item, 1, mail);
        const auto folder = Folder::make(rig_.temp() + "/shown");
        ASSERT_TRUE(folder.ok());
        std::string buffer;
        const std::function<void()> beat = [] {};
        const std::string name = std::to_string(item);
        adapters::StagedFile file(folder->create(name, 0600).value(), buffer, beat);
        const auto outcome = rig_.adapter().convert(shown, file);
        ASSERT_TRUE(outcome.ok() && !*outcome) << (outcome.ok() ? outcomeText(shown) : outcome.error().text);
        ASSERT_TRUE(file.flush().ok());
        for (const std::string& seen : visibleFiles(rig_.folder()))
            EXPECT_TRUE(before.contains(seen)) << seen;
        Job job = rig_.exportJob(rig_.job(item, 1, mail));
        ASSERT_TRUE(job.outcome && job.outcome->verdict == Verdict::Exported) << outcomeText(job);
        // A file of its own, or behind what stands in a shared one.
        int changed = 0;
        for (const std::string& seen : visibleFiles(rig_.folder())) {
            const std::string now = slurp(rig_.folder() + "/" + seen);
            if (now == before[seen] || AdapterRig::isCompanion(seen)) continue;
            ++changed;
            EXPECT_EQ(now, before[seen] + slurp(rig_.temp() + "/shown/" + name)) << seen;
        }
        EXPECT_EQ(changed, 1);
        std::erase_if(shown.notes, [](const std::string& note) { return note.starts_with("beside it: "); });
        EXPECT_EQ(shown.notes, job.notes);
    }
}

INSTANTIATE_TEST_SUITE_P(Kinds, AdapterSuite, testing::ValuesIn(adapterCases()), caseName);

}  // namespace postern::tests
