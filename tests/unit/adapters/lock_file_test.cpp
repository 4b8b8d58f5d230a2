// The lock files that mailboxes and FidoNet links share with their readers.

#include "adapters/spool/lock_file.h"

#include <atomic>
#include <filesystem>
#include <memory>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "base/peer.h"
#include "tests/temp_folder.h"

namespace postern::adapters {
namespace {

const LockFilePlan kPlan = {"postern store out", Millis(0), "the reader has it"};
constexpr char kName[] = "inbox.lock";

Folder open(const tests::TempFolder& folder) {
    auto opened = Folder::open(folder.path());
    EXPECT_TRUE(opened.ok());
    return std::move(opened).value();
}

std::unique_ptr<LockFile> take(const Folder& folder) {
    auto taken = LockFile::take(folder, kName, kPlan);
    EXPECT_TRUE(taken.ok()) << (taken.ok() ? "" : taken.error().text);
    return taken.ok() ? std::move(taken).value() : nullptr;
}

TEST(LockFile, OneThatACrashLeftIsTakenOverInItsPlace) {
    const tests::TempFolder place;
    const Folder folder = open(place);
    ASSERT_TRUE(replaceFile(place / kName, kPlan.signature + " 123456789012\n").ok());
    const auto before = folder.facts(kName);
    ASSERT_TRUE(before.ok());
    {
        const auto lock = take(folder);
        ASSERT_TRUE(lock);
        EXPECT_TRUE(lock->tookOver());
        const auto after = folder.facts(kName);
        ASSERT_TRUE(after.ok());
        EXPECT_EQ(after->number, before->number) << "it was away for a moment";
        EXPECT_EQ(*readFile(place / kName, 1000), kPlan.signature + " " + std::to_string(processId()) + "\n");
    }
    EXPECT_FALSE(std::filesystem::exists(place / kName));
}

TEST(LockFile, NoReaderGetsInBetweenWhereOneIsTakenOverWithThreads) {
    const tests::TempFolder place;
    const Folder folder = open(place);
    std::vector<std::unique_ptr<LockFile>> held;
    held.push_back(take(folder));
    std::atomic<bool> ended{false};
    std::atomic<int> tries{0}, times{0};
    std::jthread reader([&] {
        const Folder its = open(place);
        while (!ended) {
            ++tries;
            if (its.create(kName).ok()) ++times;
        }
    });
    while (tries == 0) std::this_thread::yield();
    for (int i = 0; i < 300 && times == 0; ++i) {
        held.push_back(take(folder));  // as after a crash: the one before has our name in it
        if (!held.back()) break;       // which take() has told
    }
    ended = true;
    reader.join();
    EXPECT_EQ(times, 0);
}

TEST(LockFile, OneOfOthersIsNotTaken) {
    const tests::TempFolder place;
    const Folder folder = open(place);
    ASSERT_TRUE(replaceFile(place / kName, "4711\n").ok());
    const auto taken = LockFile::take(folder, kName, kPlan);
    ASSERT_FALSE(taken.ok());
    EXPECT_EQ(taken.error().code, Errc::Busy);
    EXPECT_EQ(*readFile(place / kName, 1000), "4711\n");
}

}  // namespace
}  // namespace postern::adapters
