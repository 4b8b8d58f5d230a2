// Kinds that run programs, with a program that every system has: the tests' own child. (runner_test.cpp and
// ccmail_import_test.cpp: what shells show of the same.)

#include <fstream>

#include <gtest/gtest.h>

#include "base/file.h"
#include "base/library_error.h"
#include "tests/adapter_rig.h"
#include "tests/kit/platform.h"

namespace postern::adapters {
namespace {

namespace fs = std::filesystem;
using tests::AdapterRig;
using tests::outcomeText;
using tests::slurp;

// The build names them from the root on; Windows wants the drive too.
std::string placeOf(const char* program) {
    return absolutePath(program).value();
}

AdapterContext withRunner() {
    AdapterContext context = tests::kRigContext;
    context.runner = placeOf(POSTERN_RUNNER);
    return context;
}

std::string child(const std::vector<std::string>& words) {
    std::string command = placeOf(POSTERN_TEST_CHILD);
    for (const std::string& word : words) command += "\n" + word;
    return command;
}

class ChildCommand : public testing::Test {
  protected:
    Job exported(const std::vector<std::string>& words, tests::SettingMap settings = {}) {
        settings.emplace("command", child(words));
        settings.emplace("folder", temp_ / "live");
        rig_ = std::make_unique<AdapterRig>("pipe", std::move(settings), withRunner());
        EXPECT_TRUE(rig_->probed().ok()) << rig_->probed().error().text;
        return rig_->exportJob(rig_->job(1, ++epoch_));
    }
    tests::TempFolder temp_;
    std::unique_ptr<AdapterRig> rig_;
    int epoch_ = 0;
};

TEST_F(ChildCommand, GetsTheTextAndItsArgumentsAsTheyAre) {
    const std::string taken = temp_ / "taken";
    fs::create_directories(taken);
    const std::vector<std::string> odd = {"a b", R"(say "x" \ )", R"(back\\)", "%PATH%", "\u00e9", "^&|<>"};
    std::vector<std::string> words{"store", taken, "{sender}"};
    words.insert(words.end(), odd.begin(), odd.end());
    const Job job = exported(words);
    ASSERT_EQ(job.outcome->verdict, Verdict::Exported) << outcomeText(job);
    std::string wanted = "alice@example.org\n";
    for (const std::string& each : odd) wanted += each + "\n";
    EXPECT_EQ(slurp(taken + "/args"), wanted);
    const auto files = tests::visibleFiles(taken);
    ASSERT_EQ(files.size(), 2u) << "one run: its text and its arguments";
    EXPECT_TRUE(slurp(taken + "/" + files[0]).ends_with("\nHello from the gateway.\nLine two.\n"))
        << slurp(taken + "/" + files[0]);
    EXPECT_EQ(slurp(taken + "/" + files[0]).find('\r'), std::string::npos) << "LF, as its settings say";
}

TEST_F(ChildCommand, ItsStatusAndItsWordsBecomeTheOutcome) {
    Job job = exported({"say", "67", "5.1.1 no bob here"});
    EXPECT_EQ(job.outcome->verdict, Verdict::Rejected) << outcomeText(job);
    EXPECT_EQ(job.outcome->status, "5.1.1");
    EXPECT_NE(job.outcome->reason.find("no bob here"), std::string::npos) << job.outcome->reason;
    rig_->restart();
    const Recovery seen = rig_->adapter().recover(job.delivery.key, job.evidence);
    ASSERT_TRUE(seen.known) << seen.text;
    EXPECT_EQ(seen.known->verdict, Verdict::Rejected);
    job = exported({"exit", "75"});
    EXPECT_EQ(job.outcome->verdict, Verdict::Deferred) << outcomeText(job);
}

TEST_F(ChildCommand, OneThatCrashesOrIsEndedIsInDoubt) {
    Job job = exported({"crash"});
    EXPECT_EQ(job.outcome->verdict, Verdict::Unknown) << outcomeText(job);
    rig_->restart();
    EXPECT_EQ(rig_->adapter().recover(job.delivery.key, job.evidence).found, Found::CannotTell);
    job = exported({"wait"}, {{"time_limit", "1s"}});
    EXPECT_EQ(job.outcome->verdict, Verdict::Unknown) << outcomeText(job);
    EXPECT_NE(job.outcome->reason.find("did not end within 1 s"), std::string::npos) << job.outcome->reason;
}

TEST_F(ChildCommand, RunsWhereItsSettingsSayWithTheEnvironmentTheyName) {
    const std::string folder = temp_ / "here";
    fs::create_directories(folder);
    Job job = exported({"folder"}, {{"working_folder", folder}});
    EXPECT_EQ(job.outcome->verdict, Verdict::Exported) << outcomeText(job);
    const std::string result = slurp(rig_->folder() + "/run/1.1.result");
    EXPECT_NE(result.find("here\nend\n"), std::string::npos) << result;
    job = exported({"environment"}, {{"environment", "ONE=1"}});
    const std::string shown = slurp(rig_->folder() + "/run/1.2.result");
    EXPECT_NE(shown.find("ONE=1\n"), std::string::npos) << shown;
    EXPECT_EQ(shown.find("\nHOME="), std::string::npos) << shown;
}

TEST_F(ChildCommand, AProgramThatIsNotThereStopsTheAdapterAndNoMailIsLost) {
    exported({"exit", "0"});
    const std::string gone = temp_ / "none.exe";
    AdapterRig rig("pipe", {{"command", gone}, {"folder", temp_ / "other"}}, withRunner());
    EXPECT_FALSE(rig.probed().ok());
    EXPECT_NE(rig.probed().error().text.find("none.exe"), std::string::npos) << rig.probed().error().text;
}

class ChildImport : public testing::Test {
  protected:
    // The folder's name is not one for a shell.
    ChildImport() { fs::create_directories(libraryPath(folder_)); }
    void use(const std::string& doing) {
        rig_ = std::make_unique<AdapterRig>(
            "ccmail", tests::SettingMap{{"folder", folder_},
                                        {"post_office", "PO1"},
                                        {"import_interval", "0s"},
                                        {"import_attempts", "1"},
                                        {"import_program", child({"import", doing, "{folder}"})}});
        ASSERT_TRUE(rig_->probed().ok()) << rig_->probed().error().text;
        Job job = rig_->exportJob(rig_->job(1, 1));
        ASSERT_EQ(job.outcome->verdict, Verdict::Exported) << outcomeText(job);
    }
    std::vector<Returned> attend() {
        auto result = rig_->adapter().attend([] { return false; });
        EXPECT_TRUE(result.ok()) << (result.ok() ? "" : result.error().text);
        return result.ok() ? std::move(*result) : std::vector<Returned>{};
    }
    bool isEmpty(const std::string& name) const {
        const fs::path path = libraryPath(folder_ + "/" + name);
        return !fs::exists(path) || fs::is_empty(path);
    }
    tests::TempFolder temp_;
    const std::string folder_ = temp_ / "a b/\u00e9 $(x) 'y'";
    std::unique_ptr<AdapterRig> rig_;
};

TEST_F(ChildImport, WhatTheProgramTakesIsDone) {
    use("take");
    EXPECT_TRUE(attend().empty());
    for (const char* name : {"Submit", "Import", "Bad"}) EXPECT_TRUE(isEmpty(name)) << name;
}

TEST_F(ChildImport, WhatItGivesBackIsReported) {
    use("refuse");
    const auto answers = attend();
    ASSERT_EQ(answers.size(), 1u);
    EXPECT_EQ(answers[0].item, ItemId{1});
    EXPECT_FALSE(answers[0].doubt);
    for (const Returned& each : answers) EXPECT_TRUE(rig_->adapter().settle(each.token).ok());
    EXPECT_TRUE(attend().empty());
}

TEST_F(ChildImport, WhatItLeavesIsRefusedAfterItsAttempts) {
    use("leave");
    const auto answers = attend();
    ASSERT_EQ(answers.size(), 1u);
    EXPECT_EQ(answers[0].item, ItemId{1});
}

}  // namespace
}  // namespace postern::adapters
