// The promises A1 to A5 of adapters/adapter.h, for the kinds that run a program. The legacy side is a script
// that stores what it reads.

#include <atomic>
#include <fstream>
#include <thread>

#include <gtest/gtest.h>

#include "adapters/spool/staged_file.h"
#include "base/file.h"
#include "tests/command_rig.h"
#include "tests/conformance/adapter_cases.h"
#include "tests/kit/starting_line.h"

namespace postern::tests {

namespace fs = std::filesystem;
using adapters::DeliveryKey;
using adapters::Found;
using adapters::Job;
using adapters::Verdict;

namespace {

class CommandSuite : public testing::TestWithParam<CommandCase> {
  protected:
    CommandSuite() : rig_(GetParam().kind, GetParam().settings) {}
    void SetUp() override { ASSERT_TRUE(rig_.probed().ok()) << rig_.probed().error().text; }
    CommandRig rig_;
};

}  // namespace

TEST_P(CommandSuite, A1StagingRunsNothingAndPublishingRunsOnce) {
    Job job = rig_.job(1, 1);
    rig_.stageJob(job);
    ASSERT_FALSE(job.outcome) << outcomeText(job);
    EXPECT_FALSE(job.evidence.empty());
    EXPECT_LE(job.evidence.size(), 1024u);
    EXPECT_TRUE(rig_.taken().empty());
    rig_.publishJob(job);
    ASSERT_EQ(job.outcome->verdict, Verdict::Exported) << outcomeText(job);
    EXPECT_FALSE(job.outcome->target.empty());
    EXPECT_NE(rig_.only().find("Hello from the gateway."), std::string::npos) << rig_.only();
}

TEST_P(CommandSuite, A2PublishingTwiceRunsOnce) {
    Job job = rig_.job(1, 1);
    rig_.stageJob(job);
    Job late = job;
    rig_.publishJob(job);
    fs::remove_all(rig_.temp() + "/taken/" + rig_.taken().at(0));
    rig_.publishJob(late);
    EXPECT_EQ(late.outcome->verdict, Verdict::Exported) << outcomeText(late);
    EXPECT_TRUE(rig_.taken().empty());
}

TEST_P(CommandSuite, A2PublishingFromManyThreadsRunsOnce) {
    for (int round = 1; round <= 3; ++round) {
        Job staged = rig_.job(round, 1);
        rig_.stageJob(staged);
        std::vector<Job> copies(6, staged);
        StartingLine start(6);
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
        EXPECT_EQ(rig_.taken().size(), static_cast<std::size_t>(round));
    }
}

TEST_P(CommandSuite, A3RecoveredBeforePublishingIsNeverRun) {
    Job job = rig_.job(1, 1);
    rig_.stageJob(job);
    const auto first = rig_.adapter().recover(job.delivery.key, job.evidence);
    EXPECT_EQ(first.found, Found::NotPublished) << first.text;
    rig_.publishJob(job);  // the late worker
    EXPECT_NE(job.outcome->verdict, Verdict::Exported) << outcomeText(job);
    EXPECT_TRUE(rig_.taken().empty());
    rig_.restart();
    const auto again = rig_.adapter().recover(job.delivery.key, job.evidence);
    EXPECT_EQ(again.found, Found::NotPublished) << again.text;
    EXPECT_EQ(rig_.exportJob(rig_.job(1, 2)).outcome->verdict, Verdict::Exported);
}

TEST_P(CommandSuite, A3RecoveredAfterPublishingIsPublished) {
    Job job = rig_.exportJob(rig_.job(1, 1));
    for (int time = 0; time < 2; ++time) {
        rig_.restart();
        const auto seen = rig_.adapter().recover(job.delivery.key, job.evidence);
        EXPECT_EQ(seen.found, Found::Published) << seen.text;
        EXPECT_FALSE(seen.unusable || seen.busy);
    }
    EXPECT_EQ(rig_.taken().size(), 1u);
}

TEST_P(CommandSuite, A3RecoveryAndPublishingAtOnceAgree) {
    int published = 0;
    for (int round = 1; round <= 10; ++round) {
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
                while (seen.busy);
            });
        }
        ASSERT_NE(seen.found, Found::CannotTell) << seen.text;
        if (seen.found == Found::Published) ++published;
        ASSERT_EQ(rig_.taken().size(), static_cast<std::size_t>(published)) << seen.text << outcomeText(job);
    }
}

