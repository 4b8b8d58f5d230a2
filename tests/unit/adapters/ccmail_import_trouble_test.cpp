// The import program's post office, folders and tools when they are not as they should be.

#include <filesystem>
#include <sys/stat.h>
#include <thread>

#include <gmock/gmock.h>

#include "tests/kit/wait.h"
#include "tests/unit/adapters/ccmail_import_rig.h"

namespace postern::adapters {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using tests::AdapterRig;
using tests::ImportRig;
using tests::kFirst;
using tests::kOne;
using tests::kTakeAll;
namespace fs = std::filesystem;

// The adapter is suspended with the program's own words, and the program itself says when that is over.
TEST(CcmailImport, Q168670_Q179072_WithoutAPostOfficeTheAdapterIsSuspendedAndHeals) {
    for (const auto& [code, why] : {std::pair{"3", "no post office"}, {"4", "locked by another program"}}) {
        ImportRig rig(std::string("test -f ../open || { date +%N; exit ") + code + "; }; rm -f *.ccm",
                      {{"import_attempts", "1"}});
        rig.submit(1);
        std::string first;
        for (int i = 0; i < 3; ++i) {
            const auto failed = rig.tryAttend();
            ASSERT_FALSE(failed.ok());
            EXPECT_EQ(failed.error().code, Errc::Unavailable);
            EXPECT_THAT(failed.error().text, HasSubstr(std::string("exit code ") + code));
            EXPECT_THAT(failed.error().text, HasSubstr(why));
            if (first.empty()) first = failed.error().text;
            EXPECT_EQ(failed.error().text, first) << "Q242944: equal events collapse";
            EXPECT_THAT(rig.in("Submit"), ElementsAre(kFirst)) << "nothing is counted";
            EXPECT_TRUE(rig.adapter().probe().ok()) << "the folders and the program are fine";
        }
        EXPECT_EQ(rig.runs(), "m0000001.ccm\nm0000001.ccm\nm0000001.ccm\n")
            << "one run each time it is asked";
        rig.put("open");
        EXPECT_THAT(rig.attend(), IsEmpty());
        EXPECT_THAT(rig.in("Submit"), IsEmpty());
        EXPECT_THAT(rig.in("Bad"), IsEmpty());
    }
}

TEST(CcmailImport, AnAbsentPostOfficeIsNotAskedFasterThanTheInterval) {
    ImportRig rig("exit 4", {{"import_interval", "1h"}});
    rig.submit(1);
    for (int i = 0; i < 3; ++i) {
        EXPECT_FALSE(rig.tryAttend().ok());
        EXPECT_TRUE(rig.adapter().probe().ok());
    }
    EXPECT_EQ(rig.runs(), "m0000001.ccm\n");
}

TEST(CcmailImport, WhatWasGivenBackBeforeThePostOfficeWasLostIsToldFirst) {
    ImportRig rig("test -f ../lost || { touch ../lost; echo x > m0000001.und; rm m0000001.ccm; }; exit 3");
    rig.submit(1);
    rig.submit(2);
    const auto answers = rig.attend();
    ASSERT_EQ(answers.size(), 1u);
    rig.settle(answers);
    EXPECT_FALSE(rig.tryAttend().ok());
    EXPECT_THAT(rig.in("Submit"), ElementsAre("m0000002-1.ccm"));
    fs::remove(rig.folder() + "/Submit/m0000002-1.ccm");
    EXPECT_THAT(rig.attend(), IsEmpty()) << "nothing waits, so nothing is kept from a post office";
}

TEST(CcmailImport, Q166045_Q168465_Q233164_CodesHaveReasonsOfTheirOwn) {
    std::vector<std::string> seen;
    for (const int code : {1, 3, 4, 5}) {
        ProcessEnd end;
        end.how = ProcessEnd::How::Exited;
        end.code = code;
        end.output = "IMPORT 5.15\r\nDisk error\r\n";
        const std::string text = ccmail::runEndOf(end).text;
        EXPECT_THAT(text, HasSubstr("exit code " + std::to_string(code)));
        EXPECT_THAT(text, HasSubstr(": IMPORT 5.15")) << "the program's own words stay";
        seen.emplace_back(ccmail::adviceOf(code));
        EXPECT_THAT(text, HasSubstr(seen.back()));
        EXPECT_EQ(std::count(seen.begin(), seen.end(), seen.back()), 1) << seen.back();
    }
    EXPECT_EQ(ccmail::adviceOf(0), "");
    EXPECT_EQ(ccmail::adviceOf(77), "");
}

TEST(CcmailImport, WaitsGrowAndAClockThatWasSetBackStopsNothing) {
    using std::chrono::hours;
    using std::chrono::seconds;
    EXPECT_EQ(ccmail::waitAfter(1, seconds(15)), seconds(15));
    EXPECT_EQ(ccmail::waitAfter(3, seconds(15)), seconds(240));
    EXPECT_EQ(ccmail::waitAfter(20, seconds(15)), hours(4));
    EXPECT_EQ(ccmail::waitAfter(20, Millis(0)), Millis(0));
    EXPECT_EQ(ccmail::waitAfter(2, hours(10)), hours(10));
    const WallTime now = fromMillis(1'700'000'000'000);
    EXPECT_FALSE(ccmail::isDue(now - seconds(14), seconds(15), now));
    EXPECT_TRUE(ccmail::isDue(now - seconds(15), seconds(15), now));
    EXPECT_TRUE(ccmail::isDue(now + hours(24 * 365), seconds(15), now)) << "put away when it was next year";
}

// Files that were put away when more attempts were allowed are not forgotten.
TEST(CcmailImport, FewerAttemptsThanBeforeStrandNothing) {
    ImportRig rig("exit 1", {{"import_attempts", "2"}});
    rig.submit(1);
    fs::create_directories(rig.state("again/7"));
    fs::rename(rig.folder() + "/Submit/" + kFirst, rig.state("again/7/") + kFirst);
    const auto answers = rig.attend();
    ASSERT_EQ(answers.size(), 1u);
    EXPECT_THAT(answers[0].text, HasSubstr("left it behind 8 times"));
    EXPECT_THAT(rig.in("Bad"), ElementsAre(kFirst, std::string(kFirst) + ".reason.txt"));
}

// However many fail anew, those that failed often come to their end.
TEST(CcmailImport, WhoFailedOftenDoesNotWaitForWhoFailedOnce) {
    ImportRig rig("exit 1", {{"import_attempts", "3"}});
    for (const auto& [item, attempts] : {std::pair{1, "1"}, {2, "1"}, {3, "2"}}) {
        rig.submit(item);
        fs::create_directories(rig.state("again/") + attempts);
        const std::string name = ccmail::attemptName(ItemId{item}, Epoch{1});
        fs::rename(rig.folder() + "/Submit/" + name, rig.state("again/") + attempts + "/" + name);
    }
    const auto answers = rig.attend();
    ASSERT_EQ(answers.size(), 1u);
    EXPECT_EQ(answers[0].item, ItemId{3});
    EXPECT_EQ(rig.runs(), "m0000003.ccm\n");
}

TEST(CcmailImport, Q294947_AMissingProgramIsSaidAndHeals) {
    ImportRig rig(kTakeAll);
    const std::string tool = rig.temp() + "/import";
    AdapterRig other("ccmail", {{"post_office", "PO1"}, {"import_program", tool}, {"import_interval", "0s"}});
    ASSERT_FALSE(other.probed().ok());
    EXPECT_THAT(other.probed().error().text, HasSubstr("import_program: "));
    EXPECT_THAT(other.probed().error().text, HasSubstr(tool));
    tests::spill(tool, "#!/bin/sh\nrm -f *.ccm\n");
    EXPECT_FALSE(other.adapter().probe().ok()) << "not executable";
    fs::permissions(tool, fs::perms::owner_all);
    ASSERT_TRUE(other.adapter().probe().ok());
    EXPECT_EQ(other.exportJob(other.job(1, 1)).outcome->verdict, Verdict::Exported);
    tests::spill(tool, "#!/nowhere/sh\n");
    EXPECT_FALSE(other.adapter().attend([] { return false; }).ok()) << "its own interpreter is missing";
    EXPECT_FALSE(other.adapter().attend([] { return false; }).ok());
    tests::spill(tool, "#!/bin/sh\nrm -f *.ccm\n");
    ASSERT_TRUE(other.adapter().attend([] { return false; }).ok());
    EXPECT_THAT(other.visible(), IsEmpty()) << "it never ran before, so nothing is in doubt";
}

TEST(CcmailImport, Q202178_Q295812_EveryFolderMustBeThereAndHeals) {
    for (const char* name : {"Submit", "Import", "Bad"}) {
        SCOPED_TRACE(name);
        ImportRig rig(kTakeAll);
        rig.submit(1);
        const std::string path = rig.folder() + "/" + name;
        fs::rename(path, path + ".away");
        const auto lost = rig.tryAttend();
        ASSERT_FALSE(lost.ok());
        EXPECT_THAT(lost.error().text, HasSubstr(path));
        rig.put(name);  // a file of that name
        EXPECT_FALSE(rig.adapter().probe().ok());
        fs::remove(path);
        fs::rename(path + ".away", path);
        ASSERT_TRUE(rig.adapter().probe().ok());
        EXPECT_THAT(rig.attend(), IsEmpty());
        EXPECT_THAT(rig.in("Submit"), IsEmpty());
        EXPECT_EQ(rig.runs(), "m0000001.ccm\n");
    }
}

TEST(CcmailImport, NothingBeginsWhileTheServiceEnds) {
    ImportRig rig(kTakeAll);
    rig.submit(1);
    EXPECT_TRUE(rig.adapter().attend([] { return true; })->empty());
    EXPECT_THAT(rig.in("Submit"), ElementsAre(kFirst));
}

// A program that outlived us has the lock: nothing is touched while it works.
TEST(CcmailImport, AnEarlierProgramIsWaitedFor) {
    ImportRig rig(kTakeAll);
    rig.submit(1);
    {
        File lock = File::openAppend(rig.state("lock")).value();
        ASSERT_TRUE(lock.tryLock().value());
        EXPECT_THAT(rig.attend(), IsEmpty());
        EXPECT_THAT(rig.in("Submit"), ElementsAre(kFirst));
    }
    EXPECT_THAT(rig.attend(), IsEmpty());
    EXPECT_THAT(rig.in("Submit"), IsEmpty());
}

TEST(CcmailImport, AnEarlierProgramThatHangsIsSaidAndHeals) {
    ImportRig rig(kTakeAll, {{"import_deadline", "100ms"}});
    rig.submit(1);
    {
        File lock = File::openAppend(rig.state("lock")).value();
        ASSERT_TRUE(lock.tryLock().value());
        Result<std::vector<Returned>> asked = rig.tryAttend();
        EXPECT_TRUE(asked.ok()) << "it has its time";
        ASSERT_TRUE(tests::waitFor([&] { return !(asked = rig.tryAttend()).ok(); }));
        EXPECT_THAT(asked.error().text, HasSubstr("still works"));
        EXPECT_THAT(rig.in("Submit"), ElementsAre(kFirst));
    }
    EXPECT_THAT(rig.attend(), IsEmpty());
    EXPECT_THAT(rig.in("Submit"), IsEmpty());
}

// `postern adapter test` while a run takes its time.
TEST(CcmailImport, LookingWhileAProgramWorksDoesNotWaitForIt) {
    ImportRig rig("touch ../begun; read go < ../gate; rm -f *.ccm");
    rig.submit(1);
    ASSERT_EQ(::mkfifo((rig.folder() + "/gate").c_str(), 0600), 0);
    const std::jthread run([&] { EXPECT_THAT(rig.attend(), IsEmpty()); });
    EXPECT_TRUE(tests::waitFor([&] { return fs::exists(rig.folder() + "/begun"); }));
    EXPECT_TRUE(rig.adapter().probe().ok());
    EXPECT_THAT(rig.in("Import"), ElementsAre(kOne)) << "the run still goes on";
    std::ofstream(rig.folder() + "/gate") << "go\n";
}

TEST(CcmailImport, Q181186_Q164695_AnyPathIsHandedOverAsItIs) {
    const tests::TempFolder temp;
    const std::string folder = temp.path() + "/a b/\xc3\xb1/a very long name; $(touch x) 'y'";
    ImportRig rig("",
                  {{"folder", folder}, {"import_program", "/bin/sh\n-c\nrm -f \"$1\"/*.ccm\nsh\n{folder}"}});
    rig.submit(1);
    EXPECT_THAT(rig.attend(), IsEmpty());
    EXPECT_THAT(rig.in("Submit"), IsEmpty());
    EXPECT_THAT(rig.in("Import"), IsEmpty());
    EXPECT_THAT(rig.in("Bad"), IsEmpty());
}

// A dead post office must not fill the disk.
TEST(CcmailImport, WhatMayWaitIsBoundedAndTheRestIsDeferred) {
    for (const tests::SettingMap& limit : {tests::SettingMap{{"waiting_limit", "3"}, {"waiting_size", "0"}},
                                           {{"waiting_limit", "0"}, {"waiting_size", "600"}}}) {
        tests::SettingMap settings = limit;
        settings["import_interval"] = "1h";
        ImportRig rig("exit 1", settings);
        for (int item = 1; item <= 3; ++item) rig.submit(item);
        EXPECT_THAT(rig.attend(), IsEmpty());  // they are tried again now, and count all the same
        EXPECT_THAT(rig.in("Submit"), IsEmpty());
        tests::LogOf heard;
        for (int item = 4; item <= 5; ++item) {
            const Job job = rig.exportJob(rig.job(item, 1));
            ASSERT_EQ(job.outcome->verdict, Verdict::Deferred) << tests::outcomeText(job);
            EXPECT_FALSE(job.outcome->adapterUnusable) << "what waits must go on being imported";
            EXPECT_EQ(job.outcome->cause, Cause::Busy);
            EXPECT_THAT(job.outcome->reason, HasSubstr("3 files"));
            EXPECT_THAT(job.outcome->reason, HasSubstr(rig.folder() + "/Submit"));
        }
        const std::string& log = heard.text;
        EXPECT_THAT(log, HasSubstr("import.failed"));
        EXPECT_EQ(log.find("import.failed"), log.rfind("import.failed")) << log;
        EXPECT_THAT(rig.in("Submit"), IsEmpty());
        fs::remove_all(rig.state("again/1"));
        EXPECT_TRUE(tests::waitFor([&] {
            return rig.exportJob(rig.job(4, 2)).outcome->verdict == Verdict::Exported;
        })) << "it heals by itself";
    }
}

TEST(CcmailImport, FilesOfATimeWithAProgramAreNotForgottenInSilence) {
    ImportRig rig("exit 3");
    rig.submit(1);
    tests::LogOf heard;
    const auto without = tests::makeKind("ccmail", {{"folder", rig.folder()}}, tests::kRigContext).value();
    ASSERT_TRUE(without->probe().ok());
    EXPECT_THAT(heard.text, HasSubstr("import.failed"));
    EXPECT_THAT(heard.text, HasSubstr("1 files"));
    EXPECT_THAT(heard.text, HasSubstr(rig.folder() + "/Submit, and nobody imports them"));
}

TEST(CcmailImport, WithoutAProgramWhatNobodyTakesIsBoundedToo) {
    AdapterRig rig("ccmail", {{"post_office", "PO1"}, {"waiting_limit", "2"}});
    for (int item = 1; item <= 2; ++item)
        EXPECT_EQ(rig.exportJob(rig.job(item, 1)).outcome->verdict, Verdict::Exported);
    EXPECT_EQ(rig.exportJob(rig.job(3, 1)).outcome->verdict, Verdict::Deferred);
    rig.take("msg0001.ccm");
    EXPECT_TRUE(
        tests::waitFor([&] { return rig.exportJob(rig.job(3, 2)).outcome->verdict == Verdict::Exported; }));
}

TEST(CcmailImport, TheProgramInheritsTheLock) {
    ImportRig rig("readlink /proc/self/fd/3 > ../seen; rm -f *.ccm");
    rig.submit(1);
    EXPECT_THAT(rig.attend(), IsEmpty());
    EXPECT_EQ(tests::slurp(rig.folder() + "/seen"), rig.state("lock") + "\n");
}

}  // namespace postern::adapters
