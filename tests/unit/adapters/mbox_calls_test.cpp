// Mailbox files on a disk that fails, and in front of a reader that comes at the worst moment.
//
// The system's calls are replaced by ones of this program, which do what a test says.

#include <atomic>
#include <cerrno>
#include <cstdarg>
#include <fcntl.h>
#include <functional>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <gtest/gtest.h>

#include "adapters/mailbox/mbox_journal.h"
#include "tests/adapter_rig.h"

namespace {

// The file that has trouble, and how often which call fails on it.
std::atomic<ino_t> sick{0};
std::atomic<int> syncsFail{0}, truncatesFail{0};
std::atomic<long> writtenInPlace{0};
std::function<void()> beforeNextLock;

bool fails(int handle, std::atomic<int>& left) {
    struct stat info {};
    if (sick == 0 || ::fstat(handle, &info) != 0 || info.st_ino != sick || left <= 0) return false;
    --left;
    errno = EIO;
    return true;
}

}  // namespace

extern "C" int fdatasync(int handle) {
    return fails(handle, syncsFail) ? -1 : static_cast<int>(::syscall(SYS_fdatasync, handle));
}

extern "C" int ftruncate(int handle, off_t size) noexcept {
    return fails(handle, truncatesFail) ? -1 : static_cast<int>(::syscall(SYS_ftruncate, handle, size));
}

extern "C" int fcntl(int handle, int command, ...) {
    va_list rest;
    va_start(rest, command);
    void* const argument = va_arg(rest, void*);
    va_end(rest);
    if (command == F_OFD_SETLK && beforeNextLock) std::exchange(beforeNextLock, nullptr)();
    return static_cast<int>(::syscall(SYS_fcntl, handle, command, argument));
}

extern "C" ssize_t pwrite(int handle, const void* bytes, std::size_t size, off_t offset) {
    struct stat info {};
    const long written = ::syscall(SYS_pwrite64, handle, bytes, size, offset);
    if (written > 0 && ::fstat(handle, &info) == 0 && info.st_ino == sick) writtenInPlace += written;
    return written;
}

namespace postern::adapters {
namespace {

using tests::AdapterRig;
using tests::outcomeText;
using tests::slurp;
using tests::spill;

constexpr int kAlways = 1'000'000;

// The system tells of a disk that failed once, at a sync, and takes the bytes for written from then on
// (RELIABILITY 2.4): nothing that can be read there counts as delivered.
class MboxSync : public testing::Test {
  protected:
    MboxSync() {
        spill(box_, "From x Thu Jan  1 00:00:00 1970\n\nold\n\n");
        before_ = slurp(box_);
        struct stat info {};
        EXPECT_EQ(::stat(box_.c_str(), &info), 0);
        syncsFail = truncatesFail = 0;
        writtenInPlace = 0;
        sick = info.st_ino;
    }
    ~MboxSync() override { sick = 0; }

    std::string journalPath() const { return rig_.stage() + "/" + journalName("inbox"); }