TEST_P(CommandSuite, StagingAgainUnderAnotherEpochRunsTheOneThatIsPublished) {
    Job first = rig_.job(7, 1), second = rig_.job(7, 2);
    rig_.stageJob(first);
    rig_.stageJob(second);
    rig_.publishJob(second);
    EXPECT_EQ(second.outcome->verdict, Verdict::Exported) << outcomeText(second);
    rig_.publishJob(first);  // fenced in the queue long ago
    EXPECT_NE(first.outcome->verdict, Verdict::Exported) << outcomeText(first);
    EXPECT_EQ(rig_.taken().size(), 1u);
}

TEST_P(CommandSuite, BatchesOfAnySizeAreExportedWhole) {
    int item = 0;
    for (const std::size_t size : {1u, 6u}) {
        std::vector<Job> jobs;
        for (std::size_t i = 0; i < size; ++i) jobs.push_back(rig_.job(++item, 1));
        int beats = 0;
        rig_.adapter().stage(jobs, [&] { ++beats; });
        rig_.adapter().publish(jobs, [&] { ++beats; });
        EXPECT_GE(beats, static_cast<int>(2 * size));
        for (const Job& job : jobs) ASSERT_EQ(job.outcome->verdict, Verdict::Exported) << outcomeText(job);
        EXPECT_EQ(rig_.taken().size(), static_cast<std::size_t>(item));
    }
}

TEST_P(CommandSuite, SweepingRemovesWhatIsOverAndNothingElse) {
    std::vector<Job> jobs;
    for (int item = 1; item <= 4; ++item) jobs.push_back(rig_.job(item, 3));
    rig_.adapter().stage(jobs, [] {});
    EXPECT_EQ(rig_.adapter().recover(jobs[3].delivery.key, jobs[3].evidence).found, Found::NotPublished);
    rig_.publishJob(jobs[0]);
    spill(rig_.folder() + "/run/minutes.txt", "an operator's");
    const auto over = [](const DeliveryKey& key) { return key.item.value != 3; };
    EXPECT_EQ(rig_.adapter().sweep(over).value(), 3);  // a result, a staged text, a withdrawn one
    EXPECT_EQ(rig_.adapter().sweep(over).value(), 0);
    EXPECT_TRUE(fs::exists(rig_.folder() + "/run/minutes.txt"));
    EXPECT_NE(rig_.adapter().describe().find("1 files there are not ours"), std::string::npos)
        << rig_.adapter().describe();
    rig_.publishJob(jobs[2]);
    EXPECT_EQ(jobs[2].outcome->verdict, Verdict::Exported) << outcomeText(jobs[2]);
    EXPECT_EQ(visibleFiles(rig_.folder()).size(), 2u) << "the result of item 3, and the operator's file";
}

TEST_P(CommandSuite, AbandonedJobsLeaveNothing) {
    Job job = rig_.job(1, 1);
    rig_.stageJob(job);
    rig_.adapter().abandon(job);
    EXPECT_EQ(rig_.adapter().sweep([](const DeliveryKey&) { return true; }).value(), 0);
}

TEST_P(CommandSuite, A5OneBadMessageDoesNotStopTheBatch) {
    std::vector<Job> jobs;
    for (int item = 1; item <= 3; ++item) jobs.push_back(rig_.job(item, 1));
    jobs[1].delivery.recipients[0].legacy = "-rf\n";
    rig_.adapter().stage(jobs, [] {});
    ASSERT_TRUE(jobs[1].outcome);
    EXPECT_EQ(jobs[1].outcome->verdict, Verdict::Rejected) << outcomeText(jobs[1]);
    rig_.adapter().publish(jobs, [] {});
    EXPECT_EQ(rig_.taken().size(), 2u);
}

