// base/child_process.h with a program of the tests' own: what holds on every system.
// (child_process_test.cpp: what only POSIX has.)

#include <cstdlib>
#include <fstream>

#include <gtest/gtest.h>

#include "base/child_process.h"
#include "base/quiet_lock.h"
#include "base/text.h"
#include "tests/kit/platform.h"
#include "tests/kit/wait.h"
#include "tests/temp_folder.h"
#ifndef _WIN32
#include <csignal>
#endif

namespace postern {
namespace {

using How = ProcessEnd::How;
using tests::TempFolder;

std::string childPath() {
    return joinPath(ownProgramFolder(), "test_child");
}

ProcessPlan child(std::vector<std::string> words) {
    ProcessPlan plan;
    plan.arguments = std::move(words);
    plan.arguments.insert(plan.arguments.begin(), childPath());
    return plan;
}

ProcessEnd run(const ProcessPlan& plan, Millis limit = Millis(60'000)) {
    return runProgram(plan, limit, nullptr);
}

bool alive(int id) {
#ifdef _WIN32
    const HANDLE process = ::OpenProcess(SYNCHRONIZE, FALSE, static_cast<DWORD>(id));
    const bool lives = process != nullptr && ::WaitForSingleObject(process, 0) == WAIT_TIMEOUT;
    if (process != nullptr) ::CloseHandle(process);
    return lives;
#else
    return ::kill(id, 0) == 0;
#endif
}

void end(int id) {
#ifdef _WIN32
    const HANDLE process = ::OpenProcess(PROCESS_TERMINATE, FALSE, static_cast<DWORD>(id));
    if (process != nullptr) ::TerminateProcess(process, 1);
    if (process != nullptr) ::CloseHandle(process);
#else
    ::kill(id, SIGKILL);
#endif
}

TEST(ChildProgram, EndsWithItsCode) {
    for (const int code : {0, 1, 75, 127, 255}) {
        const ProcessEnd ended = run(child({"exit", std::to_string(code)}));
        EXPECT_TRUE(ended.exitedWith(code)) << ended.text();
    }
    EXPECT_EQ(run(child({"exit", "75"})).text(), "ended with exit code 75");
}

TEST(ChildProgram, ACrashIsNoCode) {
    const ProcessEnd ended = run(child({"crash"}));
    EXPECT_EQ(ended.how, How::Signalled) << ended.text();
    EXPECT_EQ(ended.text(), tests::kOnWindows ? "was ended by exception 0xC0000005 (access violation)"
                                              : "was ended by signal 11 (Segmentation fault)");
}

TEST(ChildProgram, ArgumentsArriveAsTheyAre) {
    const std::vector<std::string> words = {"arguments",
                                            "a b",
                                            "",
                                            "*",
                                            "?.*",
                                            "\"",
                                            "\\",
                                            "\\\\\"x\\\\",
                                            "end\\",
                                            "two words\\",
                                            "say \"hi\"",
                                            "%PATH%",
                                            "^&|<>()",
                                            "\t\n",
                                            "'x'",
                                            "caf\xC3\xA9",
                                            "\\\\?\\C:",
                                            "a\\\"b c",
                                            "\xF0\x9F\x93\xAB",
                                            "--x=\"y z\"",
                                            "$(reboot)`x`",
                                            "!x!"};
    std::string wanted;
    for (std::size_t i = 1; i < words.size(); ++i) wanted += "[" + words[i] + "]";
    const ProcessEnd ended = run(child(words));
    EXPECT_EQ(ended.output, wanted) << ended.text();
}

TEST(ChildProgram, TheEnvironmentIsTheGivenOne) {
    ProcessPlan plan = child({"environment"});
    plan.environment = {"TWO=a=b", "ONE=1"};
    const std::string output = run(plan).output;
    if (!tests::kOnWindows) {
        EXPECT_EQ(output, "TWO=a=b\nONE=1\n");
        return;
    }
    EXPECT_EQ(output.find("PATH="), std::string::npos) << output;
    EXPECT_LT(output.find("ONE=1\n"), output.find("TWO=a=b\n")) << "sorted: " << output;
    EXPECT_NE(lowerAscii(output).find("systemroot="), std::string::npos) << output;
}

TEST(ChildProgram, HandedHandlesComeInTheirOrder) {
    TempFolder temp;
    std::vector<File> files;
    ProcessPlan plan = child({"handed"});
    for (const char* name : {"one ", "two "}) {
        std::ofstream(temp / std::string(trim(name))) << name;
        files.push_back(File::openRead(temp / std::string(trim(name))).value());
        plan.handed.push_back(files.back().handle());
    }
    const ProcessEnd ended = run(plan);
    EXPECT_EQ(ended.output, "two one ");
    EXPECT_TRUE(ended.exitedWith(0)) << ended.text();
}

TEST(ChildProgram, ReadsItsInputOrNothing) {
    TempFolder temp;
    std::ofstream(temp / "text", std::ios::binary) << "0123456789\n\x1a\r\nend";
    EXPECT_EQ(run(child({"copy"})).output, "");
    const File text = File::openRead(temp / "text").value();
    ProcessPlan plan = child({"copy"});
    plan.input = text.handle();
    const ProcessEnd ended = run(plan);
    EXPECT_EQ(ended.output, "0123456789\n\x1a\r\nend");
    EXPECT_EQ(ended.inputLeft, 0);
    const File again = File::openRead(temp / "text").value();
    plan = child({"exit", "0"});
    plan.input = again.handle();
    EXPECT_EQ(run(plan).inputLeft, 17);
}

TEST(ChildProgram, ReadsATextWhoseLockSomebodyHas) {
    TempFolder temp;
    std::ofstream(temp / "text", std::ios::binary) << "the text";
    const Folder folder = Folder::open(temp.path()).value();
    File lock = folder.openShared("text", false).value();
    ASSERT_TRUE(tryQuietLock(lock).value());
    File other = folder.openShared("text", false).value();
    EXPECT_FALSE(tryQuietLock(other).value());
    const File text = folder.openRead("text").value();
    ProcessPlan plan = child({"copy"});
    plan.input = text.handle();
    EXPECT_EQ(run(plan).output, "the text");
}

TEST(ChildProgram, RunsInItsFolder) {
    TempFolder temp;
    ProcessPlan plan = child({"folder"});
    plan.folder = temp.path();
    EXPECT_EQ(lowerAscii(run(plan).output),
              lowerAscii(std::filesystem::canonical(temp.path()).generic_string()));
    plan.folder = temp / "none";
    EXPECT_EQ(run(plan).trouble.code, Errc::NotFound);
}

TEST(ChildProgram, OutputIsKeptUpToItsLimit) {
    ProcessPlan plan = child({"flood", "3000000"});
    plan.mostOutput = 17;
    ProcessEnd ended = run(plan);
    EXPECT_EQ(ended.output, "first\nsecond\nyyyy");
    EXPECT_TRUE(ended.outputCut);
    EXPECT_TRUE(ended.exitedWith(0)) << ended.text();
    plan.mostOutput = 0;
    ended = run(plan);
    EXPECT_EQ(ended.output, "");
    EXPECT_TRUE(ended.exitedWith(0)) << ended.text();
}

TEST(ChildProgram, TimeOverEndsAllThatItStarted) {
    ProcessPlan plan = child({"another", "wait"});
    plan.grace = Millis(0);
    const ProcessEnd ended = run(plan, Millis(3'000));
    EXPECT_EQ(ended.how, How::TimedOut) << ended.text();
    const auto inner = parseInt(trim(ended.output));
    ASSERT_TRUE(inner) << ended.output;
    if (tests::kOnWindows) {  // elsewhere one with a session of its own goes on
        EXPECT_TRUE(tests::waitFor([&] { return !alive(static_cast<int>(*inner)); }));
    } else {
        end(static_cast<int>(*inner));
    }
}

TEST(ChildProgram, LeftOversAreNotWaitedForNorEnded) {
    const ProcessEnd ended = run(child({"another"}));
    EXPECT_TRUE(ended.exitedWith(0)) << ended.text();
    const auto left = parseInt(trim(ended.output));
    ASSERT_TRUE(left) << ended.output;
    EXPECT_TRUE(alive(static_cast<int>(*left)));
    end(static_cast<int>(*left));
}

TEST(ChildProgram, GoesOnAloneOrEndsWithUs) {
    int id = 0;
    {
        const auto started = ChildProcess::start(child({"wait"}));
        ASSERT_TRUE(started.ok()) << started.error().text;
        id = started->id();
    }
    EXPECT_TRUE(alive(id));
    end(id);
    EXPECT_TRUE(tests::waitFor([&] { return !alive(id); }));
}

TEST(ChildProgram, CancelledIsAskedAndObeyed) {
    int asked = 0;
    ProcessPlan plan = child({"wait"});
    plan.grace = Millis(0);
    const ProcessEnd ended = runProgram(plan, Millis(0), [&] { return ++asked == 3; });
    EXPECT_EQ(ended.how, How::Cancelled);
    EXPECT_EQ(asked, 3);
}

TEST(ChildProgram, WhatCanNotBeStartedNeverRan) {
    TempFolder temp;
    std::ofstream(temp / "text") << "no program";
    EXPECT_TRUE(canRun(childPath()).ok());
    EXPECT_EQ(canRun(temp / "missing").error().code, Errc::NotFound);
    EXPECT_EQ(canRun(temp / "text").error().code, Errc::Denied);
    EXPECT_EQ(canRun(temp.path()).error().code, Errc::Denied);
    for (const auto& [program, code] : {std::pair{temp / "missing", Errc::NotFound},
                                        {temp / "text", Errc::Denied},
                                        {std::string("relative"), Errc::Invalid}}) {
        ProcessPlan plan;
        plan.arguments = {program};
        const ProcessEnd ended = run(plan);
        EXPECT_EQ(ended.how, How::NotStarted) << program;
        EXPECT_EQ(ended.trouble.code, code) << program << ": " << ended.text();
    }
}

#ifdef _WIN32
// CVE-2024-24576: what cmd.exe makes of arguments is not what was written.
TEST(ChildProgram, ABatchFileIsRefused) {
    TempFolder temp;
    for (const char* name : {"x.bat", "x.CMD"}) {
        std::ofstream(temp / name) << "@echo off\r\n";
        ProcessPlan plan;
        plan.arguments = {temp / name};
        const ProcessEnd ended = run(plan);
        EXPECT_EQ(ended.trouble.code, Errc::Invalid) << ended.text();
        EXPECT_NE(ended.trouble.text.find("batch file"), std::string::npos) << ended.text();
        EXPECT_EQ(canRun(temp / name).error().code, Errc::Invalid);
    }
}

TEST(ChildProgram, WhatWindowsCanNotBeToldIsRefused) {
    EXPECT_EQ(run(child({"arguments", "\xff"})).trouble.code, Errc::Invalid);
    EXPECT_EQ(run(child({"arguments", std::string(40'000, 'x')})).trouble.code, Errc::Invalid);
}
#endif

}  // namespace
}  // namespace postern
