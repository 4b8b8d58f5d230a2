// R12: SQLite's WAL-reset fault (https://www.sqlite.org/wal.html#walresetbug; in every release from 3.7.0
// to 3.51.2). A checkpoint in the mode PASSIVE reads the head of the log without the writer's lock. A writer
// that begins the log anew just then has its next commits taken for folded back already, and they are lost.
// The control shows the fault with the SQLite that is here, or says that it is mended; the same meeting is
// then tried with the way in which the store folds its log: in the mode FULL or TRUNCATE, by the one
// connection that writes.
//
// POSTERN_RESET_SECONDS: how long the store is worked on with readers beside it (2).

#include <atomic>
#include <chrono>
#include <cstdlib>
#include <functional>
#include <iostream>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>
#include <sqlite3.h>

#include "base/file.h"
#include "tests/kit/vfs_shim.h"
#include "tests/unit/store/open_store.h"

namespace postern::tests {
namespace {

using store::ReadSession;
using store::WriteSession;

// Calls back where a checkpoint has read the head of a log that others have changed, and goes on when that
// returns.
class MeetingDisk final : public VfsShim {
  public:
    static constexpr char kName[] = "postern-meeting-disk";
    MeetingDisk() : VfsShim(kName) {}

    // Once, at the next such moment.
    void meetOnce(std::function<void()> other) { other_ = std::move(other); }

  private:
    int unfetch(const File& file, sqlite3_int64 offset, void* page) override {
        if (const auto other = std::exchange(other_, nullptr); other && page == nullptr) other();
        return VfsShim::unfetch(file, offset, page);
    }
    // Power cuts are not what is asked here.
    int sync(const File&, int) override { return SQLITE_OK; }

    std::function<void()> other_;
};

class Connection {
  public:
    explicit Connection(const std::string& path) {
        EXPECT_EQ(sqlite3_open_v2(path.c_str(), &handle_, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE,
                                  MeetingDisk::kName),
                  SQLITE_OK);
        must("PRAGMA wal_autocheckpoint=0");
    }
    ~Connection() { sqlite3_close(handle_); }
    Connection(const Connection&) = delete;
    Connection& operator=(const Connection&) = delete;

    int run(const std::string& sql) {
        return sqlite3_exec(handle_, sql.c_str(), nullptr, nullptr, nullptr) & 0xff;
    }
    void must(const std::string& sql) {
        ASSERT_EQ(run(sql), SQLITE_OK) << sql << ": " << sqlite3_errmsg(handle_);
    }

    // The first value of the first row; what is wrong, where something is.
    std::string ask(const std::string& sql) {
        sqlite3_stmt* statement = nullptr;
        std::string answer;
        if (sqlite3_prepare_v2(handle_, sql.c_str(), -1, &statement, nullptr) == SQLITE_OK &&
            sqlite3_step(statement) == SQLITE_ROW)
            answer = reinterpret_cast<const char*>(sqlite3_column_text(statement, 0));
        else
            answer = sqlite3_errmsg(handle_);
        sqlite3_finalize(statement);
        return answer;
    }

    void write(int rows) {
        for (int i = 0; i < rows; ++i) must("INSERT INTO note VALUES (hex(randomblob(1500)))");
    }

