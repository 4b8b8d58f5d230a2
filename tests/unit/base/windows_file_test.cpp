// Files as Windows has them: programs that keep one for themselves, locks, and what is read-only.

#include <atomic>
#include <cstdlib>
#include <semaphore>
#include <thread>

#include <gtest/gtest.h>

#include "base/file.h"
#include "base/windows/named.h"
#include "base/windows/patience.h"
#include "tests/kit/platform.h"
#include "tests/temp_folder.h"

namespace postern {
namespace {

using windows::OwnHandle;

OwnHandle keepForOneself(const std::string& path, DWORD share = 0) {
    return OwnHandle(::CreateFileW(windows::systemPath(path).c_str(), GENERIC_READ, share, nullptr,
                                   OPEN_EXISTING, FILE_ATTRIBUTE_NORMAL, nullptr));
}

class InUse : public testing::Test {
  protected:
    InUse() {
        EXPECT_TRUE(replaceFile(temp / "mail", "text").ok());
        EXPECT_TRUE(replaceFile(temp / "old", "old").ok());
    }
    // Lets the file go when somebody has been waiting for it.
    std::jthread letGoSoon(OwnHandle held) {
        return std::jthread([held = std::move(held)] { ::Sleep(20); });
    }
    const tests::TempFolder temp;
    const Folder folder = std::move(Folder::open(temp.path())).value();
};

TEST_F(InUse, ByAnotherProgramForAMomentIsWaitedFor) {
    const std::vector<std::function<bool()>> calls{
        [&] { return folder.openRead("mail").ok(); },
        [&] { return File::openRead(temp / "mail").ok(); },
        [&] { return File::openAppend(temp / "mail").ok(); },
        [&] { return folder.openShared("mail").ok(); },
        [&] {
            return folder.moveNoReplace("mail", folder, "moved").valueOr(Moved::TargetExists) == Moved::Done;
        },
        [&] { return folder.moveReplacing("moved", folder, "mail").ok(); },
        [&] { return folder.remove("mail").ok(); },
    };
    int number = 0;
    for (const auto& call : calls) {
        OwnHandle held = keepForOneself(number == 5 ? temp / "moved" : temp / "mail");
        ASSERT_TRUE(held.valid()) << number;
        const std::jthread holder = letGoSoon(std::move(held));
        EXPECT_TRUE(call()) << "call " << number;
        ++number;
    }
}

TEST_F(InUse, ForTooLongIsAnErrorThatSaysWhatToDo) {
    const auto before = windows::setPatience(std::chrono::milliseconds(5));
    const OwnHandle held = keepForOneself(temp / "mail");
    ASSERT_TRUE(held.valid());
    for (const Error& error :
         {folder.openRead("mail").error(), folder.remove("mail").error(),
          folder.moveNoReplace("mail", folder, "moved").error(), File::openRead(temp / "mail").error()}) {
        EXPECT_EQ(error.code, Errc::Busy) << error.text;
        EXPECT_NE(error.text.find("virus scanner"), std::string::npos) << error.text;
        EXPECT_NE(error.text.find("mail"), std::string::npos) << error.text;
    }
    windows::setPatience(before);
    EXPECT_TRUE(*folder.has("mail")) << "to look at it nobody has to be asked";
    EXPECT_EQ(folder.facts("mail")->size, 4);
}

TEST_F(InUse, ByAReaderWhoSharesItIsNoHindrance) {
    const OwnHandle held = keepForOneself(temp / "mail", windows::kShareAll);
    ASSERT_TRUE(held.valid());
    EXPECT_EQ(*folder.moveNoReplace("mail", folder, "moved"), Moved::Done);
    EXPECT_TRUE(folder.remove("moved").ok());
}

TEST(WindowsFile, MarkedReadOnlyIsRenamedAndRemoved) {
    const tests::TempFolder temp;
    const auto folder = Folder::open(temp.path());
    for (const char* name : {"a", "b"}) {
        ASSERT_TRUE(replaceFile(temp / name, "text").ok());
        ASSERT_NE(::SetFileAttributesW(windows::systemPath(temp / name).c_str(), FILE_ATTRIBUTE_READONLY), 0);
    }
    EXPECT_EQ(*folder->moveNoReplace("a", *folder, "c"), Moved::Done);
    EXPECT_TRUE(folder->syncVolume().ok()) << "it can not be synced, and is left out";
    EXPECT_TRUE(folder->remove("c").ok());
    EXPECT_TRUE(folder->remove("b").ok());
    EXPECT_FALSE(*folder->has("c"));
}

TEST(WindowsFile, ManyAppendersLoseNothing) {
    SKIP_UNDER_WINE("it looks for the end of a file first and writes then");
    constexpr int kWriters = 8, kLines = 50;
    const tests::TempFolder temp;
    {
        std::vector<std::jthread> writers;
        for (int i = 0; i < kWriters; ++i)
            writers.emplace_back([&] {
                auto file = File::openAppend(temp / "log");
                for (int line = 0; line < kLines; ++line) EXPECT_TRUE(file->write("0123456789\n").ok());
            });
    }
    EXPECT_EQ(readFile(temp / "log", 1 << 20)->size(), kWriters * kLines * 11u);
}

TEST(WindowsFile, ALinkIsAnotherNameForTheSameFile) {
    const tests::TempFolder temp;
    const auto folder = Folder::open(temp.path());
    ASSERT_TRUE(replaceFile(temp / "one", "text").ok());
    ASSERT_NE(::CreateHardLinkW(windows::systemPath(temp / "two").c_str(),
                                windows::systemPath(temp / "one").c_str(), nullptr),
              0);
    const auto one = folder->facts("one"), two = folder->facts("two");
    EXPECT_EQ(*one, *two);
    EXPECT_EQ(one->links, 2u);
    EXPECT_TRUE(one->regular);
    EXPECT_EQ(*folder->moveNoReplace("one", *folder, "three"), Moved::Done);
    EXPECT_EQ(folder->facts("three")->number, one->number) << "a rename keeps the number";
}

TEST(WindowsFile, TimesAreNanosecondsSince1970) {
    EXPECT_EQ(windows::nanosOf(116'444'736'000'000'000), 0);
    EXPECT_EQ(windows::nanosOf(116'444'736'000'000'001), 100);
    EXPECT_LT(windows::nanosOf(0), -9'000'000'000'000'000'000);
    EXPECT_GT(windows::nanosOf(INT64_MAX), 9'000'000'000'000'000'000);
}

TEST(WindowsLock, OfAFileKeepsOthersOut) {
    const tests::TempFolder temp;
    auto ours = File::openAppend(temp / "box");
    auto theirs = File::openAppend(temp / "box");
    EXPECT_TRUE(*ours->tryLock());
    EXPECT_FALSE(*theirs->tryLock());
    EXPECT_TRUE(ours->write("who locks it writes").ok());
    ASSERT_TRUE(ours->close().ok());
    EXPECT_TRUE(*theirs->tryLock());
}

// This program, started again: takes the lock that the variable names, says so, and waits to be killed.
constexpr char kHolds[] = "POSTERN_TEST_HOLDS";

TEST(WindowsLock, HeldByAChild) {
    const char* path = std::getenv(kHolds);
    if (path == nullptr) GTEST_SKIP() << "the child of the next test";
    const auto lock = FileLock::acquire(path);
    ASSERT_TRUE(lock.ok()) << lock.error().text;
    ASSERT_TRUE(replaceFile(std::string(path) + ".held", "x").ok());
    ::Sleep(INFINITE);
}

TEST(WindowsLock, HoldsBetweenProcessesAndACrashReleasesIt) {
    const tests::TempFolder temp;
    const std::string path = temp / "lock";
    wchar_t program[MAX_PATH];
    ASSERT_NE(::GetModuleFileNameW(nullptr, program, MAX_PATH), 0u);
    ASSERT_EQ(::SetEnvironmentVariableW(L"POSTERN_TEST_HOLDS", windows::wide(path).c_str()), TRUE);
    std::wstring command = L"test --gtest_filter=WindowsLock.HeldByAChild";
    STARTUPINFOW start{};
    start.cb = sizeof start;
    PROCESS_INFORMATION child{};
    const BOOL started = ::CreateProcessW(program, command.data(), nullptr, nullptr, FALSE, 0, nullptr,
                                          nullptr, &start, &child);
    ::SetEnvironmentVariableW(L"POSTERN_TEST_HOLDS", nullptr);
    ASSERT_TRUE(started);
    const OwnHandle process(child.hProcess), thread(child.hThread);
    while (!pathExists(path + ".held") && ::WaitForSingleObject(process.get(), 5) == WAIT_TIMEOUT) {
    }
    const auto refused = FileLock::acquire(path);
    ASSERT_FALSE(refused.ok());
    EXPECT_EQ(refused.error().code, Errc::Busy);
    const std::string number = "process " + std::to_string(child.dwProcessId) + " (";
    EXPECT_NE(refused.error().text.find(number), std::string::npos) << refused.error().text;
    ::TerminateProcess(process.get(), 1);
    ::WaitForSingleObject(process.get(), INFINITE);
    EXPECT_TRUE(FileLock::acquire(path).ok());
}

}  // namespace
}  // namespace postern
