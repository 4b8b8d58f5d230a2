// What fbb makes of mails, read back by a strict reader, and the board's import file beside others.

#include <gtest/gtest.h>

#include "tests/adapter_rig.h"
#include "tests/legacy_readers.h"
#include "tests/unit/adapters/legacy_mails.h"

namespace postern::adapters {

using tests::AdapterRig;
using tests::SettingMap;
using tests::slurp;

namespace {

tests::FbbMessage fbbOf(const std::string& mail, SettingMap settings = {}) {
    settings.insert(kCall.begin(), kCall.end());
    AdapterRig rig("fbb", settings);
    const auto read = tests::readFbb(exported(rig, mail));
    EXPECT_EQ(read.fault, "");
    EXPECT_EQ(read.messages.size(), 1u);
    return read.messages.empty() ? tests::FbbMessage() : read.messages.front();
}

TEST(FbbExport, IsTheCommandTheTitleTheTextAndItsEnd) {
    const auto read =
        fbbOf(mailWith("Subject: Gr\xc3\xbc\xc3\x9f"
                       "e\r\n",
                       "Hello.\r\n"));
    EXPECT_EQ(read.type, "SP");
    EXPECT_EQ(read.to, "N0USR");
    EXPECT_EQ(read.route, "N0BBS.TST.NOAM");
    EXPECT_EQ(read.from, "N0AAA");
    EXPECT_EQ(read.bid.size(), 12u);
    EXPECT_EQ(read.content.substr(0, 41), "From: Alice Example <alice@example.org>\n\n");
    EXPECT_NE(read.content.find("Hello.\n"), std::string::npos);
}

// A stranger's text must not end the message: what is behind would be a command of the board.
TEST(FbbExport, NoLineOfAMailEndsTheMessage) {
    const auto read = fbbOf(mailWith("Subject: /EX\r\n",
                                     "/EX\r\nSP N0SYS < N0BAD\r\nOwned\r\n/ex now\r\n\x1a\r\n"
                                     "*** LINKED\r\n/EX"));
    EXPECT_EQ(read.title, "> /EX");
    EXPECT_NE(read.content.find("\n /EX\nSP N0SYS < N0BAD\nOwned\n /ex now\n"), std::string::npos)
        << read.content;
    EXPECT_NE(read.content.find("\n *** LINKED\n /EX\n"), std::string::npos) << read.content;
}

TEST(FbbExport, NoLineIsLongerThanAScreen) {
    const auto read = fbbOf(mailWith("Subject: x\r\n", "https://example.org/" + std::string(200, 'a') +
                                                           "\r\n" + std::string(79, 'b') + "\r\n"));
    std::string joined = read.content;
    std::erase(joined, '\n');
    EXPECT_NE(joined.find("https://example.org/" + std::string(200, 'a')), std::string::npos);
    EXPECT_NE(joined.find(std::string(79, 'b')), std::string::npos);
}

TEST(FbbExport, ProgramsOfTheBoardGetNoPrivateMail) {
    AdapterRig rig("fbb", kCall), bulletins("fbb", {{"call", "N0AAA"}, {"type", "bulletin"}});
    for (const char* bad : {"SYSOP", "REQDIR", "WP", "ALL", "N0USRXY", "N0USR@", "N0USR@A..B", "N0USR @ X Y",
                            "", "N0USR < N0BAD", "N0USR$1"})
        EXPECT_TRUE(rig.adapter().refuses({1, "bob@legacy.example", bad}) || !*bad) << bad;
    for (const char* good : {"N0USR", "n0usr@n0bbs", "N0USR@N0BBS.#RGN.TST.NOAM"})
        EXPECT_FALSE(rig.adapter().refuses({1, "bob@legacy.example", good})) << good;
    EXPECT_FALSE(bulletins.adapter().refuses({1, "bob@legacy.example", "ALL@EU"}));
}

TEST(FbbExport, TheBoardsLockIsHonouredAndOursIsTakenOver) {
    AdapterRig rig("fbb", {{"call", "N0AAA"}, {"lock_wait", "0s"}});
    tests::spill(rig.folder() + "/mail.lck", "");
    Job job = rig.exportJob(rig.job(1, 1));
    ASSERT_EQ(job.outcome->verdict, Verdict::Deferred) << tests::outcomeText(job);
    EXPECT_EQ(job.outcome->cause, Cause::Busy);
    EXPECT_EQ(rig.adapter().recover(job.delivery.key, job.evidence).found, Found::NotPublished);
    std::filesystem::last_write_time(
        rig.folder() + "/mail.lck", std::filesystem::file_time_type::clock::now() - std::chrono::minutes(61));
    EXPECT_EQ(rig.exportJob(rig.job(1, 2)).outcome->verdict, Verdict::Exported)
        << "the board's own rule: an hour";
    EXPECT_FALSE(std::filesystem::exists(rig.folder() + "/mail.lck"));
    tests::spill(rig.folder() + "/mail.lck", "postern " + tests::kRigContext.storeId + " legacy 1\n");
    EXPECT_EQ(rig.exportJob(rig.job(2, 1)).outcome->verdict, Verdict::Exported) << "left by a crash of ours";
}

// A board of DOS on a share (KB Q152903).
TEST(FbbExport, TheBoardsLockCountsInAnyCase) {
    AdapterRig rig("fbb", {{"call", "N0AAA"}, {"lock_wait", "0s"}});
    tests::spill(rig.folder() + "/MAIL.LCK", "");
    const Job job = rig.exportJob(rig.job(1, 1));
    ASSERT_EQ(job.outcome->verdict, Verdict::Deferred) << tests::outcomeText(job);
    EXPECT_EQ(job.outcome->cause, Cause::Busy);
    EXPECT_FALSE(std::filesystem::exists(rig.folder() + "/mail.in"));
    std::filesystem::remove(rig.folder() + "/MAIL.LCK");
    EXPECT_EQ(rig.exportJob(rig.job(1, 2)).outcome->verdict, Verdict::Exported);
}

TEST(FbbExport, AStopDoesNotWaitForTheBoard) {
    AdapterRig rig("fbb", {{"call", "N0AAA"}, {"lock_wait", "10m"}});
    tests::spill(rig.folder() + "/mail.lck", "");
    std::vector<Job> jobs = {rig.job(1, 1)};
    rig.adapter().stage(jobs, [] {});
    int beats = 0;
    rig.adapter().publish(jobs, [&] {
        if (++beats == 3) rig.adapter().hasten();
    });
    EXPECT_EQ(jobs[0].outcome->verdict, Verdict::Deferred) << tests::outcomeText(jobs[0]);
    EXPECT_TRUE(jobs[0].outcome->adapterUnusable) << "not counted";
}

TEST(FbbExport, AFullImportFileGivesTheBoardTime) {
    AdapterRig rig("fbb", {{"call", "N0AAA"}, {"lock_wait", "0s"}, {"file_limit", "64k"}});
    tests::spill(rig.folder() + "/mail.in", std::string(65'000, 'x') + "\n");
    const Job job = rig.exportJob(rig.job(1, 1, mailWith("Subject: x\r\n", std::string(900, 'y') + "\r\n")));
    ASSERT_EQ(job.outcome->verdict, Verdict::Deferred) << tests::outcomeText(job);
    EXPECT_NE(job.outcome->reason.find("has not read"), std::string::npos) << job.outcome->reason;
    std::filesystem::remove(rig.folder() + "/mail.in");
    EXPECT_EQ(rig.exportJob(rig.job(1, 2)).outcome->verdict, Verdict::Exported);
}

// The journal and the merged file are the witness; each state that a crash can leave is settled.
TEST(FbbExport, ACrashAtEveryStepOfABatchIsSettled) {
    for (const char* cut : {"merged", "journal", "torn journal", "renamed"}) {
        AdapterRig rig("fbb", kCall);
        std::vector<Job> jobs = {rig.job(1, 1), rig.job(2, 1)};
        rig.adapter().stage(jobs, [] {});
        const std::string step = cut, base = rig.stage() + "/";
        if (step != "renamed") tests::spill(base + ".m1.1-1", "half");
        if (step == "torn journal") tests::spill(base + ".j1.1-1", "postern-fbb 1.");
        if (step == "journal" || step == "renamed") tests::spill(base + ".j1.1-1", "postern-fbb 1.1 2.1 .\n");
        rig.restart();
        for (Job& job : jobs)
            EXPECT_EQ(rig.adapter().recover(job.delivery.key, job.evidence).found,
                      step == "renamed" ? Found::Published : Found::NotPublished)
                << cut;
        rig.adapter().publish(jobs, [] {});
        EXPECT_TRUE(rig.visible().empty()) << cut;
        if (step == "renamed") continue;
        std::vector<Job> again = {rig.job(1, 2), rig.job(2, 2)};
        rig.adapter().stage(again, [] {});
        rig.adapter().publish(again, [] {});
        EXPECT_EQ(rig.visible().size(), 2u) << cut;
    }
}

// No more than some megabytes are in memory, whatever waits: the first are written before the last are read.
TEST(FbbExport, ALargeBatchIsStagedInRounds) {
    AdapterRig rig("fbb", {{"call", "N0AAA"}, {"total_limit", "0"}, {"file_limit", "64M"}});
    std::string text;
    for (int line = 0; line < 15'000; ++line)
        text += "A line of a long text that a board shall read out.\r\n";
    std::vector<Job> jobs;
    for (int item = 1; item <= 10; ++item) jobs.push_back(rig.job(item, 1, mailWith("Subject: x\r\n", text)));
    bool inRounds = false;
    rig.adapter().stage(jobs, [&] {
        inRounds = inRounds || (!jobs.front().evidence.empty() && jobs.back().evidence.empty());
    });
    EXPECT_TRUE(inRounds);
    rig.adapter().publish(jobs, [] {});
    for (const Job& job : jobs) EXPECT_EQ(job.outcome->verdict, Verdict::Exported) << tests::outcomeText(job);
    const auto read = tests::readFbb(slurp(rig.folder() + "/mail.in"));
    EXPECT_EQ(read.fault, "");
    ASSERT_EQ(read.messages.size(), jobs.size());
    for (const auto& message : read.messages) EXPECT_GT(message.content.size(), 15'000u * 51);
}

TEST(FbbExport, WhatStandsInTheImportFileStays) {
    AdapterRig rig("fbb", kCall);
    tests::spill(rig.folder() + "/mail.in", "SP N0OLD < N0GW $OLD1\nOld\nText\n/EX");
    rig.exportJob(rig.job(1, 1));
    const auto read = tests::readFbb(slurp(rig.folder() + "/mail.in"));
    EXPECT_EQ(read.fault, "");
    ASSERT_EQ(read.messages.size(), 2u);
    EXPECT_EQ(read.messages[0].to, "N0OLD");
}

}  // namespace
}  // namespace postern::adapters