  private:
    sqlite3* handle_ = nullptr;
};

struct Meeting {
    int written = 0;   // rows, whose commits were answered
    bool met = false;  // a writer came while the checkpoint was at work
    int refused = 0;   // of its writes
    std::string rows;
    std::string integrity;
};

// A log that is folded back whole, and a second checkpoint that has read its head; then a writer comes.
Meeting meetDuring(const std::string& mode) {
    const TempFolder folder;
    const std::string path = folder / "notes.db";
    MeetingDisk disk;
    Meeting meeting;
    {
        Connection writer(path), other(path), third(path);
        writer.must("PRAGMA journal_mode=WAL");
        writer.must("CREATE TABLE note (text TEXT)");
        EXPECT_EQ(other.ask("SELECT count(*) FROM note"), "0");  // it knows a head of the log
        writer.write(60);
        meeting.written = 60;
        third.must("PRAGMA wal_checkpoint(PASSIVE)");
        disk.meetOnce([&] {
            meeting.met = true;
            for (int i = 0; i < 3; ++i) {
                if (writer.run("INSERT INTO note VALUES (hex(randomblob(1500)))") == SQLITE_OK)
                    ++meeting.written;
                else
                    ++meeting.refused;
            }
        });
        other.run("PRAGMA wal_checkpoint(" + mode + ")");
        // What is committed from here on stands where the old log was folded back from.
        writer.write(5);
        third.must("PRAGMA wal_checkpoint(FULL)");
        writer.write(5);
        meeting.written += 10;
    }
    Connection later(path);
    meeting.rows = later.ask("SELECT count(*) FROM note");
    meeting.integrity = later.ask("PRAGMA integrity_check(1)");
    return meeting;
}

TEST(LogReset, TheControlShowsTheFault) {
    const Meeting meeting = meetDuring("PASSIVE");
    ASSERT_TRUE(meeting.met);
    ASSERT_EQ(meeting.refused, 0);
    const bool whole = meeting.rows == std::to_string(meeting.written) && meeting.integrity == "ok";
    std::cout << "SQLite " << sqlite3_libversion() << ", PASSIVE: " << meeting.written
              << " rows written, then: " << meeting.rows << ", " << meeting.integrity << std::endl;
    if (sqlite3_libversion_number() >= 3051003)
        EXPECT_TRUE(whole) << "the fault is mended in this release";
    else if (whole)
        GTEST_SKIP() << "this SQLite has the mend of a later release: the control finds nothing";
}

TEST(LogReset, NoWriterComesInBetweenWhereTheLogIsFoldedOurWay) {
    for (const std::string mode : {"FULL", "TRUNCATE"}) {
        const Meeting meeting = meetDuring(mode);
        EXPECT_TRUE(meeting.met) << mode;
        EXPECT_EQ(meeting.refused, 3) << mode;
        EXPECT_EQ(meeting.rows, std::to_string(meeting.written)) << mode;
        EXPECT_EQ(meeting.integrity, "ok") << mode;
    }
}

store::StoreOptions optionsOn(const MeetingDisk&, const TempFolder& folder) {
    auto options = optionsFor(folder);
    options.engineOption = MeetingDisk::kName;
    return options;
}

// A program that must not, but does, writes into the store while it is at work. Its fold keeps that program
// out.
TEST(LogReset, TheStoreFoldsWithTheWritersLock) {
    const TempFolder folder;
    MeetingDisk disk;
    auto options = optionsOn(disk, folder);
    options.idle = Millis(3'600'000);  // nothing is folded but where it is asked for
    const auto store = openStore(options);
    ASSERT_TRUE(store);
    ASSERT_TRUE(store->write([](WriteSession& s) { return addNote(s, "ours"); }).ok());
    Connection stranger(folder / "store/postern.db");
    stranger.must("INSERT INTO note (text) VALUES ('theirs')");  // so the head of the log is another one
    std::atomic<int> met{-1};
    disk.meetOnce([&] { met = stranger.run("INSERT INTO note (text) VALUES ('in between')"); });
    const auto before = store->counters().checkpoints;
    store->foldSoon();
    ASSERT_TRUE(eventually([&] { return store->counters().checkpoints > before; }));
    EXPECT_EQ(met, SQLITE_BUSY);
    EXPECT_EQ(countNotes(*store), 2);
}

// Folds as often as can be, with readers of all kinds beside them.
TEST(LogReset, NothingIsLostWhereFoldsNeverEnd) {
    const char* value = std::getenv("POSTERN_RESET_SECONDS");
    const auto seconds = std::chrono::seconds(value == nullptr ? 2 : std::atoi(value));
    const TempFolder folder;
    MeetingDisk disk;
    auto options = optionsOn(disk, folder);
    options.checkpointBytes = 8 << 10;
    options.idle = Millis(1);
    std::int64_t written = 0, folds = 0;
    std::atomic<std::int64_t> looks{0};
    {
        const auto store = openStore(options);
        ASSERT_TRUE(store);
        std::atomic<bool> ended{false};
        std::vector<std::jthread> others;
        for (int i = 0; i < 3; ++i)
            others.emplace_back([&] {
                std::int64_t last = 0;
                while (!ended) {
                    const std::int64_t count = countNotes(*store);
                    if (count < last) ADD_FAILURE() << last << " notes were there, now " << count;
                    last = count;
                    ++looks;
                }
            });
        others.emplace_back([&] {
            while (!ended) store->foldSoon(), std::this_thread::yield();
        });
        const auto deadline = std::chrono::steady_clock::now() + seconds;
        while (std::chrono::steady_clock::now() < deadline) {
            const std::string text = std::to_string(written) + std::string(written % 7000, 'x');
            const Result<void> result = store->write([&](WriteSession& s) { return addNote(s, text); });
            EXPECT_TRUE(result.ok()) << describe(result);
            if (!result.ok()) break;
            ++written;
        }
        ended = true;
        others.clear();
        folds = store->counters().checkpoints;
        EXPECT_EQ(countNotes(*store), written);
    }
    const auto store = openStore(options);  // checks every page
    ASSERT_TRUE(store);
    EXPECT_EQ(countNotes(*store), written);
    EXPECT_GT(folds, 10);
    EXPECT_GT(looks, 10);
    std::cout << "log folded " << folds << " times beside " << written << " writes and " << looks
              << " looks; 0 lost" << std::endl;
}

}  // namespace
}  // namespace postern::tests
