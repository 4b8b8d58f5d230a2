// Whose log stands beside a database: what Store::open takes for its own, and what it refuses.

#include <filesystem>
#include <map>

#include <gtest/gtest.h>
#include <sqlite3.h>

#include "base/file.h"
#include "tests/unit/store/faulty_disk.h"
#include "tests/unit/store/open_store.h"

namespace postern::tests {
namespace {

namespace fs = std::filesystem;
using store::ReadSession;
using store::Store;
using store::WriteSession;

constexpr char kDatabase[] = "/postern.db";
constexpr char kLog[] = "/postern.db-wal";

// Nobody folds the log back by the way.
store::StoreOptions calm(const std::string& folder) {
    auto options = optionsIn(folder);
    options.idle = Millis(3'600'000);
    return options;
}

void note(Store& store, const std::string& text) {
    const auto written = store.write([&](WriteSession& s) { return addNote(s, text); });
    ASSERT_TRUE(written.ok()) << describe(written);
}

// A store that was closed: everything is in its database.
void makeStore(const std::string& folder, const std::string& first) {
    const auto store = openStore(calm(folder));
    ASSERT_TRUE(store);
    note(*store, first);
}

std::string contentOf(const std::string& path) {
    auto bytes = readFile(path, 1 << 30);
    EXPECT_TRUE(bytes.ok()) << path;
    return bytes.valueOr("");
}

// What a kill leaves of a living store.
void crashInto(const std::string& living, const std::string& folder) {
    fs::remove_all(folder);
    fs::create_directories(folder);
    for (const char* name : {kDatabase, kLog, "/store.id"}) fs::copy_file(living + name, folder + name);
}

void putBeside(const std::string& folder, const std::string& log) {
    const auto written = replaceFile(folder + kLog, log);
    ASSERT_TRUE(written.ok()) << describe(written);
}

enum class Ends { Killed, Closed };

// Opens the database as a program that knows of no marks, and runs `sql`.
void writeAsAStranger(const std::string& folder, const char* sql, Ends ends = Ends::Killed) {
    sqlite3* handle = nullptr;
    ASSERT_EQ(sqlite3_open((folder + kDatabase).c_str(), &handle), SQLITE_OK);
    if (ends == Ends::Killed) sqlite3_db_config(handle, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr);
    EXPECT_EQ(sqlite3_exec(handle, sql, nullptr, nullptr, nullptr), SQLITE_OK) << sqlite3_errmsg(handle);
    sqlite3_close(handle);
}

void expectRefused(const std::string& folder, const char* part) {
    const std::string database = contentOf(folder + kDatabase), log = contentOf(folder + kLog);
    const auto opened = Store::open(calm(folder));
    ASSERT_FALSE(opened.ok());
    EXPECT_EQ(opened.error().code, Errc::Invalid);
    for (const char* each : {"postern.db-wal beside it is not its log", "move postern.db-wal away", part})
        EXPECT_NE(opened.error().text.find(each), std::string::npos) << opened.error().text;
    EXPECT_TRUE(contentOf(folder + kDatabase) == database) << "the database was changed";
    EXPECT_TRUE(contentOf(folder + kLog) == log) << "the log was changed";
    fs::remove(folder + kLog);
    EXPECT_TRUE(openStore(calm(folder))) << "without it the database is whole";
}

TEST(Opening, ALogOfAnotherStoreIsRefused) {
    const TempFolder folder;
    makeStore(folder / "one", "mine");
    makeStore(folder / "other", "theirs");
    const auto other = openStore(calm(folder / "other"));
    ASSERT_TRUE(other);
    note(*other, "more of theirs");
    putBeside(folder / "one", contentOf(folder / "other" + kLog));
    expectRefused(folder / "one", "another database");
}

TEST(Opening, ALogOfAnotherStoreThatHasNoMarkIsRefused) {
    const TempFolder folder;
    makeStore(folder / "one", "mine");
    makeStore(folder / "other", "theirs");
    writeAsAStranger(folder / "other", "INSERT INTO note (text) VALUES ('more of theirs')");
    putBeside(folder / "one", contentOf(folder / "other" + kLog));
    expectRefused(folder / "one", "no mark");
}

// And not by its id: the words for that would lead a person to write the other one down.
TEST(Opening, AnotherStoresDatabaseBelowItsLogIsRefused) {
    const TempFolder folder;
    makeStore(folder / "one", "mine");
    makeStore(folder / "other", "theirs");
    const auto one = openStore(calm(folder / "one"));
    ASSERT_TRUE(one);
    note(*one, "more of mine");
    crashInto(folder / "one", folder / "mixed");
    ASSERT_TRUE(replaceFile(folder / "mixed" + kDatabase, contentOf(folder / "other" + kDatabase)).ok());
    const auto opened = Store::open(calm(folder / "mixed"));
    ASSERT_FALSE(opened.ok());
    EXPECT_NE(opened.error().text.find("is not its log"), std::string::npos) << opened.error().text;
}

TEST(Opening, AnOlderLogOfTheSameStoreIsRefused) {
    const TempFolder folder;
    makeStore(folder / "store", "first");
    {
        const auto store = openStore(calm(folder / "store"));
        ASSERT_TRUE(store);
        note(*store, "second");
        crashInto(folder / "store", folder / "copied");
    }
    makeStore(folder / "store", "third");
    putBeside(folder / "store", contentOf(folder / "copied" + kLog));
    expectRefused(folder / "store", "older");
}

TEST(Opening, ALogBesideAnOlderDatabaseOfItsStoreIsRefused) {
    const TempFolder folder;
    makeStore(folder / "store", "first");
    const std::string older = contentOf(folder / "store" + kDatabase);
    makeStore(folder / "store", "second");
    const auto store = openStore(calm(folder / "store"));
    ASSERT_TRUE(store);
    note(*store, "third");
    crashInto(folder / "store", folder / "mixed");
    ASSERT_TRUE(replaceFile(folder / "mixed" + kDatabase, older).ok());
    expectRefused(folder / "mixed", "newer");
}

// Every moment of a log's life: begun, folded back and kept, folded back beside a reader so that it can not
// begin anew, and begun anew.
TEST(Opening, ItsOwnLogIsTakenBehindAKillAtAnyCommit) {
    const TempFolder folder;
    auto options = calm(folder / "store");
    options.checkpointBytes = 40 << 10;
    const auto store = openStore(options);
    ASSERT_TRUE(store);
    const std::string large(9'000, 'x');
    std::int64_t count = 0;
    const auto further = [&] {
        note(*store, std::to_string(++count) + large);
        // The writer answers first and folds then; behind the next answer it is done with that.
        ASSERT_TRUE(store->write([](WriteSession&) { return Result<void>(); }).ok());
        crashInto(folder / "store", folder / "crashed");
        const auto crashed = openStore(calm(folder / "crashed"));
        ASSERT_TRUE(crashed) << "behind commit " << count;
        ASSERT_EQ(countNotes(*crashed), count);
    };
    for (int round = 0; round < 3; ++round) {
        for (int i = 0; i < 15; ++i) further();
        const auto read = store->read([&](ReadSession& session) -> Result<void> {
            POSTERN_LET(seen, session.one("SELECT count(*) FROM note"));
            EXPECT_EQ(seen, count);
            store->foldSoon();
            for (int i = 0; i < 15; ++i) further();
            return {};
        });
        ASSERT_TRUE(read.ok()) << describe(read);
    }
    EXPECT_GT(store->counters().checkpoints, 3);
}

// The mark as it stands in the database's file, the log left out.
std::size_t markIn(const std::string& database, std::string& mark) {
    sqlite3* handle = nullptr;
    EXPECT_EQ(sqlite3_open_v2(("file:" + database + "?immutable=1").c_str(), &handle,
                              SQLITE_OPEN_READONLY | SQLITE_OPEN_URI, nullptr),
              SQLITE_OK);
    const auto take = [](void* into, int, char** values, char**) {
        *static_cast<std::string*>(into) = values[0];
        return 0;
    };
    sqlite3_exec(handle, "SELECT value FROM store WHERE key = 'log'", take, &mark, nullptr);
    sqlite3_close(handle);
    EXPECT_FALSE(mark.empty());
    return contentOf(database).find(mark);
}

TEST(Opening, AMarkThatAPowerCutToreIsReadFromTheLog) {
    const TempFolder folder;
    makeStore(folder / "store", "first");
    const auto store = openStore(calm(folder / "store"));
    ASSERT_TRUE(store);
    note(*store, "second");
    for (const bool whole : {true, false}) {
        crashInto(folder / "store", folder / "torn");
        const std::string path = folder / "torn" + kDatabase;
        std::string mark, content = contentOf(path);
        const std::size_t at = markIn(path, mark);
        ASSERT_LT(at, content.size());
        content.replace(at, 4, "$$$$");
        if (whole) content.replace(at + mark.rfind(' ') + 1, 4, "$$$$");
        ASSERT_TRUE(replaceFile(path, content).ok());
        const auto opened = Store::open(calm(folder / "torn"));
        EXPECT_EQ(opened.ok(), !whole) << (opened.ok() ? "" : opened.error().text);
        if (opened.ok()) {
            EXPECT_EQ(countNotes(**opened), 2);
        }
    }
}

TEST(Opening, AStoreThatHasNoMarkYetGetsOne) {
    const TempFolder folder;
    makeStore(folder / "store", "first");
    writeAsAStranger(folder / "store", "DELETE FROM store WHERE key = 'log'", Ends::Closed);
    {
        const auto store = openStore(calm(folder / "store"));
        ASSERT_TRUE(store);
    }
    writeAsAStranger(folder / "store", "INSERT INTO note (text) VALUES ('second')");
    const std::string unmarked = contentOf(folder / "store" + kLog);
    {
        const auto store = openStore(calm(folder / "store"));
        ASSERT_TRUE(store) << "the log of a program that knew of no marks";
        EXPECT_EQ(countNotes(*store), 2);
        note(*store, "third");
    }
    putBeside(folder / "store", unmarked);
    expectRefused(folder / "store", "no mark");
}

TEST(Opening, ALogThatSomebodyElseFoldedIsMarkedAgain) {
    const TempFolder folder;
    makeStore(folder / "store", "first");
    const auto store = openStore(calm(folder / "store"));
    ASSERT_TRUE(store);
    note(*store, std::string(30'000, 'x'));
    writeAsAStranger(folder / "store", "PRAGMA wal_checkpoint(TRUNCATE)");
    for (const char* text : {"second", "third"}) note(*store, text);
    crashInto(folder / "store", folder / "crashed");
    const auto crashed = openStore(calm(folder / "crashed"));
    ASSERT_TRUE(crashed);
    EXPECT_EQ(countNotes(*crashed), 4);
}

// What counts no changed row changes the database as well.
TEST(Opening, ALogThatBeganWithATableIsTaken) {
    const TempFolder folder;
    makeStore(folder / "store", "first");
    const auto store = openStore(calm(folder / "store"));
    ASSERT_TRUE(store);
    ASSERT_TRUE(store
                    ->write([](WriteSession& s) -> Result<void> {
                        POSTERN_TRY(s.run("CREATE TABLE more (x)"));
                        return {};
                    })
                    .ok());
    crashInto(folder / "store", folder / "crashed");
    ASSERT_GT(fs::file_size(folder / "crashed" + kLog), 0u);
    ASSERT_TRUE(openStore(calm(folder / "crashed")));
}

TEST(Store, AWorkThatChangesNothingWritesNothing) {
    const TempFolder folder;
    makeStore(folder / "store", "first");
    const auto store = openStore(calm(folder / "store"));
    ASSERT_TRUE(store);
    ASSERT_TRUE(store
                    ->write([](WriteSession& s) -> Result<void> {
                        POSTERN_LET(changed, s.run("UPDATE note SET text = 'x' WHERE text = 'nobody'"));
                        EXPECT_EQ(changed, 0);
                        return {};
                    })
                    .ok());
    EXPECT_EQ(fs::file_size(folder / "store" + kLog), 0u);
}

// Freed pages are given back in a commit of their own, with which the log begins here: the next fold fails.
TEST(Opening, ALogThatBeganWithPagesGivenBackIsTaken) {
    const TempFolder folder;
    FaultyDisk disk;
    auto options = calm(folder / "store");
    options.engineOption = FaultyDisk::kName;
    {
        const auto store = openStore(options);
        ASSERT_TRUE(store);
        note(*store, std::string(12 << 20, 'x'));
        const auto removed = store->write([](WriteSession& s) -> Result<void> {
            POSTERN_TRY(s.run("DELETE FROM note"));
            return addNote(s, "stays");
        });
        ASSERT_TRUE(removed.ok()) << describe(removed);
        disk.failSyncs("postern.db", 1);
        store->foldSoon();
        ASSERT_TRUE(eventually([&] { return store->broken(); }));
    }
    disk.heal();
    ASSERT_GT(fs::file_size(folder / "store" + kLog), 0u);
    const auto store = openStore(options);
    ASSERT_TRUE(store);
    EXPECT_EQ(countNotes(*store), 1);
}

}  // namespace
}  // namespace postern::tests