TEST_P(CommandSuite, Q192594_NullSenderIsExported) {
    Job job = rig_.job(1, 1);
    job.delivery.sender.clear();
    job = rig_.exportJob(std::move(job));
    EXPECT_EQ(job.outcome->verdict, Verdict::Exported) << outcomeText(job);
}

TEST_P(CommandSuite, Q159303_MailOfAnyShapeIsExported) {
    const std::vector<std::pair<const char*, std::string>> shapes = {
        {"nothing", ""},
        {"no header", "\r\nbody\r\n"},
        {"8-bit", "Subject: \xc3\xa9\xe9\r\n\r\nGr\xc3\xbc \xff\xfe\r\n"},
        {"NUL bytes", std::string("Subject: a\0b\r\n\r\nx\0y\r\n", 22)},
        {"no line end", "Subject: x\r\n\r\nlast line"},
        {"dots", "Subject: x\r\n\r\n.\r\n..\r\nQUIT\r\n"},
    };
    int item = 0;
    for (const auto& [what, message] : shapes) {
        const Job job = rig_.exportJob(rig_.job(++item, 1, message));
        EXPECT_EQ(job.outcome->verdict, Verdict::Exported) << what << ": " << outcomeText(job);
    }
    EXPECT_EQ(rig_.taken().size(), shapes.size());
}

TEST_P(CommandSuite, HostileNamesStayInTheirArgument) {
    const std::vector<std::string> names = {"$(touch /tmp/x)",
                                            "`reboot`",
                                            "a;b",
                                            "a|b",
                                            "-rf",
                                            "--",
                                            "a b",
                                            "(bob)",
                                            std::string("a\0b", 3),
                                            "a\nb",
                                            "../../etc",
                                            "\xff\xfe",
                                            "*",
                                            "~",
                                            ">x",
                                            "bob)",
                                            "\x1b[2J",
                                            std::string(3000, 'x')};
    int item = 0;
    for (const std::string& name : names) {
        Job job = rig_.job(++item, 1);
        job.delivery.recipients[0].legacy = name;
        job.delivery.sender = name;
        const std::size_t before = rig_.taken().size();
        job = rig_.exportJob(std::move(job));
        const bool exported = job.outcome->verdict == Verdict::Exported;
        EXPECT_TRUE(exported || job.outcome->verdict == Verdict::Rejected)
            << testing::PrintToString(name) << ": " << outcomeText(job);
        EXPECT_EQ(rig_.taken().size(), before + (exported ? 1 : 0)) << testing::PrintToString(name);
        if (!exported || rig_.arguments().find(name) == std::string::npos) continue;
        const std::string whole = std::string(GetParam().kind) == "uucp" ? "(" + name + ")\n" : name + "\n";
        EXPECT_NE(rig_.arguments().find("\n" + whole), std::string::npos) << rig_.arguments();
    }
}

TEST_P(CommandSuite, ConvertingGivesTheBytesThatExportingGives) {
    Job shown = rig_.job(1, 1);
    const auto folder = Folder::make(rig_.temp() + "/shown");
    std::string buffer;
    const std::function<void()> beat = [] {};
    adapters::StagedFile file(folder->create("1", 0600).value(), buffer, beat);
    const auto outcome = rig_.adapter().convert(shown, file);
    ASSERT_TRUE(outcome.ok() && !*outcome);
    ASSERT_TRUE(file.flush().ok());
    EXPECT_TRUE(rig_.taken().empty());
    const Job job = rig_.exportJob(rig_.job(1, 1));
    EXPECT_EQ(rig_.only(), slurp(rig_.temp() + "/shown/1"));
    EXPECT_EQ(shown.notes, job.notes);
}

