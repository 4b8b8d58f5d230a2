// What a crash at each step of a run of the import program leaves behind, and what is made of it.

#include <filesystem>

#include <gmock/gmock.h>

#include "tests/unit/adapters/ccmail_import_rig.h"

namespace postern::adapters {

using testing::HasSubstr;
using testing::IsEmpty;
using tests::ImportRig;
using tests::kFirst;
using tests::kOne;
using tests::kTakeAll;
namespace fs = std::filesystem;

// What a crash leaves at each step of a run, by the files it leaves.
class CcmailImportCrash : public testing::Test {
  protected:
    CcmailImportCrash() { rig_.submit(1); }
    void record() const {
        tests::spill(rig_.state("run"), ccmail::formatRun({"dead0000", {{0, kFirst}}, false}));
    }
    void moved() const { fs::rename(rig_.folder() + "/Submit/" + kFirst, rig_.folder() + "/Import/" + kOne); }
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
    EXPECT_EQ(answers[0].epoch, Epoch{1});
    EXPECT_EQ(answers[0].token, "m0000001-1.dead0000.doubt");
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
    EXPECT_EQ(answers[0].token, "m0000001-1.dead0000.und");
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

// The report was taken away already when we died: it explains the code.
TEST_F(CcmailImportCrash, InTheMiddleOfGivingBackTheReportStillExplainsTheCode) {
    record();
    moved();
    started();
    ended(5);
    fs::remove(rig_.folder() + "/Import/" + kOne);
    tests::spill(rig_.state("answers/m0000001-1.dead0000.und"), "***no***");
    const auto answers = afterRestart();
    ASSERT_EQ(answers.size(), 1u);
    EXPECT_FALSE(answers[0].doubt);
    rig_.settle(answers);
    expectClean();
}

TEST_F(CcmailImportCrash, InTheMiddleOfSettingAsideTheAnswerIsTheSame) {
    record();
    moved();
    started();
    ended(0);
    fs::create_directories(rig_.state("answers"));
    tests::spill(rig_.state("answers/m0000001-1.dead0000.doubt"), "half");
    const auto answers = afterRestart();
    ASSERT_EQ(answers.size(), 1u);
    EXPECT_EQ(answers[0].token, "m0000001-1.dead0000.doubt");
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
