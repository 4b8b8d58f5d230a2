// The import program's runs, with a shell as the program: what each end means for the files, and what a crash
// at each step leaves behind.

#include <filesystem>

#include <gmock/gmock.h>

#include "adapters/ccmail/ccmail_run.h"
#include "base/file.h"
#include "tests/adapter_rig.h"

namespace postern::adapters {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using tests::AdapterRig;
namespace fs = std::filesystem;

namespace {

constexpr const char* kTakeAll = "rm -f *.ccm";
constexpr const char* kOne = "m0000001.ccm";

tests::SettingMap with(const std::string& script, tests::SettingMap more = {}) {
    more.emplace("post_office", "PO1");
    more.emplace("import_program", "/bin/sh\n-c\necho \"$(echo *.ccm)\" >> ../runs; " + script);
    more.emplace("import_interval", "0s");
    return more;
}

class ImportRig : public AdapterRig {
  public:
    explicit ImportRig(const std::string& script, const tests::SettingMap& more = {})
        : AdapterRig("ccmail", with(script, more)) {
        EXPECT_TRUE(probed().ok()) << probed().error().text;
    }
    void submit(std::int64_t item, const std::vector<Recipient>& recipients = {{1, "bob@x.example", "Bob"}}) {
        Job job = this->job(item, 1);
        job.delivery.recipients = recipients;
        job = exportJob(std::move(job));
        EXPECT_EQ(job.outcome->verdict, Verdict::Exported) << tests::outcomeText(job);
    }
    Result<std::vector<Returned>> tryAttend() {
        return adapter().attend([] { return false; });
    }
    std::vector<Returned> attend() {
        auto result = tryAttend();
        EXPECT_TRUE(result.ok()) << (result.ok() ? "" : result.error().text);
        return result.ok() ? std::move(*result) : std::vector<Returned>{};
    }
    void settle(const std::vector<Returned>& all) {
        for (const Returned& each : all) EXPECT_TRUE(adapter().settle(each.token).ok());
    }
    std::vector<std::string> in(const std::string& name) {
        return tests::visibleFiles(folder() + "/" + name);
    }
    std::string runs() const { return tests::slurp(folder() + "/runs"); }
    std::string state(const std::string& name) const { return folder() + "/.postern-legacy/import/" + name; }
    void put(const std::string& name, const std::string& bytes = "x") const {
        tests::spill(folder() + "/" + name, bytes);
    }
};

}  // namespace

TEST(CcmailImport, NamesTellTheItemAndNeverRepeat) {
    EXPECT_EQ(ccmail::importName(ItemId{1}), kOne);
    EXPECT_EQ(ccmail::importName(ItemId{65537}), "m0001ekh.ccm");
    for (const std::int64_t item : {std::int64_t{1}, std::int64_t{35}, std::int64_t{36}, std::int64_t{65536},
                                    std::int64_t{78'364'164'095}})
        EXPECT_EQ(ccmail::itemOfName(ccmail::importName(ItemId{item})), ItemId{item}) << item;
    EXPECT_EQ(ccmail::itemOfName("M000000A.UND"), ItemId{10}) << "DOS writes capitals";
    for (const char* foreign :
         {"msg001a.ccm", "CCMAIL.UND", "m0000000.und", "m00000010.und", "", ".", "m-000001.ccm"})
        EXPECT_FALSE(ccmail::itemOfName(foreign)) << foreign;
}

TEST(CcmailImport, RecordsComeBackWholeOrNotAtAll) {
    const ccmail::Run run{"abc123", {{0, kOne}, {3, "with blank.ccm"}}, true};
    const std::string text = formatRun(run);
    const auto back = ccmail::parseRun(text);
    ASSERT_TRUE(back);
    EXPECT_EQ(formatRun(*back), text);
    EXPECT_TRUE(back->full);
    EXPECT_EQ(back->entries[1].attempts, 3);
    EXPECT_EQ(back->entries[1].name, "with blank.ccm");
    for (std::size_t cut = 0; cut < text.size(); ++cut)
        EXPECT_FALSE(ccmail::parseRun(text.substr(0, cut))) << cut;
    const ccmail::RunEnd end{true, ProcessEnd::How::Exited, 5, "ended with exit code 5: no such user"};
    const auto ended = ccmail::parseRunEnd(formatRunEnd(end));
    ASSERT_TRUE(ended);
    EXPECT_EQ(ended->code, 5);
    EXPECT_EQ(ended->text, end.text);
    const std::string whole = formatRunEnd(end);
    for (std::size_t cut = 0; cut < whole.size(); ++cut)
        EXPECT_FALSE(ccmail::parseRunEnd(whole.substr(0, cut))) << cut;
}

TEST(CcmailImport, Q168211_BatchesAreBoundedAndAFullOneIsFollowedAtOnce) {
    ImportRig rig(kTakeAll, {{"import_batch", "2"}, {"import_interval", "1h"}});
    for (int item = 1; item <= 5; ++item) rig.submit(item);
    EXPECT_THAT(rig.attend(), IsEmpty());
    EXPECT_EQ(rig.runs(), "m0000001.ccm m0000002.ccm\nm0000003.ccm m0000004.ccm\nm0000005.ccm\n");
    rig.submit(6);
    EXPECT_THAT(rig.attend(), IsEmpty());
    EXPECT_THAT(rig.in("Submit"), ElementsAre("m0000006.ccm")) << "not before the interval is over";
    EXPECT_THAT(rig.in("Import"), IsEmpty());
    EXPECT_THAT(rig.in("Bad"), IsEmpty());
}

TEST(CcmailImport, IsOffUnlessAProgramIsGiven) {
    AdapterRig rig("ccmail", {{"post_office", "PO1"}});
    EXPECT_TRUE(rig.adapter().attend([] { return false; })->empty());
    EXPECT_FALSE(fs::exists(rig.folder() + "/Submit"));
}

TEST(CcmailImport, TheProgramSeesItsFolderAndTheEnvironmentGiven) {
    ImportRig rig("echo {folder} $PWD $WHO $PATH > ../seen; rm -f *.ccm",
                  {{"import_environment", "WHO=anna"}});
    rig.submit(1);
    EXPECT_THAT(rig.attend(), IsEmpty());
    const std::string import = rig.folder() + "/Import";
    EXPECT_EQ(tests::slurp(rig.folder() + "/seen"), import + " " + import + " anna /usr/bin:/bin\n");
}

TEST(CcmailImport, WhatAProgramMustBe) {
    const auto refusal = [](const tests::SettingMap& settings) {
        const auto made = tests::makeKind("ccmail", settings, tests::kRigContext);
        return made.ok() ? std::string() : made.error().text;
    };
    EXPECT_THAT(refusal({{"folder", "/srv/po"}, {"import_program", "IMPORT.EXE\n/BATCH"}}),
                HasSubstr("absolute path"));
    EXPECT_THAT(
        refusal({{"folder", "/srv/po"}, {"import_program", "/bin/sh"}, {"import_environment", "WHO"}}),
        HasSubstr("NAME=value"));
}

// The lesson of the connector that imported one file again and again, each time with a report more.
TEST(CcmailImport, Q223772_tool_fails_and_keeps_file) {
    ImportRig rig(
        "rm -f m0000002.ccm m0000003.ccm; test -f m0000001.ccm && echo disk error && exit 1; exit 0",
        {{"import_attempts", "3"}});
    for (int item = 1; item <= 3; ++item) rig.submit(item);
    const auto answers = rig.attend();
    ASSERT_EQ(answers.size(), 1u) << "one report";
    EXPECT_EQ(answers[0].item, ItemId{1});
    EXPECT_FALSE(answers[0].doubt);
    EXPECT_FALSE(answers[0].refused) << "every recipient";
    EXPECT_THAT(answers[0].text, HasSubstr("3 times; last: it ended with exit code 1: disk error"));
    rig.settle(answers);
    EXPECT_THAT(rig.attend(), IsEmpty());
    EXPECT_EQ(rig.runs(), "m0000001.ccm m0000002.ccm m0000003.ccm\nm0000001.ccm\nm0000001.ccm\n");
    EXPECT_THAT(rig.in("Bad"), ElementsAre(kOne, std::string(kOne) + ".reason.txt"));
    EXPECT_THAT(rig.in("Import"), IsEmpty());
    EXPECT_THAT(rig.in("Submit"), IsEmpty());
}

// What is tried again comes alone and in turns with what is new.
TEST(CcmailImport, Q192594_OnePoisonDelaysNoOther) {
    ImportRig rig("for f in *.ccm; do test $f = m0000001.ccm || rm -f $f; done; test ! -f m0000001.ccm",
                  {{"import_attempts", "20"}, {"import_batch", "1"}});
    for (int item = 1; item <= 4; ++item) rig.submit(item);
    (void)rig.attend();
    EXPECT_THAT(rig.in("Submit"), IsEmpty()) << rig.runs();
    EXPECT_THAT(rig.runs(), HasSubstr("m0000002.ccm\n"));
    EXPECT_THAT(rig.runs(), HasSubstr("m0000004.ccm\n"));
}

TEST(CcmailImport, Q168670_WithoutAPostOfficeFilesWaitAndNothingIsCounted) {
    ImportRig rig("test -f ../open || exit 3; rm -f *.ccm", {{"import_attempts", "1"}});
    rig.submit(1);
    for (int i = 0; i < 3; ++i) {
        EXPECT_THAT(rig.attend(), IsEmpty());
        EXPECT_THAT(rig.in("Submit"), ElementsAre(kOne));
    }
    rig.put("open");
    EXPECT_THAT(rig.attend(), IsEmpty());
    EXPECT_THAT(rig.in("Submit"), IsEmpty());
    EXPECT_THAT(rig.in("Bad"), IsEmpty());
}

TEST(CcmailImport, Q228743_WhoIsGivenBackIsToldByName) {
    ImportRig rig(
        "printf '***User not found: Bob at PO1***\\r\\nMessage:\\r\\nTo: Bob at PO1\\r\\n' > M0000001.UND; "
        "rm -f *.ccm; exit 5");
    const std::vector<Recipient> recipients = {{1, "ann@x.example", "Ann"}, {2, "bob@x.example", "Bob"}};
    rig.submit(1, recipients);
    const auto answers = rig.attend();
    ASSERT_EQ(answers.size(), 1u);
    EXPECT_EQ(answers[0].item, ItemId{1});
    ASSERT_TRUE(answers[0].refused);
    const auto refused = answers[0].refused(recipients);
    ASSERT_EQ(refused.size(), 1u);
    EXPECT_EQ(refused[0].ordinal, 2);
    EXPECT_EQ(refused[0].status, "5.1.1");
    EXPECT_THAT(refused[0].reason, HasSubstr("User not found: Bob at PO1"));

    const auto again = rig.attend();
    ASSERT_EQ(again.size(), 1u) << "until it is settled";
    EXPECT_EQ(again[0].token, answers[0].token);
    rig.settle(answers);
    rig.settle(answers);  // a crash in between: settled twice
    EXPECT_THAT(rig.attend(), IsEmpty());
    EXPECT_EQ(rig.in("Bad").size(), 2u) << "kept for a person, with its reason";
    EXPECT_EQ(rig.runs(), "m0000001.ccm\n");
}

// The file that was given back and not deleted is not imported again.
TEST(CcmailImport, Q168680_WhatIsGivenBackIsNotReplayed) {
    ImportRig rig("echo '*Header Buffer Full*' > m0000001.und; exit 1");
    rig.submit(1);
    const auto answers = rig.attend();
    ASSERT_EQ(answers.size(), 1u);
    EXPECT_THAT(answers[0].text, HasSubstr("Header Buffer Full"));
    rig.settle(answers);
    EXPECT_THAT(rig.attend(), IsEmpty());
    EXPECT_EQ(rig.runs(), "m0000001.ccm\n");
    EXPECT_THAT(rig.in("Import"), IsEmpty());
}

TEST(CcmailImport, OneReportForAllIsThatOfTheOnlyFile) {
    ImportRig rig("echo '*Disk error in creating message item*' > CCMAIL.UND; rm -f *.ccm; exit 5");
    rig.submit(1);
    const auto answers = rig.attend();
    ASSERT_EQ(answers.size(), 1u);
    EXPECT_EQ(answers[0].item, ItemId{1});
}

TEST(CcmailImport, OneReportForSeveralIsSetAsideForAPerson) {
    ImportRig rig("echo '*Disk error*' > CCMAIL.UND; rm -f *.ccm; exit 5");
    rig.submit(1);
    rig.submit(2);
    EXPECT_THAT(rig.attend(), IsEmpty());
    EXPECT_THAT(rig.in("Bad"), ElementsAre("CCMAIL.UND", "CCMAIL.UND.reason.txt"));
}

TEST(CcmailImport, Q212788_LeftOverReportsStopNothing) {
    ImportRig rig(kTakeAll);
    rig.put("Import/CCMAIL.UND", "***old***");
    rig.put("Import/m0000009.und", "***older***");
    rig.put("Import/m0000009.ccm");
    rig.submit(1);
    const auto answers = rig.attend();
    ASSERT_EQ(answers.size(), 1u);
    EXPECT_EQ(answers[0].item, ItemId{9});
    rig.settle(answers);
    EXPECT_THAT(rig.attend(), IsEmpty());
    EXPECT_EQ(rig.runs(), "m0000001.ccm\n") << "what was given back is not imported again";
    EXPECT_THAT(rig.in("Import"), IsEmpty());
}

struct Cut {
    const char* label;
    const char* script;
    const char* text;
};

TEST(CcmailImport, AFileThatIsLeftWithoutAClearWordIsInDoubt) {
    const Cut cuts[] = {
        {"said done", "exit 0", "ended with exit code 0"},
        {"signal", "kill -9 $$", "signal 9"},
        {"deadline", "exec sleep 600", "did not end within"},
    };
    for (const Cut& cut : cuts) {
        SCOPED_TRACE(cut.label);
        ImportRig rig(std::string("rm -f m0000002.ccm; ") + cut.script, {{"import_deadline", "300ms"}});
        rig.submit(1);
        rig.submit(2);
        const auto answers = rig.attend();
        ASSERT_EQ(answers.size(), 1u) << "the other one is imported";
        EXPECT_TRUE(answers[0].doubt);
        EXPECT_EQ(answers[0].item, ItemId{1});
        EXPECT_THAT(answers[0].text, HasSubstr(cut.text));
        EXPECT_THAT(rig.in("Bad"), ElementsAre(kOne, std::string(kOne) + ".reason.txt"));
        EXPECT_THAT(tests::slurp(rig.folder() + "/Bad/" + kOne + ".reason.txt"),
                    HasSubstr("resolve ID --exported"));
        rig.settle(answers);
        EXPECT_THAT(rig.attend(), IsEmpty());
        EXPECT_EQ(rig.runs(), "m0000001.ccm m0000002.ccm\n");
    }
}

TEST(CcmailImport, Q294947_AMissingProgramIsSaidAndHeals) {
    ImportRig rig(kTakeAll);
    const std::string tool = rig.temp() + "/import";
    AdapterRig other("ccmail", {{"post_office", "PO1"}, {"import_program", tool}, {"import_interval", "0s"}});
    ASSERT_FALSE(other.probed().ok());
    EXPECT_THAT(other.probed().error().text, HasSubstr(tool + " is not there"));
    tests::spill(tool, "#!/bin/sh\nrm -f *.ccm\n");
    ASSERT_TRUE(other.adapter().probe().ok());
    EXPECT_EQ(other.exportJob(other.job(1, 1)).outcome->verdict, Verdict::Exported);
    EXPECT_FALSE(other.adapter().attend([] { return false; }).ok()) << "not executable";
    EXPECT_FALSE(other.adapter().attend([] { return false; }).ok());
    fs::permissions(tool, fs::perms::owner_all);
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
    EXPECT_THAT(rig.in("Submit"), ElementsAre(kOne));
}

// A program that outlived us has the lock: nothing is touched while it works.
TEST(CcmailImport, AnEarlierProgramIsWaitedFor) {
    ImportRig rig(kTakeAll);
    rig.submit(1);
    {
        File lock = File::openAppend(rig.state("lock")).value();
        ASSERT_TRUE(lock.tryLock().value());
        EXPECT_THAT(rig.attend(), IsEmpty());
        EXPECT_THAT(rig.in("Submit"), ElementsAre(kOne));
    }
    EXPECT_THAT(rig.attend(), IsEmpty());
    EXPECT_THAT(rig.in("Submit"), IsEmpty());
}

TEST(CcmailImport, TheProgramInheritsTheLock) {
    ImportRig rig("readlink /proc/self/fd/3 > ../seen; rm -f *.ccm");
    rig.submit(1);
    EXPECT_THAT(rig.attend(), IsEmpty());
    EXPECT_EQ(tests::slurp(rig.folder() + "/seen"), rig.state("lock") + "\n");
}

// What a crash leaves at each step of a run, by the files it leaves.
class CcmailImportCrash : public testing::Test {
  protected:
    CcmailImportCrash() { rig_.submit(1); }
    void record() const {
        tests::spill(rig_.state("run"), ccmail::formatRun({"dead0000", {{0, kOne}}, false}));
    }
    void moved() const { fs::rename(rig_.folder() + "/Submit/" + kOne, rig_.folder() + "/Import/" + kOne); }
    void started() const { tests::spill(rig_.state("started"), ""); }
    void ended(int code) const {
        tests::spill(rig_.state("ended"),
                     ccmail::formatRunEnd({true, ProcessEnd::How::Exited, code, "ended"}));
    }
    std::vector<Returned> afterRestart() {
        rig_.restart();
        return rig_.attend();
    }
    void expectClean() {
        for (const char* name : {"run", "started", "ended"})
            EXPECT_FALSE(fs::exists(rig_.state(name))) << name;
        EXPECT_THAT(rig_.in("Import"), IsEmpty());
        EXPECT_THAT(rig_.in("Submit"), IsEmpty());
    }

    ImportRig rig_{kTakeAll};
};

TEST_F(CcmailImportCrash, BehindTheRecordTheRunGoesOn) {
    record();
    EXPECT_THAT(afterRestart(), IsEmpty());
    EXPECT_EQ(rig_.runs(), "m0000001.ccm\n");
    expectClean();
}

TEST_F(CcmailImportCrash, BehindTheMoveTheRunGoesOn) {
    record();
    moved();
    EXPECT_THAT(afterRestart(), IsEmpty());
    EXPECT_EQ(rig_.runs(), "m0000001.ccm\n");
    expectClean();
}

TEST_F(CcmailImportCrash, WithTheProgramStartedAndTheFileThereItIsInDoubt) {
    record();
    moved();
    started();
    const auto answers = afterRestart();
    ASSERT_EQ(answers.size(), 1u);
    EXPECT_TRUE(answers[0].doubt);
    EXPECT_EQ(answers[0].token, "m0000001.dead0000.doubt");
    EXPECT_EQ(rig_.runs(), "") << "never imported again";
    rig_.settle(answers);
    expectClean();
}

TEST_F(CcmailImportCrash, WithTheProgramStartedAndTheFileGoneItIsImported) {
    record();
    moved();
    started();
    fs::remove(rig_.folder() + "/Import/" + kOne);
    EXPECT_THAT(afterRestart(), IsEmpty());
    expectClean();
}

TEST_F(CcmailImportCrash, WhatWasGivenBackIsReadAfterwards) {
    record();
    moved();
    started();
    rig_.put("Import/M0000001.UND", "***no***");
    const auto answers = afterRestart();
    ASSERT_EQ(answers.size(), 1u);
    EXPECT_EQ(answers[0].token, "m0000001.dead0000.und");
    EXPECT_FALSE(answers[0].doubt);
    rig_.settle(answers);
    expectClean();
}

TEST_F(CcmailImportCrash, AnEndThatWasSeenIsNoDoubt) {
    record();
    moved();
    started();
    ended(1);
    EXPECT_THAT(afterRestart(), IsEmpty());
    EXPECT_EQ(rig_.runs(), "m0000001.ccm\n") << "failed once, tried again";
    expectClean();
}

TEST_F(CcmailImportCrash, InTheMiddleOfSettingAsideTheAnswerIsTheSame) {
    record();
    moved();
    started();
    ended(0);
    fs::create_directories(rig_.state("answers"));
    tests::spill(rig_.state("answers/m0000001.dead0000.doubt"), "half");
    const auto answers = afterRestart();
    ASSERT_EQ(answers.size(), 1u);
    EXPECT_EQ(answers[0].token, "m0000001.dead0000.doubt");
    rig_.settle(answers);
    EXPECT_THAT(rig_.attend(), IsEmpty());
    expectClean();
}

TEST_F(CcmailImportCrash, RecordsOfARunThatIsOverMeanNothing) {
    started();
    ended(0);
    EXPECT_THAT(afterRestart(), IsEmpty());
    EXPECT_EQ(rig_.runs(), "m0000001.ccm\n");
    expectClean();
}

TEST_F(CcmailImportCrash, ADamagedRecordIsAPersonsMatter) {
    tests::spill(rig_.state("run"), "run1 x");
    rig_.restart();
    const auto result = rig_.tryAttend();
    ASSERT_FALSE(result.ok());
    EXPECT_THAT(result.error().text, HasSubstr("damaged"));
    EXPECT_EQ(rig_.runs(), "");
}

}  // namespace postern::adapters