TEST_P(CommandSuite, Q131988_OneFolderHasOneAdapter) {
    adapters::AdapterContext otherName = rig_.context(), otherStore = rig_.context();
    otherName.name = "second";
    otherStore.storeId = "zzzzzzzz12345678";
    for (const auto& context : {otherName, otherStore}) {
        const auto probed = makeKind(GetParam().kind, rig_.settings(), context).value()->probe();
        ASSERT_FALSE(probed.ok());
        EXPECT_NE(probed.error().text.find("another"), std::string::npos) << probed.error().text;
    }
}

TEST_P(CommandSuite, ALostFolderIsNeverTakenForPublishedNorForNotBegun) {
    SKIP_ON_WINDOWS("a folder in which something is open is neither renamed nor removed (decision 0011)");
    for (const char* lost : {"/run", "/.postern-legacy/stage", "/.postern-legacy"}) {
        CommandRig rig(GetParam().kind, GetParam().settings);
        Job published = rig.exportJob(rig.job(1, 1));
        Job job = rig.job(2, 1);
        rig.stageJob(job);
        fs::remove_all(rig.folder() + lost);
        for (const Job* each : {&published, &job}) {
            const auto seen = rig.adapter().recover(each->delivery.key, each->evidence);
            EXPECT_EQ(seen.found, Found::CannotTell) << lost << ": " << seen.text;
            EXPECT_TRUE(seen.unusable) << lost;
        }
        rig.publishJob(job);
        EXPECT_NE(job.outcome->verdict, Verdict::Exported) << lost << ": " << outcomeText(job);
        EXPECT_EQ(rig.taken().size(), 1u);
    }
}

TEST_P(CommandSuite, DamagedEvidenceIsNeverBelieved) {
    Job job = rig_.exportJob(rig_.job(1, 1));
    for (const std::string& text : {std::string(), std::string("x"), std::string("spool1"),
                                    job.evidence.substr(0, job.evidence.size() / 2), job.evidence + " more"})
        EXPECT_EQ(rig_.adapter().recover(job.delivery.key, text).found, Found::CannotTell) << text;
    EXPECT_EQ(rig_.adapter().recover({ItemId{1}, Epoch{2}}, job.evidence).found, Found::CannotTell);
}

TEST_P(CommandSuite, Q202178_AMissingProgramIsLoudAndHeals) {
    fs::rename(rig_.program(), rig_.program() + ".away");
    Job job = rig_.exportJob(rig_.job(1, 1));
    EXPECT_TRUE(job.outcome->adapterUnusable) << outcomeText(job);
    EXPECT_NE(job.outcome->reason.find(rig_.program()), std::string::npos) << job.outcome->reason;
    EXPECT_EQ(rig_.adapter().recover(job.delivery.key, job.evidence).found, Found::NotPublished);
    auto probed = rig_.adapter().probe();
    ASSERT_FALSE(probed.ok());
    EXPECT_NE(probed.error().text.find(rig_.program()), std::string::npos) << probed.error().text;
    fs::rename(rig_.program() + ".away", rig_.program());
    ASSERT_TRUE(rig_.adapter().probe().ok());
    EXPECT_EQ(rig_.exportJob(rig_.job(1, 2)).outcome->verdict, Verdict::Exported);
}

TEST_P(CommandSuite, AMissingRunnerIsLoudAndRunsNothing) {
    adapters::AdapterContext context = rig_.context();
    for (const std::string& runner : {std::string(), rig_.temp() + "/missing"}) {
        context.runner = runner;
        const auto probed = makeKind(GetParam().kind, rig_.settings(), context).value()->probe();
        ASSERT_FALSE(probed.ok());
        EXPECT_NE(probed.error().text.find("runner"), std::string::npos) << probed.error().text;
    }
    EXPECT_TRUE(rig_.taken().empty());
}

GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(CommandSuite);  // when a stranger's kind is asked about
INSTANTIATE_TEST_SUITE_P(Kinds, CommandSuite, testing::ValuesIn(commandCasesHere()),
                         [](const testing::TestParamInfo<CommandCase>& which) { return which.param.label; });

}  // namespace postern::tests
