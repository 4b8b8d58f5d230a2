#include "store/store.h"

#include <atomic>
#include <stdexcept>
#include <thread>

#include <gtest/gtest.h>

#include "tests/unit/store/open_store.h"

namespace postern::tests {
namespace {

using store::ReadSession;
using store::WriteSession;

TEST(Store, KeepsWhatWasWrittenOverAReopen) {
    const TempFolder folder;
    std::string id;
    {
        const auto store = openStore(optionsFor(folder));
        ASSERT_TRUE(store);
        id = store->id();
        const auto written = store->write([](WriteSession& s) { return addNote(s, "one"); });
        ASSERT_TRUE(written.ok()) << describe(written);
    }
    const auto store = openStore(optionsFor(folder));
    ASSERT_TRUE(store);
    EXPECT_EQ(store->id(), id);
    EXPECT_EQ(countNotes(*store), 1);
}

TEST(Store, AnsweredWritesAreInTheTableForEveryReader) {
    const TempFolder folder;
    const auto store = openStore(optionsFor(folder));
    ASSERT_TRUE(store);
    for (int i = 0; i < 50; ++i) {
        const auto written = store->write([&](WriteSession& s) { return addNote(s, std::to_string(i)); });
        ASSERT_TRUE(written.ok()) << describe(written);
        ASSERT_EQ(countNotes(*store), i + 1);
    }
}

TEST(Store, WritesOfManyThreadsShareCommits) {
    const TempFolder folder;
    const auto store = openStore(optionsFor(folder));
    ASSERT_TRUE(store);
    constexpr int kThreads = 16, kEach = 200;
    std::atomic<int> failed{0};
    {
        std::vector<std::jthread> threads;
        for (int t = 0; t < kThreads; ++t)
            threads.emplace_back([&, t] {
                for (int i = 0; i < kEach; ++i) {
                    const std::string text = std::to_string(t) + "/" + std::to_string(i);
                    if (!store->write([&](WriteSession& s) { return addNote(s, text); }).ok()) ++failed;
                }
            });
    }
    EXPECT_EQ(failed.load(), 0);
    EXPECT_EQ(countNotes(*store), kThreads * kEach);
    const store::StoreCounters counters = store->counters();
    EXPECT_EQ(counters.works, kThreads * kEach);
    EXPECT_LT(counters.commits, counters.works) << "no two writes ever shared a commit";
}

// The writer is held in its first closure, so that the rest must form groups of exactly the limit.
TEST(Store, WaitingWritesFormOneGroupUpToTheLimit) {
    const TempFolder folder;
    auto options = optionsFor(folder);
    options.groupLimit = 10;
    const auto store = openStore(options);
    ASSERT_TRUE(store);
    Signal running, go, done;
    store->write(
        [&](WriteSession& s) {
            running.raise();
            go.wait();
            return addNote(s, "first");
        },
        {});
    ASSERT_TRUE(running.wait());
    std::atomic<int> answered{0};
    for (int i = 0; i < 25; ++i)
        store->write([i](WriteSession& s) { return addNote(s, std::to_string(i)); },
                     [&](const Result<void>& result) {
                         EXPECT_TRUE(result.ok()) << describe(result);
                         if (++answered == 25) done.raise();
                     });
    const auto before = store->counters();
    go.raise();
    ASSERT_TRUE(done.wait());
    const auto after = store->counters();
    EXPECT_EQ(after.commits - before.commits, 1 + 3) << "the first alone, then 10 + 10 + 5";
    EXPECT_EQ(after.works - before.works, 26);
}

TEST(Store, AFailedClosureIsRolledBackAlone) {
    const TempFolder folder;
    const auto store = openStore(optionsFor(folder));
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
    struct Case {
        const char* name;
        store::Store::Work work;
        std::optional<Errc> wanted;
    };
    const Case cases[] = {
        {"good before", [](WriteSession& s) { return addNote(s, "a"); }, {}},
        {"own error after a change",
         [](WriteSession& s) -> Result<void> {
             POSTERN_TRY(addNote(s, "half done"));
             return fail(Errc::Denied, "no");
         },
         Errc::Denied},
        {"unique", [](WriteSession& s) { return addNote(s, "a"); }, Errc::Exists},
        {"check", [](WriteSession& s) { return addNote(s, "forbidden"); }, Errc::Invalid},
        {"bad SQL",
         [](WriteSession& s) -> Result<void> {
             POSTERN_TRY(s.run("INSERT INTO nowhere VALUES (1)"));
             return {};
         },
         Errc::Internal},
        {"exception after a change",
         [](WriteSession& s) -> Result<void> {
             POSTERN_TRY(addNote(s, "thrown away"));
             throw std::runtime_error("boom");
         },
         Errc::Internal},
        {"good after", [](WriteSession& s) { return addNote(s, "b"); }, {}},
    };
    std::vector<Result<void>> got(std::size(cases));
    std::atomic<std::size_t> answered{0};
    for (std::size_t i = 0; i < std::size(cases); ++i)
        store->write(cases[i].work, [&, i](const Result<void>& result) {
            got[i] = result;
            if (++answered == std::size(cases)) done.raise();
        });
    go.raise();
    ASSERT_TRUE(done.wait());
    for (std::size_t i = 0; i < std::size(cases); ++i) {
        ASSERT_EQ(got[i].ok(), !cases[i].wanted) << cases[i].name << ": got " << describe(got[i]);
        if (cases[i].wanted) {
            EXPECT_EQ(got[i].error().code, *cases[i].wanted) << cases[i].name << ": " << describe(got[i]);
        }
    }
    EXPECT_EQ(countNotes(*store), 2);
    EXPECT_FALSE(store->broken());
}

TEST(Store, AReaderKeepsItsSnapshotWhileWritesGoOn) {
    const TempFolder folder;
    const auto store = openStore(optionsFor(folder));
    ASSERT_TRUE(store);
    const auto read = store->read([&](ReadSession& session) -> Result<void> {
        POSTERN_LET(before, session.one("SELECT count(*) FROM note"));
        const auto written = store->write([](WriteSession& s) { return addNote(s, "new"); });
        EXPECT_TRUE(written.ok()) << describe(written);
        POSTERN_LET(after, session.one("SELECT count(*) FROM note"));
        EXPECT_EQ(before, 0);
        EXPECT_EQ(after, 0);
        return {};
    });
    EXPECT_TRUE(read.ok()) << describe(read);
    EXPECT_EQ(countNotes(*store), 1);
}

TEST(Store, AReadSessionCanNotWrite) {
    const TempFolder folder;
    const auto store = openStore(optionsFor(folder));
    ASSERT_TRUE(store);
    const auto read = store->read([](ReadSession& session) -> Result<void> {
        POSTERN_TRY(session.run("INSERT INTO note (text) VALUES ('x')"));
        return {};
    });
    ASSERT_FALSE(read.ok());
    EXPECT_EQ(read.error().code, Errc::Denied) << describe(read);
    EXPECT_EQ(countNotes(*store), 0);
}

TEST(Store, MoreReadersThanSessionsTakeTurns) {
    const TempFolder folder;
    auto options = optionsFor(folder);
    options.readers = 2;
    const auto store = openStore(options);
    ASSERT_TRUE(store);
    std::atomic<int> good{0};
    {
        std::vector<std::jthread> threads;
        for (int t = 0; t < 8; ++t)
            threads.emplace_back([&] {
                for (int i = 0; i < 100; ++i)
                    if (countNotes(*store) == 0) ++good;
            });
    }
    EXPECT_EQ(good.load(), 800);
}

TEST(Store, AReadThatThrowsKeepsNeitherItsSessionNorItsSnapshot) {
    const TempFolder folder;
    auto options = optionsFor(folder);
    options.readers = 2;
    const auto store = openStore(options);
    ASSERT_TRUE(store);
    const auto throwing = [](ReadSession& session) -> Result<void> {
        POSTERN_TRY(session.one("SELECT count(*) FROM note"));
        throw std::runtime_error("a fault of a library");
    };
    for (int i = 0; i < 5; ++i) EXPECT_THROW((void)store->read(throwing), std::runtime_error);
    ASSERT_TRUE(store->write([](WriteSession& s) { return addNote(s, "behind them"); }).ok());
    for (int i = 0; i < 5; ++i) EXPECT_EQ(countNotes(*store), 1) << "no reader is left in an old state";
}

TEST(Store, ADoneClosureMayWriteAgainAndTheEndWaitsForIt) {
    const TempFolder folder;
    {
        const auto store = openStore(optionsFor(folder));
        ASSERT_TRUE(store);
        store->write([](WriteSession& s) { return addNote(s, "first"); },
                     [&](const Result<void>&) {
                         store->write([](WriteSession& s) { return addNote(s, "second"); },
                                      [&](const Result<void>&) {
                                          store->write([](WriteSession& s) { return addNote(s, "third"); },
                                                       {});
                                      });
                     });
    }
    const auto store = openStore(optionsFor(folder));
    ASSERT_TRUE(store);
    EXPECT_EQ(countNotes(*store), 3);
}

TEST(Store, WaitingForAWriteOnTheWriterThreadIsRefusedNotADeadlock) {
    const TempFolder folder;
    const auto store = openStore(optionsFor(folder));
    ASSERT_TRUE(store);
    Result<void> inner;
    const auto outer = store->write([&](WriteSession&) {
        inner = store->write([](WriteSession& s) { return addNote(s, "x"); });
        return Result<void>();
    });
    EXPECT_TRUE(outer.ok());
    ASSERT_FALSE(inner.ok());
    EXPECT_EQ(inner.error().code, Errc::Internal);
}

TEST(Store, TheLogIsFoldedBackBeyondItsLimitAndAtTheEnd) {
    const TempFolder folder;
    auto options = optionsFor(folder);
    options.checkpointBytes = 256 << 10;
    const std::string log = options.folder + "/postern.db-wal";
    {
        const auto store = openStore(options);
        ASSERT_TRUE(store);
        for (int i = 0; i < 200; ++i) {
            const std::string text = std::to_string(i) + std::string(8000, 'x');
            ASSERT_TRUE(store->write([&](WriteSession& s) { return addNote(s, text); }).ok());
        }
        // The fold follows the answer; one more write follows the fold.
        ASSERT_TRUE(store->write([](WriteSession&) { return Result<void>(); }).ok());
        EXPECT_GE(store->counters().checkpoints, 3);
        EXPECT_LT(std::filesystem::file_size(log), 512u << 10);
    }
    EXPECT_FALSE(std::filesystem::exists(log)) << "a clean end leaves no log";
}

TEST(Store, AnIdleWriterFoldsTheLogBackButNotUnderAReader) {
    const TempFolder folder;
    auto options = optionsFor(folder);
    options.idle = Millis(1);
    const std::string log = options.folder + "/postern.db-wal";
    const auto store = openStore(options);
    ASSERT_TRUE(store);
    const auto read = store->read([&](ReadSession& session) -> Result<void> {
        POSTERN_TRY(session.one("SELECT count(*) FROM note"));
        EXPECT_TRUE(store->write([](WriteSession& s) { return addNote(s, "x"); }).ok());
        // The writer stays quick while the reader is in its way.
        for (int i = 0; i < 20; ++i)
            EXPECT_TRUE(store->write([&](WriteSession& s) { return addNote(s, std::to_string(i)); }).ok());
        EXPECT_GT(std::filesystem::file_size(log), 0u);
        return {};
    });
    EXPECT_TRUE(read.ok()) << describe(read);
    EXPECT_TRUE(eventually([&] { return std::filesystem::file_size(log) == 0; }))
        << "the log was never folded back";
    EXPECT_FALSE(store->broken());
}

TEST(Store, AnIdleWriterGivesFreedPagesBackInSteps) {
    const TempFolder folder;
    auto options = optionsFor(folder);
    options.idle = Millis(1);
    const auto store = openStore(options);
    ASSERT_TRUE(store);
    for (int i = 0; i < 40; ++i) {
        const std::string text = std::to_string(i) + std::string(1 << 20, 'x');
        ASSERT_TRUE(store->write([&](WriteSession& s) { return addNote(s, text); }).ok());
    }
    const std::string file = options.folder + "/postern.db";
    ASSERT_TRUE(eventually([&] { return std::filesystem::file_size(file) > (40u << 20); }));
    ASSERT_TRUE(store
                    ->write([](WriteSession& s) -> Result<void> {
                        POSTERN_TRY(s.run("DELETE FROM note"));
                        return {};
                    })
                    .ok());
    EXPECT_TRUE(eventually([&] { return std::filesystem::file_size(file) < (12u << 20); }))
        << std::filesystem::file_size(file) << " bytes are left";
}

TEST(Store, AStoreReaderLooksWhileTheServiceOwnsTheStore) {
    const TempFolder folder;
    const auto options = optionsFor(folder);
    const auto none = store::StoreReader::open(options.folder, options.migrations);
    ASSERT_FALSE(none.ok());
    EXPECT_EQ(none.error().code, Errc::NotFound);
    const auto store = openStore(options);
    ASSERT_TRUE(store);
    auto reader = store::StoreReader::open(options.folder, options.migrations);
    ASSERT_TRUE(reader.ok()) << reader.error().text;
    for (int i = 0; i < 3; ++i) {
        ASSERT_TRUE(store->write([&](WriteSession& s) { return addNote(s, std::to_string(i)); }).ok());
        const auto count = (*reader)->session().one("SELECT count(*) FROM note");
        ASSERT_TRUE(count.ok());
        EXPECT_EQ(*count, i + 1);
    }
    const auto other = store::StoreReader::open(options.folder, store::messageMigrations());
    ASSERT_FALSE(other.ok());
    EXPECT_EQ(other.error().code, Errc::Invalid);
}

}  // namespace
}  // namespace postern::tests