    AdapterRig rig_{"mbox", {}};
    const std::string box_ = rig_.folder() + "/inbox";
    std::string before_;
};

TEST_F(MboxSync, WhatCouldNotBeSyncedIsTakenBackAndTriedAgain) {
    syncsFail = 1;
    Job job = rig_.exportJob(rig_.job(1, 1));
    ASSERT_EQ(job.outcome->verdict, Verdict::Deferred) << outcomeText(job);
    EXPECT_EQ(slurp(box_), before_);
    EXPECT_FALSE(std::filesystem::exists(journalPath()));
    EXPECT_EQ(rig_.adapter().recover(job.delivery.key, job.evidence).found, Found::NotPublished);
    EXPECT_EQ(rig_.exportJob(rig_.job(1, 2)).outcome->verdict, Verdict::Exported);
    EXPECT_EQ(rig_.visible().size(), 2u) << slurp(box_);
}

TEST_F(MboxSync, EveryMailOfTheAdditionIsTakenBack) {
    syncsFail = 1;
    std::vector<Job> jobs;
    for (int item = 1; item <= 3; ++item) jobs.push_back(rig_.job(item, 1));
    rig_.adapter().stage(jobs, [] {});
    rig_.adapter().publish(jobs, [] {});
    for (const Job& job : jobs) EXPECT_EQ(job.outcome->verdict, Verdict::Deferred) << outcomeText(job);
    EXPECT_EQ(slurp(box_), before_);
}

TEST_F(MboxSync, NobodyKnowsWhenTakingItBackFailsAsWell) {
    syncsFail = kAlways;
    Job job = rig_.exportJob(rig_.job(1, 1));
    EXPECT_EQ(job.outcome->verdict, Verdict::Unknown) << outcomeText(job);
    const auto seen = rig_.adapter().recover(job.delivery.key, job.evidence);
    EXPECT_EQ(seen.found, Found::CannotTell) << seen.text;
}

// All its bytes can be read, and no sync of theirs has ever worked: they count when they were written once
// more.
TEST_F(MboxSync, ARecoveryWritesWhatIsThereAgainBeforeItCounts) {
    syncsFail = 1;
    truncatesFail = kAlways;
    Job job = rig_.exportJob(rig_.job(1, 1));
    ASSERT_EQ(job.outcome->verdict, Verdict::Unknown) << outcomeText(job);
    const auto added = static_cast<long>(slurp(box_).size() - before_.size());
    ASSERT_GT(added, 0);
    EXPECT_EQ(writtenInPlace, 0);
    rig_.restart();
    const auto seen = rig_.adapter().recover(job.delivery.key, job.evidence);
    EXPECT_EQ(seen.found, Found::Published) << seen.text;
    EXPECT_EQ(writtenInPlace, added);
    EXPECT_EQ(rig_.visible().size(), 2u) << slurp(box_);
}

// A full disk in the middle of an addition, and then a sync that fails: the whole ones do not count either.
TEST_F(MboxSync, ASettlingThatCanNotSyncSettlesNothing) {
    Job job = rig_.job(1, 1);
    rig_.stageJob(job);
    const std::string staged = slurp(rig_.stage() + "/1.1");
    struct stat info {};
    ASSERT_EQ(::stat(box_.c_str(), &info), 0);
    const Journal journal{"inbox",
                          info.st_dev,
                          info.st_ino,
                          info.st_size,
                          0,
                          {{"1.1", static_cast<std::int64_t>(staged.size())}},
                          0};
    spill(journalPath(), journal.text());
    std::ofstream(box_, std::ios::binary | std::ios::app) << staged;
    syncsFail = 1;
    const auto seen = rig_.adapter().recover(job.delivery.key, job.evidence);
    EXPECT_EQ(seen.found, Found::CannotTell) << seen.text;
    EXPECT_TRUE(std::filesystem::exists(journalPath()));
    EXPECT_EQ(rig_.adapter().recover(job.delivery.key, job.evidence).found, Found::Published);
    EXPECT_EQ(writtenInPlace, 2 * static_cast<long>(staged.size()));
}

// Many readers remove a mailbox that they emptied: between our opening of it and our lock as well.
TEST(MboxReader, AMailboxThatIsRemovedMeanwhileIsMadeAnew) {
    for (const char* layout : {"single", "per-recipient"}) {
        AdapterRig rig("mbox", {{"layout", layout}, {"mailbox", "bob"}});
        const std::string box = rig.folder() + "/bob";
        spill(box, "");
        beforeNextLock = [&] { std::filesystem::remove(box); };
        const Job job = rig.exportJob(rig.job(1, 1));
        EXPECT_FALSE(beforeNextLock) << "it was not removed";
        EXPECT_EQ(job.outcome->verdict, Verdict::Exported) << outcomeText(job);
        EXPECT_EQ(rig.visible().size(), 1u);
    }
}

// A reader that keeps its lock holds up its mail, not the end of the service.
TEST(MboxHasten, AStopDoesNotWaitForALock) {
    AdapterRig rig("mbox", {{"lock_wait", "10m"}});
    spill(rig.folder() + "/inbox.lock", "4711");
    Job job = rig.job(1, 1);
    rig.stageJob(job);
    int beats = 0;
    rig.adapter().publish({&job, 1}, [&] {
        if (++beats == 3) rig.adapter().hasten();
    });
    EXPECT_EQ(job.outcome->verdict, Verdict::Deferred) << outcomeText(job);
    EXPECT_TRUE(job.outcome->adapterUnusable) << "not counted";
    EXPECT_EQ(rig.adapter().recover(job.delivery.key, job.evidence).found, Found::NotPublished);
    // From the beginning: one look and no more.
    const Job late = rig.exportJob(rig.job(2, 1));
    EXPECT_TRUE(late.outcome->adapterUnusable) << outcomeText(late);
    EXPECT_EQ(slurp(rig.folder() + "/inbox"), "");
}

}  // namespace
}  // namespace postern::adapters
