#include "adapters/command/runner.h"

#include <gtest/gtest.h>

#include "base/file.h"
#include "base/quiet_lock.h"
#include "tests/command_rig.h"
#include "tests/kit/odd_files.h"

namespace postern::adapters {

using tests::CommandRig;
using tests::outcomeText;
using tests::slurp;
using tests::spill;

TEST(RunnerOrder, ComesBackAsItWas) {
    const RunOrder order{
        "/a/stage", "/a/run", "12.3", Millis(600'000), true, "/srv", {"/bin/x", "-f", "", "a b"}};
    const auto back = parseOrder(orderArguments(order));
    ASSERT_TRUE(back);
    EXPECT_EQ(back->stage, order.stage);
    EXPECT_EQ(back->run, order.run);
    EXPECT_EQ(back->key, order.key);
    EXPECT_EQ(back->limit, order.limit);
    EXPECT_TRUE(back->sharesLock);
    EXPECT_EQ(back->folder, order.folder);
    EXPECT_EQ(back->command, order.command);
    auto arguments = orderArguments(order);
    for (const std::size_t broken : {0u, 4u, 5u, 7u}) {
        auto other = arguments;
        other[broken] = "nonsense";
        EXPECT_FALSE(parseOrder(other)) << broken;
    }
    EXPECT_FALSE(parseOrder({}));
    EXPECT_FALSE(parseOrder({"--help"}));
}

TEST(RunnerResult, ComesBackAsItWasAndIsNotBelievedWhenDamaged) {
    ProcessEnd end;
    end.how = ProcessEnd::How::Exited;
    end.code = 75;
    end.took = Millis(1234);
    end.inputLeft = 17;
    end.outputCut = true;
    end.output = std::string("first\nend\n\0\xff", 12);
    const std::string text = formatResult(end);
    const auto back = parseResult(text);
    ASSERT_TRUE(back);
    EXPECT_TRUE(back->exitedWith(75));
    EXPECT_EQ(back->took, end.took);
    EXPECT_EQ(back->inputLeft, 17);
    EXPECT_TRUE(back->outputCut);
    EXPECT_EQ(back->output, end.output);
    for (std::size_t cut = 0; cut < text.size(); ++cut)
        EXPECT_FALSE(parseResult(std::string_view(text).substr(0, cut))) << cut;
    EXPECT_FALSE(parseResult(text + "x"));
    EXPECT_FALSE(parseResult("postern-run-1 exited -5 1 1 whole 99 0\n\n\nend\n"));
    EXPECT_TRUE(parseResult("postern-run-1 exited 5 1 1 whole 0 0\n\n\nend\n"));
    EXPECT_FALSE(parseResult("postern-run-1 exited 4294967296 1 1 whole 0 0\n\n\nend\n")) << "no code 0";
    ProcessEnd none;
    none.trouble = fail(Errc::Denied, "/x: no\npermission");
    EXPECT_EQ(parseResult(formatResult(none))->trouble.code, Errc::Denied);
    EXPECT_LE(text.size(), kMostResultBytes);
}

TEST(Runner, SaysWhatItIsToWhoeverStartsItAlone) {
    ProcessPlan plan;
    plan.arguments = {POSTERN_RUNNER, "--help"};
    const ProcessEnd end = runProgram(plan, Millis(30'000), nullptr);
    EXPECT_TRUE(end.exitedWith(kRunnerUsage)) << end.text();
    EXPECT_NE(end.output.find("started by posternd"), std::string::npos) << end.output;
}

class CommandLife : public testing::Test {
  protected:
    Job exported(const std::string& script, tests::SettingMap settings = {}) {
        rig_ = std::make_unique<CommandRig>("pipe", std::move(settings), script);
        EXPECT_TRUE(rig_->probed().ok()) << rig_->probed().error().text;
        return rig_->exportJob(rig_->job(1, 1));
    }
    Recovery recovered(const Job& job) {
        rig_->restart();
        return rig_->adapter().recover(job.delivery.key, job.evidence);
    }
    std::unique_ptr<CommandRig> rig_;
};

TEST_F(CommandLife, ItsCodeAndItsWordsBecomeTheOutcome) {
    Job job = exported("cat >/dev/null; echo '5.1.1 no bob here'; echo more; exit 1");
    EXPECT_EQ(job.outcome->verdict, Verdict::Rejected) << outcomeText(job);
    EXPECT_EQ(job.outcome->status, "5.1.1");
    EXPECT_NE(job.outcome->reason.find("no bob here"), std::string::npos) << job.outcome->reason;
    job = exported("exit 75");
    EXPECT_EQ(job.outcome->verdict, Verdict::Deferred) << outcomeText(job);
    job = exported("exit 100", {{"dialect", "qmail"}});
    EXPECT_EQ(job.outcome->verdict, Verdict::Rejected) << outcomeText(job);
}

// A durable result stands, also when somebody else than its publisher reads it: no command runs twice for a
// mail that it refused.
TEST_F(CommandLife, ARecoveryBelievesWhatTheCommandSaid) {
    struct Case {
        const char* script;
        Verdict verdict;
        const char* status;
    };
    const Case cases[] = {{"echo '5.1.1 no bob here'; exit 1", Verdict::Rejected, "5.1.1"},
                          {"exit 67", Verdict::Rejected, "5.1.1"},
                          {"exit 75", Verdict::Deferred, "4.3.0"},
                          {"exit 3", Verdict::Deferred, ""}};
    for (const Case& each : cases) {
        const Job job = exported(each.script);
        const Recovery seen = recovered(job);
        EXPECT_EQ(seen.found, Found::CannotTell) << each.script;
        ASSERT_TRUE(seen.known) << each.script << ": " << seen.text;
        EXPECT_EQ(seen.known->verdict, each.verdict) << each.script;
        EXPECT_EQ(seen.known->status, each.status) << each.script;
        EXPECT_EQ(seen.known->reason, job.outcome->reason) << each.script;
    }
}

// What can not be read now is no fault of the mail: its arguments are made of it, and nobody is told a lie.
TEST_F(CommandLife, AMessageThatCanNotBeReadNowIsNotRefused) {
    class Unreadable final : public ByteSource {
      public:
        std::int64_t size() const override { return 100; }
        Result<std::size_t> readAt(std::int64_t, char*, std::size_t) override {
            return fail(Errc::Io, "the disk gave up");
        }
    } unreadable;
    rig_ = std::make_unique<CommandRig>("pipe", tests::SettingMap{{"command", "/bin/true\n{message_id}"}});
    Job job = rig_->job(1, 1);
    job.delivery.message = &unreadable;
    rig_->stageJob(job);
    ASSERT_TRUE(job.outcome);
    EXPECT_EQ(job.outcome->verdict, Verdict::Deferred) << outcomeText(job);
    EXPECT_NE(job.outcome->reason.find("the disk gave up"), std::string::npos) << outcomeText(job);
}

// One mail of a strange kind may lead a script to a line that calls what is not there.
TEST_F(CommandLife, AScriptThatMissesSomethingForOneMailStopsNoOther) {
    const Job job = exported("cat >/dev/null; no-such-converter");
    EXPECT_EQ(job.outcome->verdict, Verdict::Deferred) << outcomeText(job);
    EXPECT_FALSE(job.outcome->adapterUnusable) << outcomeText(job);
    EXPECT_NE(job.outcome->reason.find("exit code 127"), std::string::npos) << outcomeText(job);
    std::filesystem::remove(rig_->program());
    const Job next = rig_->exportJob(rig_->job(2, 1));
    EXPECT_TRUE(next.outcome->adapterUnusable) << outcomeText(next);
    const Recovery seen = rig_->adapter().recover(next.delivery.key, next.evidence);
    EXPECT_EQ(seen.found, Found::NotPublished) << seen.text;
}

TEST_F(CommandLife, OneThatReadsNothingAndEndsWellHasTaken) {
    const Job job = exported("exit 0");
    EXPECT_EQ(job.outcome->verdict, Verdict::Exported) << outcomeText(job);
    ASSERT_EQ(job.notes.size(), 2u) << testing::PrintToString(job.notes);
    EXPECT_NE(job.notes[1].find("did not read the last"), std::string::npos) << job.notes[1];
}

TEST_F(CommandLife, OneThatIsEndedIsInDoubt) {
    Job job = exported("kill -KILL $$");
    EXPECT_EQ(job.outcome->verdict, Verdict::Unknown) << outcomeText(job);
    EXPECT_EQ(recovered(job).found, Found::CannotTell);
    job = exported("echo $$ >\"$here/id\"; exec sleep 1000", {{"time_limit", "1s"}});
    EXPECT_EQ(job.outcome->verdict, Verdict::Unknown) << outcomeText(job);
    EXPECT_NE(job.outcome->reason.find("did not end within 1 s"), std::string::npos) << job.outcome->reason;
    const Recovery seen = recovered(job);
    EXPECT_EQ(seen.found, Found::CannotTell) << seen.text;
    EXPECT_FALSE(seen.busy || seen.unusable);
}

TEST_F(CommandLife, SeesItsEnvironmentItsFolderAndNothingElse) {
    const Job job =
        exported("pwd; env | grep -v '^_=\\|^PWD=\\|^OLDPWD=\\|^SHLVL='; ls /proc/self/fd | wc -w; exit 1",
                 {{"environment", "ONE=1\nPATH=/usr/bin:/bin"}, {"working_folder", "/usr"}});
    const auto result = parseResult(slurp(rig_->folder() + "/run/1.1.result"));
    ASSERT_TRUE(result);
    EXPECT_NE(result->output.find("/usr\n"), std::string::npos) << result->output;
    EXPECT_NE(result->output.find("ONE=1\n"), std::string::npos) << result->output;
    EXPECT_EQ(std::count(result->output.begin(), result->output.end(), '\n'), 4) << result->output;
    EXPECT_TRUE(result->output.ends_with("\n4\n"))
        << "0, 1, 2 and the folder that ls reads: " << result->output;
    EXPECT_EQ(job.outcome->verdict, Verdict::Deferred);
}

TEST_F(CommandLife, AnotherOfTheSameItemIsWaitedFor) {
    rig_ = std::make_unique<CommandRig>("pipe");
    Job job = rig_->job(1, 1);
    rig_->stageJob(job);
    // As a runner does that another process started: it holds the lock, and moves the text.
    const Folder run = Folder::open(rig_->folder() + "/run").value();
    const Folder stage = Folder::open(rig_->stage()).value();
    File lock = stage.openShared("1.1", false).value();
    ASSERT_TRUE(tryQuietLock(lock).value());
    ASSERT_EQ(stage.moveNoReplace("1.1", run, "1.1.started").value(), Moved::Done);
    auto seen = rig_->adapter().recover(job.delivery.key, job.evidence);
    EXPECT_TRUE(seen.busy && seen.found == Found::CannotTell) << seen.text;
    Job next = rig_->job(1, 2);
    rig_->stageJob(next);
    rig_->publishJob(next);
    EXPECT_EQ(next.outcome->verdict, Verdict::Deferred) << outcomeText(next);
    EXPECT_EQ(next.outcome->cause, Cause::Busy);
    EXPECT_EQ(rig_->adapter().sweep([](const DeliveryKey&) { return true; }).value(), 1)
        << "the withdrawn 1.2";
    lock = File();  // it died
    seen = rig_->adapter().recover(job.delivery.key, job.evidence);
    EXPECT_TRUE(!seen.busy && seen.found == Found::CannotTell) << seen.text;
    EXPECT_TRUE(rig_->taken().empty());
}

// The system refuses a loop of links with the word that it has for arguments which are none. These are good,
// so no mail goes back for it.
TEST_F(CommandLife, ARunnerThatBecameALoopOfLinksBlamesNoMail) {
    SKIP_ON_WINDOWS("a link needs a privilege there");
    rig_ = std::make_unique<CommandRig>("pipe");
    const std::string link = rig_->temp() + "/runner";
    ASSERT_TRUE(tests::makeLink(rig_->context().runner, link));
    rig_->setRunner(link);
    rig_->restart();
    ASSERT_TRUE(rig_->probed().ok()) << rig_->probed().error().text;
    Job job = rig_->job(1, 1);
    rig_->stageJob(job);
    ASSERT_FALSE(job.outcome) << outcomeText(job);
    std::filesystem::remove(link);
    ASSERT_TRUE(tests::makeLink(link, link));
    rig_->publishJob(job);
    ASSERT_TRUE(job.outcome);
    EXPECT_NE(job.outcome->verdict, Verdict::Rejected) << outcomeText(job);
    EXPECT_TRUE(job.outcome->adapterUnusable) << outcomeText(job);
}

// A stop waits for no command: its runner goes on, and what it leaves is found.
TEST_F(CommandLife, AStopLeavesACommandToItsRunner) {
    rig_ = std::make_unique<CommandRig>(
        "pipe", tests::SettingMap{},
        "echo >\"$here/begun\"; while [ ! -e \"$here/gate\" ]; do sleep 0.01; done; " + CommandRig::kStore);
    Job job = rig_->job(1, 1), late = rig_->job(2, 1);
    rig_->stageJob(job);
    rig_->stageJob(late);
    bool hastened = false;
    rig_->adapter().publish({&job, 1}, [&] {
        if (hastened || !pathExists(rig_->temp() + "/begun")) return;
        rig_->adapter().hasten();
        hastened = true;
    });
    EXPECT_TRUE(hastened);
    EXPECT_EQ(job.outcome->verdict, Verdict::Unknown) << outcomeText(job);
    EXPECT_TRUE(rig_->adapter().recover(job.delivery.key, job.evidence).busy);
    rig_->publishJob(late);
    EXPECT_TRUE(late.outcome->adapterUnusable) << outcomeText(late);
    spill(rig_->temp() + "/gate", "");
    rig_->restart();
    Recovery seen = rig_->adapter().recover(job.delivery.key, job.evidence);
    for (int look = 0; seen.busy && look < 100'000; ++look)
        seen = rig_->adapter().recover(job.delivery.key, job.evidence);
    EXPECT_EQ(seen.found, Found::Published) << seen.text;
    EXPECT_EQ(rig_->taken().size(), 1u);
}

TEST_F(CommandLife, AResultThatIsDamagedIsADoubt) {
    Job job = exported("exit 0");
    spill(rig_->folder() + "/run/1.1.result", "postern-run-1 exited 0 ");
    const Recovery seen = recovered(job);
    EXPECT_EQ(seen.found, Found::CannotTell) << seen.text;
}

TEST_F(CommandLife, TheTextIsAsItsSettingsSay) {
    struct Case {
        const char* key;
        const char* value;
        const char* wanted;
    };
    const Case cases[] = {
        {"envelope", "none", "From: Alice Example <alice@example.org>\n"},
        {"envelope", "from-line", "From alice@example.org Tue Nov 14 22:13:20 2023\nFrom: Alice"},
        {"envelope", "header", "Return-Path: <alice@example.org>\nDelivered-To: bob@legacy.example\nFrom:"},
        {"envelope", "bsmtp",
         "HELO mx.example\nMAIL FROM:<alice@example.org>\nRCPT TO:<bob@corp.example>\nDATA\n"},
        {"line_ends", "crlf", "From: Alice Example <alice@example.org>\r\nTo: "},
    };
    for (const Case& each : cases) {
        const Job job = exported(CommandRig::kStore, {{each.key, each.value}});
        EXPECT_TRUE(rig_->only().starts_with(each.wanted)) << outcomeText(job) << rig_->only();
        EXPECT_NE(rig_->only().find("Message-ID: <i1.abcdefgh12345678@mx.example>"), std::string::npos);
    }
}

}  // namespace postern::adapters
