// What Store::open takes, makes, mends and refuses.

#include <filesystem>
#include <map>

#include <gtest/gtest.h>

#include "base/file.h"
#include "base/owners_rights.h"
#include "base/peer.h"
#include "tests/kit/platform.h"
#include "tests/unit/store/open_store.h"

namespace postern::tests {
namespace {

namespace fs = std::filesystem;
using store::WriteSession;

constexpr std::size_t kAll = 1 << 30;

std::string contentOf(const std::string& path) {
    auto bytes = readFile(path, kAll);
    EXPECT_TRUE(bytes.ok()) << path;
    return bytes.ok() ? std::move(bytes).value() : std::string();
}

void overwrite(const std::string& path, const std::string& bytes) {
    const auto written = replaceFile(path, bytes);
    ASSERT_TRUE(written.ok()) << describe(written);
}

// Every file of the store but the lock, whose content is the holder's process id.
std::map<std::string, std::string> filesOf(const std::string& folder) {
    std::map<std::string, std::string> files;
    if (!fs::exists(folder)) return files;
    for (const auto& entry : fs::recursive_directory_iterator(folder))
        if (entry.is_regular_file() && entry.path().filename() != "lock")
            files[entry.path().generic_string()] = contentOf(entry.path().string());
    return files;
}

void makeStore(const store::StoreOptions& options, int count) {
    const auto store = openStore(options);
    ASSERT_TRUE(store);
    for (int i = 0; i < count; ++i) {
        const std::string text = std::to_string(i) + std::string(3000, 'x');
        ASSERT_TRUE(store->write([&](WriteSession& s) { return addNote(s, text); }).ok());
    }
}

struct Refusal {
    const char* name;
    void (*damage)(const std::string& folder);
    Errc wanted;
    const char* text;  // a part of it
};

std::string database(const std::string& folder) {
    return folder + "/postern.db";
}

void patch(const std::string& folder, std::size_t offset, const std::string& bytes) {
    std::string content = contentOf(database(folder));
    ASSERT_GT(content.size(), offset + bytes.size());
    content.replace(offset, bytes.size(), bytes);
    overwrite(database(folder), content);
}

// A crash left a log with mail in it; what is beside it is no database any more.
void leaveALogBeside(const std::string& folder, const std::string& bytes) {
    std::string log;
    {
        const auto store = openStore(optionsIn(folder));
        ASSERT_TRUE(store);
        const std::string large(30'000, 'x');
        ASSERT_TRUE(store->write([&](WriteSession& s) { return addNote(s, large); }).ok());
        log = contentOf(database(folder) + "-wal");
    }
    ASSERT_FALSE(log.empty());
    overwrite(database(folder), bytes);
    overwrite(database(folder) + "-wal", log);
}

const Refusal kRefusals[] = {
    {"EmptyBesideALog", [](const std::string& f) { leaveALogBeside(f, ""); }, Errc::Corrupt, "is empty"},
    {"AByteBesideALog", [](const std::string& f) { leaveALogBeside(f, "S"); }, Errc::Corrupt,
     "not a database"},
    {"AHeaderBesideALog", [](const std::string& f) { leaveALogBeside(f, std::string(400, 'a')); },
     Errc::Corrupt, "not a database"},
    {"Empty", [](const std::string& f) { overwrite(database(f), ""); }, Errc::Corrupt, "is empty"},
    {"Short", [](const std::string& f) { overwrite(database(f), "SQLite format 3"); }, Errc::Corrupt,
     "not a database"},
    {"TextFile", [](const std::string& f) { overwrite(database(f), std::string(5000, 'a')); }, Errc::Corrupt,
     "not a database"},
    {"TextFileBesideALog",
     [](const std::string& f) {
         overwrite(database(f), std::string(5000, 'a'));
         overwrite(database(f) + "-wal", "\x37\x7f\x06\x82" + std::string(5000, 'a'));
     },
     Errc::Corrupt, "damaged"},
    {"OtherProgram", [](const std::string& f) { patch(f, 68, "ABCD"); }, Errc::Invalid, "another program"},
    {"OtherProgramBesideALog",
     [](const std::string& f) {
         patch(f, 68, "ABCD");
         overwrite(database(f) + "-wal", "\x37\x7f\x06\x83" + std::string(5000, 'a'));
     },
     Errc::Invalid, "another program"},
    {"NewerVersion", [](const std::string& f) { patch(f, 60, std::string("\0\0\0\x09", 4)); }, Errc::Invalid,
     "newer Postern"},
    {"CutInHalf",
     [](const std::string& f) {
         const std::string content = contentOf(database(f));
         overwrite(database(f), content.substr(0, content.size() / 2));
     },
     Errc::Corrupt, "damaged"},
    {"GarbledPages", [](const std::string& f) { patch(f, 8192 * 3, std::string(8192 * 20, '\xa5')); },
     Errc::Corrupt, "damaged"},
    {"GarbledSchema", [](const std::string& f) { patch(f, 100, std::string(8000, '\xa5')); }, Errc::Corrupt,
     "malformed"},
    {"NoMarker", [](const std::string& f) { fs::remove(f + "/store.id"); }, Errc::Invalid,
     "store.id is missing"},
    {"OtherMarker", [](const std::string& f) { overwrite(f + "/store.id", "elsewhere\n"); }, Errc::Invalid,
     "names another store, elsewhere"},
    {"DatabaseGone", [](const std::string& f) { fs::remove(database(f)); }, Errc::NotFound,
     "postern.db is missing"},
    {"OnlyBodiesLeft",
     [](const std::string& f) {
         fs::create_directories(f + "/bodies/a7");
         overwrite(f + "/bodies/a7/k1.eml", "Subject: x\r\n\r\nmail");
         for (const char* name : {"/postern.db", "/postern.db-wal", "/postern.db-shm", "/store.id"})
             fs::remove(f + name);
     },
     Errc::NotFound, "bodies of mail are there"},
    {"BodiesThatCanNotBeRead",
     [](const std::string& f) {
         fs::remove_all(f + "/bodies");
         overwrite(f + "/bodies", "no folder");
         for (const char* name : {"/postern.db", "/postern.db-wal", "/postern.db-shm", "/store.id"})
             fs::remove(f + name);
     },
     Errc::NotFound, "bodies: "},
#ifndef _WIN32  // the C++ library makes no links there
    {"ALink",
     [](const std::string& f) {
         fs::rename(database(f), f + "/elsewhere.db");
         fs::create_symlink(f + "/elsewhere.db", database(f));
     },
     Errc::Invalid, "no regular file"},
#endif
    {"OnlyTheLogLeft",
     [](const std::string& f) {
         fs::rename(database(f), database(f) + "-wal");
         fs::remove(f + "/store.id");
     },
     Errc::NotFound, "postern.db is missing"},
};

class Refused : public testing::TestWithParam<Refusal> {};

TEST_P(Refused, WithAReasonAndNothingChanged) {
    const TempFolder folder;
    const auto options = optionsFor(folder);
    makeStore(options, 60);
    GetParam().damage(options.folder);
    const auto before = filesOf(options.folder);
    const auto opened = store::Store::open(options);
    ASSERT_FALSE(opened.ok());
    EXPECT_EQ(opened.error().code, GetParam().wanted) << opened.error().text;
    EXPECT_NE(opened.error().text.find(GetParam().text), std::string::npos) << opened.error().text;
    for (const auto& [path, content] : before)
        EXPECT_TRUE(contentOf(path) == content) << path << " was changed";
    EXPECT_EQ(fs::exists(database(options.folder)), before.contains(database(options.folder)));
}

INSTANTIATE_TEST_SUITE_P(Opening, Refused, testing::ValuesIn(kRefusals),
                         [](const auto& named) { return std::string(named.param.name); });

// Power may fail while the log is folded back, and tear the sector with the database's header.
TEST(Opening, AFirstPageThatWasTornIsReadFromTheLog) {
    const TempFolder folder, torn;
    const auto options = optionsFor(folder);
    {
        const auto store = openStore(options);
        ASSERT_TRUE(store);
        const std::string large(30'000, 'x');  // the database grows, so its first page is in the log
        ASSERT_TRUE(store->write([&](WriteSession& s) { return addNote(s, large); }).ok());
        fs::copy(options.folder, torn / "store", fs::copy_options::recursive);
    }
    ASSERT_TRUE(pathExists(torn / "store/postern.db-wal"));
    fs::remove(torn / "store/postern.db-shm");
    patch(torn / "store", 0, std::string(512, '\xa5'));
    const auto store = openStore(optionsFor(torn));
    ASSERT_TRUE(store);
    EXPECT_EQ(countNotes(*store), 1);
}

TEST(Opening, AnErrorNamesTheDatabase) {
    const TempFolder folder;
    const auto options = optionsFor(folder);
    makeStore(options, 1);
    overwrite(database(options.folder), "");
    const auto opened = store::Store::open(options);
    ASSERT_FALSE(opened.ok());
    EXPECT_NE(opened.error().text.find(joinPath(options.folder, "postern.db")), std::string::npos)
        << opened.error().text;
}

TEST(Opening, WithoutCreateNothingIsMade) {
    const TempFolder folder;
    auto options = optionsFor(folder);
    options.create = false;
    auto opened = store::Store::open(options);
    ASSERT_FALSE(opened.ok());
    EXPECT_EQ(opened.error().code, Errc::NotFound);
    EXPECT_FALSE(fs::exists(options.folder));
    fs::create_directories(options.folder);
    opened = store::Store::open(options);
    ASSERT_FALSE(opened.ok());
    EXPECT_EQ(opened.error().code, Errc::NotFound);
    EXPECT_TRUE(filesOf(options.folder).empty());
}

TEST(Opening, ARelativeFolderIsRefused) {
    auto options = store::StoreOptions{};
    options.folder = "here";
    options.migrations = store::messageMigrations();
    const auto opened = store::Store::open(options);
    ASSERT_FALSE(opened.ok());
    EXPECT_EQ(opened.error().code, Errc::Invalid);
}

TEST(Opening, AStoreMayStandDeepDownAndBeyondAscii) {
    const TempFolder folder;
    std::string deep = folder.path();
    while (deep.size() < 400) deep += "/\u00e9 folder with a name of some length";
    ASSERT_TRUE(makeFolders(deep).ok());
    auto options = optionsFor(folder);
    options.folder = deep;
    ASSERT_TRUE(openStore(options));
    ASSERT_TRUE(openStore(options)) << "what was made is found again";
    EXPECT_TRUE(pathExists(deep + "/postern.db"));
    EXPECT_FALSE(pathExists(deep + "/postern.db-wal")) << "its log stood beside it and was folded back";
}

TEST(Opening, AStoreOfAnotherUserIsNotCalledInUse) {
    SKIP_ON_WINDOWS("nobody acts with another user's rights");
    if (!isAdministrator()) GTEST_SKIP() << "only root can make one";
    const TempFolder folder;
    ASSERT_TRUE(openStore(optionsFor(folder)));
    ASSERT_TRUE(setFileMode(folder.path(), 0755).ok());
    ASSERT_TRUE(makeFolders(folder / "his").ok());
    ASSERT_TRUE(setFileOwner(folder / "his", "65534").ok());
    const auto rights = OwnersRights::of(folder / "his");
    ASSERT_TRUE(rights.ok()) << rights.error().text;
    const auto refused = store::Store::open(optionsFor(folder));
    ASSERT_FALSE(refused.ok());
    EXPECT_EQ(refused.error().code, Errc::Denied);
    EXPECT_EQ(refused.error().text.find("in use"), std::string::npos) << refused.error().text;
    for (const std::string& part :
         {std::string("belongs to root"), "runs as " + effectiveUser(), std::string("chown -R")})
        EXPECT_NE(refused.error().text.find(part), std::string::npos) << refused.error().text;
}

TEST(Opening, ASecondOpenerIsRefusedUntilTheFirstEnds) {
    const TempFolder folder;
    auto first = openStore(optionsFor(folder));
    ASSERT_TRUE(first);
    const auto second = store::Store::open(optionsFor(folder));
    ASSERT_FALSE(second.ok());
    EXPECT_EQ(second.error().code, Errc::Busy);
    for (const std::string& part :
         {"process " + std::to_string(processId()) + " (store_tests", std::string("stop the service first")})
        EXPECT_NE(second.error().text.find(part), std::string::npos) << second.error().text;
    first.reset();
    EXPECT_TRUE(openStore(optionsFor(folder)));
}

// Each state that a crash while making a new store can leave behind.
TEST(Opening, AnUnfinishedNewStoreIsMadeAgain) {
    const TempFolder folder;
    const auto options = optionsFor(folder);
    fs::create_directories(options.folder);
    overwrite(options.folder + "/postern.db.new", "half");
    overwrite(options.folder + "/postern.db.new-wal", "half");
    makeStore(options, 1);
    EXPECT_FALSE(fs::exists(options.folder + "/postern.db.new"));
    EXPECT_FALSE(fs::exists(options.folder + "/postern.db.new-wal"));
}

TEST(Opening, AFinishedNewStoreGetsItsName) {
    const TempFolder folder;
    const auto options = optionsFor(folder);
    makeStore(options, 3);
    const std::string id = contentOf(options.folder + "/store.id");
    fs::rename(database(options.folder), options.folder + "/postern.db.new");
    const auto store = openStore(options);
    ASSERT_TRUE(store);
    EXPECT_EQ(store->id() + "\n", id);
    EXPECT_EQ(countNotes(*store), 3);
}

// A copy of the files of a living store is what a crash leaves.
void crashInto(const std::string& living, const std::string& folder) {
    fs::create_directories(folder);
    for (const char* name : {"/postern.db", "/postern.db-wal", "/store.id"})
        fs::copy_file(living + name, folder + name);
}

TEST(Opening, WhatACrashLeftInTheLogIsFoldedBackFirst) {
    const TempFolder folder, after;
    const auto living = openStore(optionsFor(folder));
    ASSERT_TRUE(living);
    for (int i = 0; i < 10; ++i) {
        const std::string text = std::to_string(i);
        ASSERT_TRUE(living->write([&](WriteSession& s) { return addNote(s, text); }).ok());
    }
    crashInto(living->folder(), after / "store");
    ASSERT_GT(fs::file_size(after / "store/postern.db-wal"), 0u);
    const auto store = openStore(optionsFor(after));
    ASSERT_TRUE(store);
    EXPECT_EQ(fs::file_size(after / "store/postern.db-wal"), 0u);
    EXPECT_EQ(countNotes(*store), 10);
}

TEST(Opening, ANewerVersionInTheLogIsRefusedUntouched) {
    const TempFolder folder, after;
    const auto living = openStore(optionsFor(folder));
    ASSERT_TRUE(living);
    ASSERT_TRUE(living
                    ->write([](WriteSession& s) -> Result<void> {
                        POSTERN_TRY(s.run("PRAGMA user_version=9"));
                        return {};
                    })
                    .ok());
    crashInto(living->folder(), after / "store");
    const auto before = filesOf(after / "store");
    const auto opened = store::Store::open(optionsFor(after));
    ASSERT_FALSE(opened.ok());
    EXPECT_EQ(opened.error().code, Errc::Invalid) << opened.error().text;
    for (const auto& [path, content] : before)
        EXPECT_TRUE(contentOf(path) == content) << path << " was changed";
}

TEST(Opening, AnOlderStoreIsCopiedAsideThenMigrated) {
    const TempFolder folder, backup;
    auto options = optionsFor(folder);
    makeStore(options, 5);
    overwrite(options.folder + "/postern.db.before-3.tmp", "of an attempt that was cut off");
    options.migrations.push_back(
        {3, "more notes", "ALTER TABLE note ADD COLUMN more TEXT NOT NULL DEFAULT 'm';"});
    {
        const auto store = openStore(options);
        ASSERT_TRUE(store);
        EXPECT_EQ(countNotes(*store), 5);
        EXPECT_TRUE(store
                        ->write([](WriteSession& s) -> Result<void> {
                            POSTERN_TRY(s.run("UPDATE note SET more = 'n'"));
                            return {};
                        })
                        .ok());
    }
    // The copy is a whole store of the version before, and opens as one.
    const std::string copy = options.folder + "/postern.db.before-3";
    ASSERT_TRUE(fs::exists(copy));
    EXPECT_FALSE(fs::exists(copy + ".tmp"));
    fs::create_directories(backup / "store");
    fs::copy_file(copy, backup / "store/postern.db");
    fs::copy_file(options.folder + "/store.id", backup / "store/store.id");
    const auto restored = openStore(optionsFor(backup));
    ASSERT_TRUE(restored);
    EXPECT_EQ(countNotes(*restored), 5);
}

TEST(Opening, AFailedMigrationLeavesTheStoreAsItWas) {
    const TempFolder folder;
    const auto good = optionsFor(folder);
    makeStore(good, 5);
    auto bad = good;
    bad.migrations.push_back({3, "broken", "CREATE TABLE a (x); INSERT INTO nowhere VALUES (1);"});
    for (int attempt = 0; attempt < 2; ++attempt) {
        const auto opened = store::Store::open(bad);
        ASSERT_FALSE(opened.ok());
        EXPECT_NE(opened.error().text.find("migration 3 (broken)"), std::string::npos) << opened.error().text;
    }
    const auto store = openStore(good);
    ASSERT_TRUE(store);
    EXPECT_EQ(countNotes(*store), 5);
    EXPECT_TRUE(store
                    ->write([](WriteSession& s) -> Result<void> {
                        POSTERN_TRY(s.run("CREATE TABLE a (y)"));
                        return {};
                    })
                    .ok())
        << "a part of the failed migration stayed";
}

TEST(Opening, MigrationsOutOfOrderAreAMistakeInTheProgram) {
    const TempFolder folder;
    auto options = optionsFor(folder);
    options.migrations.push_back({5, "gap", "CREATE TABLE a (x);"});
    const auto opened = store::Store::open(options);
    ASSERT_FALSE(opened.ok());
    EXPECT_EQ(opened.error().code, Errc::Internal);
}

// The settings that keep mail safe, as the engine itself reports them on the writer's connection and on a
// reader's.
TEST(Opening, TheSettingsThatKeepMailSafeAreInForce) {
    const TempFolder folder;
    const auto store = openStore(optionsFor(folder));
    ASSERT_TRUE(store);
    struct Setting {
        const char* pragma;
        std::int64_t writer, reader;
    };
    const Setting settings[] = {{"PRAGMA synchronous", 2, 2},        {"PRAGMA wal_autocheckpoint", 0, 0},
                                {"PRAGMA foreign_keys", 1, 1},       {"PRAGMA trusted_schema", 0, 0},
                                {"PRAGMA cell_size_check", 1, 1},    {"PRAGMA secure_delete", 2, -1},
                                {"PRAGMA page_size", 4096, 4096},    {"PRAGMA auto_vacuum", 2, 2},
                                {"PRAGMA temp_store", 2, 2},         {"PRAGMA mmap_size", 0, 0},
                                {"PRAGMA cache_size", -8192, -1024}, {"PRAGMA query_only", 0, 1}};
    const auto check = [&](store::Session& session, std::int64_t Setting::*wanted, const char* who) {
        for (const Setting& setting : settings) {
            if (setting.*wanted < 0 && std::string(setting.pragma) == "PRAGMA secure_delete") continue;
            const auto got = session.one(setting.pragma);
            EXPECT_TRUE(got.ok() && *got == setting.*wanted)
                << setting.pragma << " of the " << who << ": got " << (got.ok() ? *got : -999999)
                << ", wanted " << setting.*wanted;
        }
        store::Statement mode = session.query("PRAGMA journal_mode");
        EXPECT_TRUE(mode.next());
        EXPECT_EQ(mode.text(0), "wal");
    };
    EXPECT_TRUE(store
                    ->write([&](WriteSession& s) {
                        check(s, &Setting::writer, "writer");
                        return Result<void>();
                    })
                    .ok());
    EXPECT_TRUE(store
                    ->read([&](store::ReadSession& s) {
                        check(s, &Setting::reader, "reader");
                        return Result<void>();
                    })
                    .ok());
}

}  // namespace
}  // namespace postern::tests
