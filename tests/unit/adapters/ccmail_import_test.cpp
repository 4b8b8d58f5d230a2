// The import program's runs, with a shell as the program: what each end means for the files.

#include <filesystem>

#include <gmock/gmock.h>

#include "tests/unit/adapters/ccmail_import_rig.h"

namespace postern::adapters {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using tests::AdapterRig;
using tests::ImportRig;
using tests::kFirst;
using tests::kOne;
using tests::kTakeAll;
namespace fs = std::filesystem;

TEST(CcmailImport, NamesTellTheItemAndNeverRepeat) {
    EXPECT_EQ(ccmail::importName(ItemId{1}), kOne);
    EXPECT_EQ(ccmail::importName(ItemId{65537}), "m0001ekh.ccm");
    for (const std::int64_t item : {std::int64_t{1}, std::int64_t{35}, std::int64_t{36}, std::int64_t{65536},
                                    std::int64_t{78'364'164'095}})
        EXPECT_EQ(ccmail::itemOfName(ccmail::importName(ItemId{item})), ItemId{item}) << item;
    EXPECT_EQ(ccmail::itemOfName("M000000A.UND"), ItemId{10}) << "DOS writes capitals";
    for (const char* foreign :
         {"msg001a.ccm", "CCMAIL.UND", "m0000000.und", "m00000010.und", "", ".", "m-000001.ccm",
          "m0000001-.ccm", "m0000001-0.ccm", "m0000001-01.ccm", "m0000001-x.ccm", "m0000001-1-2.ccm"})
        EXPECT_FALSE(ccmail::itemOfName(foreign)) << foreign;
}

TEST(CcmailImport, NamesTellTheAttemptWhereNoDosToolReads) {
    for (const std::int64_t epoch : {std::int64_t{1}, std::int64_t{12}, std::int64_t{1'000'001}}) {
        const std::string name = ccmail::attemptName(ItemId{1}, Epoch{epoch});
        EXPECT_EQ(ccmail::itemOfName(name), ItemId{1}) << name;
        EXPECT_EQ(ccmail::epochOfName(name), Epoch{epoch}) << name;
        EXPECT_EQ(ccmail::importedName(name), kOne);
    }
    EXPECT_EQ(ccmail::attemptName(ItemId{1}, Epoch{1}), kFirst);
    EXPECT_FALSE(ccmail::epochOfName(kOne));
    for (const char* silent : {kOne, "report-7.ccm", "m0000001-x.ccm"})
        EXPECT_EQ(ccmail::importedName(silent), silent);
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
    EXPECT_FALSE(ccmail::parseRunEnd("ended1 0 4294967296 damaged\nend\n")) << "no code 0";
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
    EXPECT_THAT(rig.in("Submit"), ElementsAre("m0000006-1.ccm")) << "not before the interval is over";
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
    EXPECT_EQ(tests::slurp(rig.folder() + "/seen"),
              import + " " + import + " anna /usr/local/bin:/usr/bin:/bin\n");
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
    EXPECT_THAT(answers[0].text,
                AllOf(HasSubstr("3 times; last: it ended with exit code 1 ("), HasSubstr("): disk error")));
    rig.settle(answers);
    EXPECT_THAT(rig.attend(), IsEmpty());
    EXPECT_EQ(rig.runs(), "m0000001.ccm m0000002.ccm m0000003.ccm\nm0000001.ccm\nm0000001.ccm\n");
    EXPECT_THAT(rig.in("Bad"), ElementsAre(kFirst, std::string(kFirst) + ".reason.txt"));
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

// A person had it sent again while the first copy still lay there: each answer is to its own attempt.
TEST(CcmailImport, EachAttemptOfAnItemHasItsOwnAnswer) {
    ImportRig rig("echo '*Disk error*' > m0000001.und; rm -f *.ccm; exit 5");
    for (const int epoch : {1, 2}) {
        const Job job = rig.exportJob(rig.job(1, epoch));
        EXPECT_EQ(job.outcome->verdict, Verdict::Exported);
    }
    for (const int epoch : {1, 2}) {
        const auto answers = rig.attend();
        ASSERT_EQ(answers.size(), 1u);
        EXPECT_EQ(answers[0].item, ItemId{1});
        EXPECT_EQ(answers[0].epoch, Epoch{epoch});
        rig.settle(answers);
    }
    EXPECT_EQ(rig.runs(), "m0000001.ccm\nm0000001.ccm\n") << "one at a time: the program knows one name";
}

TEST(CcmailImport, APersonsFileFromBadIsStillThatAttempts) {
    for (const char* where : {"Submit/m0000001-2.ccm", "Import/m0000001-2.ccm", "Import/m0000001.ccm"}) {
        ImportRig rig("echo '*Disk error*' > m0000001.und; rm -f *.ccm; exit 5");
        rig.put(where);
        const auto answers = rig.attend();
        ASSERT_EQ(answers.size(), 1u) << where;
        EXPECT_EQ(answers[0].item, ItemId{1}) << where;
        EXPECT_EQ(answers[0].epoch.has_value(), std::string_view(where).ends_with("-2.ccm")) << where;
        EXPECT_EQ(rig.runs(), "m0000001.ccm\n");
    }
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
        EXPECT_THAT(rig.in("Bad"), ElementsAre(kFirst, std::string(kFirst) + ".reason.txt"));
        EXPECT_THAT(tests::slurp(rig.folder() + "/Bad/" + kFirst + ".reason.txt"),
                    HasSubstr("resolve ID --exported"));
        rig.settle(answers);
        EXPECT_THAT(rig.attend(), IsEmpty());
        EXPECT_EQ(rig.runs(), "m0000001.ccm m0000002.ccm\n");
    }
}

// Something could not be delivered, and nothing says what: none of them is taken for imported.
TEST(CcmailImport, UndeliverableWithoutAWordOfWhomIsInDoubt) {
    ImportRig rig("test -f ../lost || { touch ../lost; rm -f *.ccm; exit 5; }; rm -f *.ccm");
    rig.submit(1);
    rig.submit(2);
    const auto answers = rig.attend();
    ASSERT_EQ(answers.size(), 2u);
    for (const Returned& each : answers) {
        EXPECT_TRUE(each.doubt);
        EXPECT_THAT(each.text, HasSubstr("exit code 5 (something could not be delivered)"));
    }
    rig.settle(answers);
    rig.submit(3);
    EXPECT_THAT(rig.attend(), IsEmpty());
    EXPECT_THAT(rig.in("Bad"), IsEmpty());
}

TEST(CcmailImport, AReportOfNoBytesSaysNothingOfAnybody) {
    ImportRig rig(": > m0000001.und; : > CCMAIL.UND; rm -f *.ccm");
    rig.submit(1);
    EXPECT_THAT(rig.attend(), IsEmpty());
    EXPECT_THAT(rig.in("Import"), IsEmpty());
    EXPECT_THAT(rig.in("Bad"), IsEmpty());
}

}  // namespace postern::adapters
