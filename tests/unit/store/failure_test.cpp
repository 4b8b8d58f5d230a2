// What the store does when the disk under it fails (I8).

#include <atomic>
#include <filesystem>
#include <set>

#include <gtest/gtest.h>

#include "tests/kit/platform.h"
#include "tests/unit/store/notes_on_faulty_disk.h"
#ifndef _WIN32
#include <csignal>
#include <sys/resource.h>
#endif

namespace postern::tests {
namespace {

using store::WriteSession;

TEST(Failure, AFullDiskAtTheCommitRefusesTheGroupAndHeals) {
    const TempFolder folder;
    FaultyDisk disk;
    auto options = optionsOn(disk, folder);
    std::atomic<int> broken{0};
    options.onBroken = [&](const Error&) { ++broken; };
    const auto store = openStore(options);
    ASSERT_TRUE(store);
    ASSERT_TRUE(write(*store, "before").ok());
    disk.failWrites(Fault::Full, "-wal");
    for (int i = 0; i < 3; ++i) {
        const auto refused = write(*store, "lost");
        ASSERT_FALSE(refused.ok());
        EXPECT_EQ(refused.error().code, Errc::NoSpace) << describe(refused);
    }
    EXPECT_GT(disk.failures(), 0);
    disk.heal();
    const auto healed = write(*store, "after");
    EXPECT_TRUE(healed.ok()) << describe(healed);
    EXPECT_FALSE(store->broken());
    EXPECT_EQ(broken.load(), 0);
    EXPECT_EQ(notes(*store), (std::set<std::string>{"before", "after"}));
}

// A transaction larger than the page cache writes before its commit; SQLite then gives up all of it.
TEST(Failure, AFullDiskInAClosureRefusesWhatRanAndRunsTheRest) {
    const TempFolder folder;
    FaultyDisk disk;
    const auto store = openStore(optionsOn(disk, folder));
    ASSERT_TRUE(store);
    Signal running, go, done;
    store->write(
        [&](WriteSession&) {
            running.raise();
            go.wait();
            return Result<void>();
        },
        {});
    ASSERT_TRUE(running.wait());
    const std::string large(20 << 20, 'x');
    Result<void> inside;
    const store::Store::Work works[] = {
        [](WriteSession& s) { return addNote(s, "small before"); },
        [&](WriteSession& s) {
            inside = addNote(s, large);
            // A closure that passes over its error must not go on outside the transaction.
            EXPECT_FALSE(addNote(s, "ghost").ok());
            return Result<void>();
        },
        [](WriteSession& s) { return addNote(s, "small after"); },
    };
    std::vector<Result<void>> got(3);
    std::atomic<int> answered{0};
    for (std::size_t i = 0; i < 3; ++i)
        store->write(works[i], [&, i](const Result<void>& result) {
            got[i] = result;
            if (++answered == 3) done.raise();
        });
    disk.failWrites(Fault::Full, "-wal", 0, 1);
    go.raise();
    ASSERT_TRUE(done.wait());
    ASSERT_FALSE(inside.ok());
    EXPECT_EQ(inside.error().code, Errc::NoSpace) << describe(inside);
    for (std::size_t i = 0; i < 2; ++i) {
        ASSERT_FALSE(got[i].ok()) << i;
        EXPECT_EQ(got[i].error().code, Errc::NoSpace) << i << ": " << describe(got[i]);
    }
    EXPECT_TRUE(got[2].ok()) << describe(got[2]);
    EXPECT_FALSE(store->broken());
    EXPECT_EQ(notes(*store), (std::set<std::string>{"small after"}));
}

struct Break {
    const char* name;
    void (*make)(FaultyDisk&);
};

class Breaking : public testing::TestWithParam<Break> {};

TEST_P(Breaking, AFailedCommitBreaksTheStoreForGood) {
    const TempFolder folder;
    FaultyDisk disk;
    auto options = optionsOn(disk, folder);
    std::atomic<int> told{0};
    options.onBroken = [&](const Error& error) {
        ++told;
        EXPECT_EQ(error.code, Errc::Io) << error.text;
    };
    {
        const auto store = openStore(options);
        ASSERT_TRUE(store);
        ASSERT_TRUE(write(*store, "before").ok());
        GetParam().make(disk);
        const auto first = write(*store, "open question");
        ASSERT_FALSE(first.ok());
        EXPECT_EQ(first.error().code, Errc::Io) << describe(first);
        disk.heal();
        // The disk is well again, but what it lost is not known: nothing more is written.
        const auto later = write(*store, "later");
        ASSERT_FALSE(later.ok());
        EXPECT_EQ(later.error().code, Errc::Io) << describe(later);
        EXPECT_TRUE(store->broken());
        EXPECT_EQ(told.load(), 1);
    }
    const auto store = openStore(optionsFor(folder));
    ASSERT_TRUE(store);
    const auto found = notes(*store);
    EXPECT_TRUE(found.contains("before"));
    EXPECT_FALSE(found.contains("later"));
    EXPECT_TRUE(write(*store, "again").ok());
}

INSTANTIATE_TEST_SUITE_P(Failure, Breaking,
                         testing::Values(Break{"sync", [](FaultyDisk& disk) { disk.failSyncs("-wal"); }},
                                         Break{"write",
                                               [](FaultyDisk& disk) { disk.failWrites(Fault::Io, "-wal"); }}),
                         [](const auto& named) { return std::string(named.param.name); });

// The next sync of the same file says "done", and may not be believed.
TEST(Failure, AStopWhoseFoldFailsLeavesTheLog) {
    const TempFolder folder;
    FaultyDisk disk;
    std::atomic<int> told{0};
    {
        auto options = optionsOn(disk, folder);
        options.onBroken = [&](const Error&) { ++told; };
        const auto store = openStore(options);
        ASSERT_TRUE(store);
        ASSERT_TRUE(write(*store, "before").ok());
        disk.failSyncs("postern.db", 0, 1);
    }
    EXPECT_EQ(told.load(), 1);
    EXPECT_GT(std::filesystem::file_size(folder / "store/postern.db-wal"), 0u);
    const auto store = openStore(optionsFor(folder));
    ASSERT_TRUE(store);
    EXPECT_TRUE(notes(*store).contains("before"));
}

// The frame that makes the group valid is on the disk by then, and no mail may be called refused that is
// found at the next start.
TEST(Failure, AnIndexThatCanNotGrowAtTheCommitIsNoFullDisk) {
    const TempFolder folder;
    FaultyDisk disk;
    std::string open;
    {
        auto options = optionsOn(disk, folder);
        options.checkpointBytes = 64 << 20;
        const auto store = openStore(options);
        ASSERT_TRUE(store);
        disk.failIndex(1);
        Result<void> written;
        for (int i = 0; i < 30 && written.ok(); ++i) {
            open = std::to_string(i) + std::string(1 << 20, 'x');
            written = write(*store, open);
        }
        ASSERT_FALSE(written.ok());
        EXPECT_EQ(disk.failures(), 1);
        EXPECT_EQ(written.error().code, Errc::Io) << describe(written);
        EXPECT_TRUE(store->broken());
        disk.heal();
    }
    const auto store = openStore(optionsFor(folder));
    ASSERT_TRUE(store);
    EXPECT_TRUE(notes(*store).contains(open)) << "the engine undoes it now: it could be called a full disk";
}

TEST(Failure, AnIndexThatCanNotBeMadeAtTheStartIsAFullDisk) {
    const TempFolder folder;
    FaultyDisk disk;
    ASSERT_TRUE(openStore(optionsOn(disk, folder)));
    disk.failIndex(0);
    const auto refused = store::Store::open(optionsOn(disk, folder));
    ASSERT_FALSE(refused.ok());
    EXPECT_EQ(refused.error().code, Errc::NoSpace) << refused.error().text;
    disk.heal();
    EXPECT_TRUE(openStore(optionsOn(disk, folder)));
}

// What a closure makes of it does not matter: the engine can not be trusted any more.
TEST(Failure, AReadErrorOrDamageMetInAClosureBreaksTheStore) {
    for (const bool garbled : {false, true})
        for (const bool handedOn : {false, true}) {
            const TempFolder folder;
            FaultyDisk disk;
            const auto store = openStore(optionsOn(disk, folder));
            ASSERT_TRUE(store);
            for (int i = 0; i < 12; ++i)
                ASSERT_TRUE(write(*store, std::to_string(i) + std::string(1 << 20, 'x')).ok());
            if (garbled)
                disk.garbleReads("");
            else
                disk.failReads("");
            const auto written = store->write([&](WriteSession& s) -> Result<void> {
                const auto read = s.one("SELECT sum(length(text || '')) FROM note");
                EXPECT_FALSE(read.ok());
                disk.heal();  // the commit itself would succeed
                if (handedOn) return read.error();
                return {};
            });
            EXPECT_FALSE(written.ok());
            EXPECT_TRUE(store->broken()) << "garbled: " << garbled << ", handed on: " << handedOn;
            const auto later = write(*store, "later");
            ASSERT_FALSE(later.ok());
            EXPECT_EQ(later.error().code, Errc::Io) << describe(later);
        }
}

TEST(Failure, AFullDiskAtTheCheckpointIsTriedAgain) {
    const TempFolder folder;
    FaultyDisk disk;
    auto options = optionsOn(disk, folder);
    options.checkpointBytes = 64 << 10;
    const auto store = openStore(options);
    ASSERT_TRUE(store);
    disk.failWrites(Fault::Full, "postern.db");
    std::set<std::string> wanted;
    for (int i = 0; i < 30; ++i) {
        const std::string text = std::to_string(i) + std::string(8000, 'x');
        const auto written = write(*store, text);
        ASSERT_TRUE(written.ok()) << describe(written);
        wanted.insert(text);
    }
    EXPECT_GT(disk.failures(), 0);
    EXPECT_FALSE(store->broken());
    const auto before = store->counters().checkpoints;
    disk.heal();
    for (int i = 100; i < 160; ++i) {
        const std::string text = std::to_string(i) + std::string(8000, 'x');
        ASSERT_TRUE(write(*store, text).ok());
        wanted.insert(text);
    }
    EXPECT_GT(store->counters().checkpoints, before);
    EXPECT_EQ(notes(*store), wanted);
}

TEST(Failure, AnErrorAtTheCheckpointBreaksTheStore) {
    for (const bool atSync : {false, true}) {
        const TempFolder folder;
        FaultyDisk disk;
        auto options = optionsOn(disk, folder);
        options.checkpointBytes = 64 << 10;
        const auto store = openStore(options);
        ASSERT_TRUE(store);
        if (atSync)
            disk.failSyncs("postern.db");
        else
            disk.failWrites(Fault::Io, "postern.db");
        Result<void> last;
        for (int i = 0; i < 60 && last.ok(); ++i)
            last = write(*store, std::to_string(i) + std::string(8000, 'x'));
        ASSERT_FALSE(last.ok()) << "at sync: " << atSync;
        EXPECT_EQ(last.error().code, Errc::Io);
        EXPECT_TRUE(store->broken());
    }
}

#ifndef _WIN32
// The system's own limit on file sizes: a real "no room" that is not ENOSPC.
class FileSizeLimit {
  public:
    explicit FileSizeLimit(rlim_t bytes) : handler_(std::signal(SIGXFSZ, SIG_IGN)) {
        getrlimit(RLIMIT_FSIZE, &before_);
        const rlimit limit{bytes, before_.rlim_max};
        setrlimit(RLIMIT_FSIZE, &limit);
    }
    ~FileSizeLimit() {
        setrlimit(RLIMIT_FSIZE, &before_);
        std::signal(SIGXFSZ, handler_);
    }

  private:
    rlimit before_{};
    void (*handler_)(int);
};

TEST(Failure, AFileSizeLimitOfTheSystemCountsAsNoSpace) {
    const TempFolder folder;
    const auto store = openStore(optionsFor(folder));
    ASSERT_TRUE(store);
    {
        const FileSizeLimit limit(1 << 20);
        const auto refused = write(*store, std::string(3 << 20, 'x'));
        ASSERT_FALSE(refused.ok());
        EXPECT_EQ(refused.error().code, Errc::NoSpace) << describe(refused);
        store::BodyWriter body(*store);
        const auto appended = body.append(std::string(3 << 20, 'x'));
        ASSERT_FALSE(appended.ok());
        EXPECT_EQ(appended.error().code, Errc::NoSpace) << describe(appended);
        EXPECT_FALSE(body.seal().ok()) << "a body that missed bytes was sealed";
    }
    const auto healed = write(*store, std::string(3 << 20, 'x'));
    EXPECT_TRUE(healed.ok()) << describe(healed);
    EXPECT_FALSE(store->broken());
}
#endif

}  // namespace
}  // namespace postern::tests
