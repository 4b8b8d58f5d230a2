#include "base/child_process.h"

#include <csignal>
#include <fcntl.h>
#include <fstream>
#include <sstream>
#include <thread>

#include <gtest/gtest.h>

#include "base/text.h"
#include "tests/temp_folder.h"

namespace postern {

using How = ProcessEnd::How;
using tests::TempFolder;

// Tests may use a shell as the program that is run; we never do.
ProcessPlan shell(const std::string& script) {
    ProcessPlan plan;
    plan.arguments = {"/bin/sh", "-c", script};
    plan.environment = {"PATH=/usr/bin:/bin"};
    return plan;
}

ProcessEnd run(const ProcessPlan& plan, Millis limit = Millis(30'000)) {
    return runProgram(plan, limit, nullptr);
}

bool alive(int id) {
    return ::kill(id, 0) == 0;
}

TEST(ChildProcess, EndsWithItsCode) {
    for (const int code : {0, 1, 75, 127, 255}) {
        const ProcessEnd end = run(shell("exit " + std::to_string(code)));
        EXPECT_TRUE(end.exitedWith(code)) << end.text();
    }
    EXPECT_EQ(run(shell("exit 75")).text(), "ended with exit code 75");
}

TEST(ChildProcess, ASignalIsNoCode) {
    const ProcessEnd end = run(shell("kill -SEGV $$"));
    EXPECT_EQ(end.how, How::Signalled);
    EXPECT_EQ(end.code, SIGSEGV);
    EXPECT_EQ(end.text(), "was ended by signal 11 (Segmentation fault)");
}

TEST(ChildProcess, WhatCanNotBeStartedNeverRan) {
    TempFolder temp;
    std::ofstream(temp / "text") << "no program";
    struct Case {
        std::string program, folder;
        Errc wanted;
    };
    const Case cases[] = {
        {temp / "missing", "/", Errc::NotFound},  {temp / "text", "/", Errc::Denied},
        {"relative", "/", Errc::Invalid},         {"/bin/true", temp / "missing", Errc::NotFound},
        {"/bin/true", "relative", Errc::Invalid},
    };
    for (const Case& each : cases) {
        ProcessPlan plan;
        plan.arguments = {each.program};
        plan.folder = each.folder;
        const ProcessEnd end = run(plan);
        EXPECT_EQ(end.how, How::NotStarted) << each.program;
        EXPECT_EQ(end.trouble.code, each.wanted) << each.program << ": " << end.text();
    }
    ProcessPlan nul = shell("exit 0");
    nul.arguments.push_back(std::string("a\0b", 3));
    EXPECT_EQ(run(nul).trouble.code, Errc::Invalid);
}

TEST(ChildProcess, ArgumentsArriveAsTheyAreAndNoShellReadsThem) {
    ProcessPlan plan;
    plan.arguments = {"/usr/bin/printf", "[%s]", "a b", "$(reboot)", "`x`;|&<>", "", "*", "\n\xff"};
    EXPECT_EQ(run(plan).output, "[a b][$(reboot)][`x`;|&<>][][*][\n\xff]");
}

TEST(ChildProcess, TheEnvironmentIsTheGivenOne) {
    ::setenv("POSTERN_TEST_SECRET", "x", 1);
    ProcessPlan plan;
    plan.arguments = {"/usr/bin/env"};
    plan.environment = {"ONE=1", "TWO=a=b"};
    EXPECT_EQ(run(plan).output, "ONE=1\nTWO=a=b\n");
    plan.environment.clear();
    EXPECT_EQ(run(plan).output, "");
    ::unsetenv("POSTERN_TEST_SECRET");
}

// Handles that somebody opened without saying that children must not get them.
TEST(ChildProcess, NothingIsInherited) {
    const int careless = ::open("/etc/passwd", O_RDONLY);
    ASSERT_GE(careless, 3);
    const int far = ::fcntl(careless, F_DUPFD, 200);
    ProcessPlan plan;
    plan.arguments = {"/bin/ls", "/proc/self/fd"};
    const ProcessEnd end = run(plan);
    ::close(careless);
    ::close(far);
    EXPECT_EQ(end.output, "0\n1\n2\n3\n") << "3 is the folder that ls reads";
}

TEST(ChildProcess, HandedHandlesComeInTheirOrder) {
    TempFolder temp;
    std::vector<File> files;
    ProcessPlan plan = shell("cat <&4; cat <&3; cat; ls /proc/self/fd | wc -w");
    for (const char* name : {"one ", "two ", "three "}) {
        std::ofstream(temp / name) << name;
        files.push_back(File::openRead(temp / name).value());
    }
    plan.handed = {files[0].handle(), files[1].handle()};
    plan.input = files[2].handle();
    // 0, 1, 2, the two, and the folder that ls reads
    EXPECT_EQ(run(plan).output, "two one three 6\n");
}

TEST(ChildProcess, RunsInItsFolderWithNothingToRead) {
    TempFolder temp;
    ProcessPlan plan = shell("pwd -P; cat; echo end");
    plan.folder = temp.path();
    EXPECT_EQ(run(plan).output, temp.path() + "\nend\n");
}

TEST(ChildProcess, OutputIsKeptUpToItsLimit) {
    ProcessPlan plan = shell("echo first; echo second >&2; yes | head -c 3000000");
    plan.mostOutput = 20;
    ProcessEnd end = run(plan);
    EXPECT_EQ(end.output, "first\nsecond\ny\ny\ny\ny");
    EXPECT_TRUE(end.outputCut);
    EXPECT_TRUE(end.exitedWith(0)) << end.text();
    plan.mostOutput = 0;
    end = run(plan);
    EXPECT_EQ(end.output, "");
    EXPECT_TRUE(end.exitedWith(0)) << end.text();
}

TEST(ChildProcess, SignalsAreAsUsualInIt) {
    ::signal(SIGPIPE, SIG_IGN);
    sigset_t term, before;
    sigemptyset(&term);
    sigaddset(&term, SIGTERM);
    ::pthread_sigmask(SIG_BLOCK, &term, &before);
    const ProcessEnd end = run(shell("grep -E '^Sig(Blk|Ign)' /proc/self/status"));
    ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
    std::istringstream lines(end.output);
    std::string name;
    unsigned long long set = 0;
    int seen = 0;
    // From 32 on they are the C library's own.
    for (; lines >> name >> std::hex >> set; ++seen) EXPECT_EQ(set & 0x7fffffff, 0u) << end.output;
    EXPECT_EQ(seen, 2) << end.output;
}

TEST(ChildProcess, TimeOverEndsTheWholeGroup) {
    ProcessPlan plan =
        shell("trap '' TERM; sh -c 'trap \"\" TERM; while :; do sleep 100; done' & echo $! $$; wait");
    plan.grace = Millis(100);
    const ProcessEnd end = run(plan, Millis(300));
    EXPECT_EQ(end.how, How::TimedOut);
    std::istringstream ids(end.output);
    int inner = 0, outer = 0;
    ids >> inner >> outer;
    ASSERT_GT(inner, 0) << end.output;
    EXPECT_FALSE(alive(outer));
    // Its end is in nobody's hands but the system's; it was told before stop() returned.
    std::string state;
    std::ifstream("/proc/" + std::to_string(inner) + "/stat") >> state;
    for (int look = 0; alive(inner) && look < 5000; ++look) run(shell("exit 0"));
    EXPECT_FALSE(alive(inner)) << state;
    EXPECT_NE(end.text().find("did not end within"), std::string::npos) << end.text();
}

TEST(ChildProcess, CancelledIsAskedAndObeyed) {
    int asked = 0;
    const ProcessEnd end = runProgram(shell("exec sleep 1000"), Millis(0), [&] { return ++asked == 3; });
    EXPECT_EQ(end.how, How::Cancelled);
    EXPECT_EQ(asked, 3);
}

// A daemon that its program leaves behind holds the output open for ever.
TEST(ChildProcess, LeftOversAreNotWaitedFor) {
    const ProcessEnd end = run(shell("sleep 1000 & echo $!"));
    EXPECT_TRUE(end.exitedWith(0)) << end.text();
    EXPECT_LT(end.took, Millis(20'000));
    const auto left = parseInt(trim(end.output));
    ASSERT_TRUE(left);
    EXPECT_TRUE(alive(static_cast<int>(*left))) << "it ended by itself, and nobody ended what it left";
    ::kill(static_cast<int>(*left), SIGKILL);
}

// Nobody asked how it ended, and yet the system must not keep its number for ever.
TEST(ChildProcess, OneThatGoesOnAloneLeavesNothing) {
    int ends[2];
    ASSERT_EQ(::pipe2(ends, O_CLOEXEC), 0);
    pid_t id = -1;
    {
        ProcessPlan plan;
        plan.arguments = {"/bin/cat"};
        plan.input = ends[0];
        const auto child = ChildProcess::start(plan);
        ASSERT_TRUE(child.ok()) << child.error().text;
        id = child->id();
    }
    ::close(ends[0]);
    EXPECT_EQ(::kill(id, 0), 0) << "it goes on";
    ::close(ends[1]);
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    while (::kill(id, 0) == 0 && std::chrono::steady_clock::now() < end) std::this_thread::yield();
    EXPECT_EQ(::kill(id, 0), -1) << "it is still there, ended or not";
    EXPECT_EQ(errno, ESRCH);
}

TEST(ChildProcess, SaysHowMuchOfItsInputWasNotRead) {
    TempFolder temp;
    std::ofstream(temp / "text") << "0123456789";
    for (const auto& [script, left] :
         {std::pair{"cat >/dev/null", 0}, {"exit 0", 10}, {"dd bs=4 count=1", 6}}) {
        const File text = File::openRead(temp / "text").value();
        ProcessPlan plan = shell(script);
        plan.input = text.handle();
        EXPECT_EQ(run(plan).inputLeft, left) << script;
    }
    EXPECT_EQ(run(shell("exit 0")).inputLeft, 0);
}

TEST(ChildProcess, TellsWhatCanRun) {
    TempFolder temp;
    std::ofstream(temp / "text") << "no program";
    EXPECT_TRUE(canRun("/bin/sh").ok());
    EXPECT_EQ(canRun(temp / "missing").error().code, Errc::NotFound);
    EXPECT_EQ(canRun(temp / "text").error().code, Errc::Denied);
    EXPECT_EQ(canRun(temp.path()).error().code, Errc::Denied);
    EXPECT_TRUE(canRun(joinPath(ownProgramFolder(), "base_tests")).ok());
}

TEST(ChildProcess, HasASessionOfItsOwn) {
    const ProcessEnd end = run(shell("ps -o pid=,pgid=,sid= -p $$"));
    std::istringstream ids(end.output);
    int id = 0, group = 0, session = 0;
    ids >> id >> group >> session;
    ASSERT_GT(id, 0) << end.output;
    EXPECT_EQ(group, id);
    EXPECT_EQ(session, id);
}

TEST(ChildProcess, WaitsNoLongerThanTold) {
    auto child = ChildProcess::start(shell("exec sleep 1000"));
    ASSERT_TRUE(child.ok()) << child.error().text;
    EXPECT_FALSE(child->wait(Millis(0)));
    EXPECT_FALSE(child->wait(Millis(20)));
    const ProcessEnd end = child->stop(How::Cancelled);
    EXPECT_EQ(end.how, How::Cancelled);
    EXPECT_EQ(child->wait(Millis(0))->how, How::Cancelled);
}

}  // namespace postern
