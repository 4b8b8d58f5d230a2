// Artifacts with files beside them (adapters/spool/companions.h): a crash at every step, late workers, names
// that are taken. A mail is there with all of its files or not at all, once.

#include <thread>

#include <gtest/gtest.h>

#include "tests/conformance/adapter_cases.h"
#include "tests/kit/starting_line.h"

namespace postern::tests {

namespace fs = std::filesystem;
using adapters::Found;
using adapters::Job;
using adapters::Verdict;

namespace {

const std::string& mailWithFiles() {
    static const std::string mail = [] {
        std::string text =
            "From: Alice Example <alice@example.org>\r\nTo: bob@legacy.example\r\nSubject: Files\r\n"
            "Date: Tue, 14 Nov 2023 22:13:20 +0000\r\nMIME-Version: 1.0\r\n"
            "Content-Type: multipart/mixed; boundary=b\r\n\r\n"
            "--b\r\nContent-Type: text/plain\r\n\r\nHello from the gateway.\r\n";
        for (const char* name : {"one.dat", "two.dat", "three.dat"})
            text += std::string("--b\r\nContent-Type: application/octet-stream; name=") + name +
                    "\r\nContent-Transfer-Encoding: base64\r\n\r\nAAECAwQFBgcICQ==\r\n";
        return text + "--b--\r\n";
    }();
    return mail;
}

std::vector<AdapterCase> casesWithCompanions() {
    std::vector<AdapterCase> found;
    for (const AdapterCase& which : adapterCases())
        if (std::string(which.kind) == "mhs" || std::string(which.kind) == "gwapi") found.push_back(which);
    return found;
}

class WithCompanions : public AdapterSuite {
  protected:
    // Where everything of item 1 goes, the artifact last, as another adapter of the kind does it.
    std::vector<std::string> places() const {
        AdapterRig scout(GetParam().kind, GetParam().settings);
        scout.exportJob(scout.job(1, 1, mailWithFiles()));
        std::vector<std::string> all = scout.companions();
        all.push_back(scout.visible().at(0));
        return all;
    }
    // The first `steps` renames of publish().
    void publishPartly(const AdapterRig& rig, const std::vector<std::string>& all, std::size_t steps) const {
        for (std::size_t i = 0; i < steps; ++i) {
            const bool artifact = i + 1 == all.size();
            fs::rename(rig.stage() + "/1.1" + (artifact ? "" : "." + std::to_string(i + 1)),
                       rig.folder() + "/" + all[i]);
        }
    }
    static void expectNothing(const AdapterRig& rig, const std::string& when) {
        EXPECT_TRUE(rig.visible().empty()) << when << ": " << testing::PrintToString(rig.visible());
        EXPECT_TRUE(rig.companions().empty()) << when << ": " << testing::PrintToString(rig.companions());
    }
};

}  // namespace

TEST_P(WithCompanions, AnArtifactNamesWhatStandsBesideIt) {
    rig_.exportJob(rig_.job(1, 1, mailWithFiles()));
    const std::string artifact = slurp(rig_.folder() + "/" + rig_.visible().at(0));
    EXPECT_GE(rig_.companions().size(), 3u);
    EXPECT_EQ(rig_.companions(artifact), rig_.companions());
    for (const auto& entry : fs::directory_iterator(rig_.stage()))
        EXPECT_TRUE(entry.path().filename().string().starts_with(".")) << entry.path();
}

TEST_P(WithCompanions, ACrashAtEveryStepLeavesAllOrNothingOnce) {
    const std::vector<std::string> all = places();
    for (std::size_t steps = 0; steps <= all.size(); ++steps) {
        const std::string when = "after " + std::to_string(steps) + " renames";
        AdapterRig rig(GetParam().kind, GetParam().settings);
        Job job = rig.job(1, 1, mailWithFiles());
        rig.stageJob(job);
        publishPartly(rig, all, steps);
        rig.restart();
        const bool published = steps == all.size();
        for (int time = 0; time < 2; ++time)
            EXPECT_EQ(rig.adapter().recover(job.delivery.key, job.evidence).found,
                      published ? Found::Published : Found::NotPublished)
                << when;
        if (!published) {
            expectNothing(rig, when);
            rig.publishJob(job);  // the late worker
            EXPECT_NE(job.outcome->verdict, Verdict::Exported) << when << outcomeText(job);
            expectNothing(rig, when + " and a late worker");
            EXPECT_EQ(rig.exportJob(rig.job(1, 2, mailWithFiles())).outcome->verdict, Verdict::Exported)
                << when;
            // Asked once more, the first attempt's recovery takes nothing from the second.
            EXPECT_EQ(rig.adapter().recover(job.delivery.key, job.evidence).found, Found::NotPublished)
                << when;
        }
        EXPECT_EQ(rig.visible().size(), 1u) << when;
        EXPECT_EQ(rig.companions().size(), all.size() - 1) << when;
        EXPECT_TRUE(rig.adapter().sweep([](const auto&) { return true; }).ok());
        for (const std::string& folder : {rig.stage(), rig.stage() + "/../withdrawn"})
            for (const auto& entry : fs::directory_iterator(folder))
                EXPECT_TRUE(entry.path().filename().string().starts_with(".")) << when << entry.path();
    }
}

// Somebody cleaned up between the crash and the recovery: what a later attempt puts there stays.
TEST_P(WithCompanions, ACompanionThatWasRemovedIsNotTakenFromALaterAttempt) {
    const std::vector<std::string> all = places();
    Job job = rig_.job(1, 1, mailWithFiles());
    rig_.stageJob(job);
    publishPartly(rig_, all, 2);
    fs::remove(rig_.folder() + "/" + all[0]);
    EXPECT_EQ(rig_.adapter().recover(job.delivery.key, job.evidence).found, Found::NotPublished);
    EXPECT_EQ(rig_.exportJob(rig_.job(1, 2, mailWithFiles())).outcome->verdict, Verdict::Exported);
    EXPECT_EQ(rig_.adapter().recover(job.delivery.key, job.evidence).found, Found::NotPublished);
    EXPECT_EQ(rig_.companions().size(), all.size() - 1);
}

TEST_P(WithCompanions, ATakenNameOfOnePutsAllOff) {
    const std::vector<std::string> all = places();
    spill(rig_.folder() + "/" + all[1], "somebody else's");
    Job job = rig_.exportJob(rig_.job(1, 1, mailWithFiles()));
    EXPECT_EQ(job.outcome->verdict, Verdict::Deferred) << outcomeText(job);
    EXPECT_EQ(job.outcome->cause, adapters::Cause::Busy);
    EXPECT_NE(job.outcome->reason.find(all[1]), std::string::npos) << job.outcome->reason;
    EXPECT_TRUE(rig_.visible().empty());
    EXPECT_EQ(rig_.companions(), std::vector<std::string>{all[1]});
    EXPECT_EQ(slurp(rig_.folder() + "/" + all[1]), "somebody else's");
    fs::remove(rig_.folder() + "/" + all[1]);
    EXPECT_EQ(rig_.exportJob(rig_.job(1, 2, mailWithFiles())).outcome->verdict, Verdict::Exported);
}

TEST_P(WithCompanions, ALostCompanionStopsItsArtifact) {
    Job job = rig_.job(1, 1, mailWithFiles());
    rig_.stageJob(job);
    fs::remove(rig_.stage() + "/1.1.2");
    rig_.publishJob(job);
    EXPECT_EQ(job.outcome->verdict, Verdict::Deferred) << outcomeText(job);
    expectNothing(rig_, "a file was lost");
}

TEST_P(WithCompanions, ManyWorkersAndARecoveryAgree) {
    const std::size_t beside = places().size() - 1;
    for (int round = 1; round <= (kOnWindows ? 3 : 60); ++round) {
        AdapterRig rig(GetParam().kind, GetParam().settings);
        Job staged = rig.job(1, 1, mailWithFiles());
        rig.stageJob(staged);
        std::vector<Job> copies(3, staged);
        adapters::Recovery seen;
        StartingLine start(4);
        {
            std::vector<std::jthread> threads;
            for (Job& copy : copies)
                threads.emplace_back([&] {
                    start.wait();
                    rig.publishJob(copy);
                });
            threads.emplace_back([&] {
                start.wait();
                seen = rig.adapter().recover(staged.delivery.key, staged.evidence);
            });
        }
        ASSERT_NE(seen.found, Found::CannotTell) << seen.text;
        const std::size_t there = seen.found == Found::Published ? 1 : 0;
        ASSERT_EQ(rig.visible().size(), there) << seen.text;
        ASSERT_EQ(rig.companions().size(), there * beside) << seen.text;
    }
}

GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(WithCompanions);  // when a stranger's kind is asked about
INSTANTIATE_TEST_SUITE_P(Kinds, WithCompanions, testing::ValuesIn(casesWithCompanions()), caseName);

}  // namespace postern::tests
