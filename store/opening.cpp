// A new store is made under another name and renamed when it is whole and on the disk, so that a file named
// postern.db is always a store. The order is: postern.db.new, then store.id, then the rename; a crash between
// any two is mended by the next start.

#include "store/opening.h"

#include <filesystem>

#include "base/file.h"
#include "base/library_error.h"
#include "base/owners_rights.h"
#include "base/page_cache.h"
#include "base/peer.h"
#include "base/random.h"
#include "base/service_control.h"
#include "base/text.h"
#include "store/log_file.h"
#include "store/log_mark.h"

namespace postern::store {

namespace {

constexpr char kNewName[] = "postern.db.new";
constexpr char kMarkerName[] = "store.id";
// Reading more than this would make the start slow; larger files are checked by `postern store check`.
constexpr std::int64_t kQuickCheckBytes = 64 << 20;
constexpr Millis kFoldPatience{10'000};

Result<void> apply(SqliteWriter& engine, const Migration& migration) {
    POSTERN_TRY(engine.begin());
    Result<void> done = engine.script(migration.sql);
    if (done.ok()) done = engine.script("PRAGMA user_version=" + std::to_string(migration.number));
    if (done.ok()) done = engine.commit();
    engine.rollback();
    if (!done.ok())
        return done.error().within("migration " + std::to_string(migration.number) + " (" + migration.name +
                                   ")");
    return {};
}

Result<void> applyFrom(SqliteWriter& engine, const std::vector<Migration>& migrations, std::int64_t version) {
    for (const Migration& migration : migrations)
        if (migration.number > version) POSTERN_TRY(apply(engine, migration));
    return {};
}

Result<void> removeDatabase(const std::string& path) {
    for (const char* suffix : {"-wal", "-shm", "-journal", ""}) POSTERN_TRY(removeFile(path + suffix));
    return {};
}

Result<std::string> makeNew(const StoreOptions& options, const std::string& path) {
    POSTERN_TRY(removeDatabase(path));
    const std::string id = randomName(20);
    POSTERN_LET(engine, SqliteWriter::open(path, options.engineOption, SqliteWriter::File::New));
    // Until it is named postern.db nobody relies on it: one sync at the end is enough.
    POSTERN_TRY(engine->script("PRAGMA synchronous=OFF"));
    POSTERN_TRY(engine->startLog());
    POSTERN_TRY(applyFrom(*engine, options.migrations, 0));
    POSTERN_TRY(engine->run("INSERT INTO store (key, value) VALUES ('id', ?1)", id));
    POSTERN_LET(folded, engine->foldLog(Fold::Empty, kFoldPatience));
    if (folded != Folded::Whole) return fail(Errc::Busy, path + " is in use");
    // Mail and password verifiers: for the service's user and group only, whatever the umask is.
    POSTERN_TRY(setFileMode(path, 0640));
    return id;
}

Result<void> syncFile(const std::string& path) {
    POSTERN_LET(file, File::openAppend(path));
    POSTERN_TRY(file.sync());
    return file.close();
}

Result<void> create(const StoreOptions& options) {
    const std::string path = joinPath(options.folder, kNewName);
    POSTERN_LET(id, makeNew(options, path));
    POSTERN_TRY(syncFile(path));
    POSTERN_LET(folder, Folder::open(options.folder));
    POSTERN_TRY(folder.sync());
    return replaceFile(joinPath(options.folder, kMarkerName), id + "\n");
}

Result<void> nameNew(const std::string& path) {
    POSTERN_LET(folder, Folder::open(path));
    POSTERN_LET(moved, folder.moveNoReplace(kNewName, folder, kDatabaseName));
    if (moved != Moved::Done)
        return fail(Errc::Exists, joinPath(path, kDatabaseName) + " appeared while it was being made");
    return folder.sync();
}

// Mail whose database is gone: a new store would sweep it away as belonging to nothing.
Result<bool> hasBodies(const std::string& folder) {
    const std::string path = joinPath(folder, kBodiesName);
    std::error_code error;
    std::filesystem::recursive_directory_iterator each(libraryPath(path), error), end;
    if (error == std::errc::no_such_file_or_directory) return false;
    for (; !error && each != end; each.increment(error))
        if (each->is_regular_file(error)) return true;
    if (error) return libraryError(error, path);
    return false;
}

// A link would lead to a store whose lock, log and bodies stand elsewhere.
Result<void> checkRegular(const std::string& path) {
    POSTERN_LET(folder, Folder::open(path));
    POSTERN_LET(facts, folder.facts(kDatabaseName));
    if (facts.regular) return {};
    return fail(Errc::Invalid, joinPath(path, kDatabaseName) +
                                   " is no regular file: put the database itself there, or name the folder "
                                   "in which it stands as \"store\"");
}

// Leaves a file named postern.db, or says why there is none.
Result<void> findOrCreate(const StoreOptions& options) {
    if (pathExists(joinPath(options.folder, kDatabaseName))) return checkRegular(options.folder);
    const bool marked = pathExists(joinPath(options.folder, kMarkerName));
    // A log without its database would be taken for the log of whatever gets the name.
    const bool orphanedLog = pathExists(joinPath(options.folder, kDatabaseName) + "-wal");
    // The marker is written when the new file is whole.
    if (marked && !orphanedLog && pathExists(joinPath(options.folder, kNewName)))
        return nameNew(options.folder);
    if (marked || orphanedLog)
        return fail(Errc::NotFound, "there was a store in " + options.folder +
                                        ", but postern.db is missing: restore it from a backup, or remove "
                                        "store.id and postern.db-wal to begin an empty one");
    POSTERN_LET(bodies, hasBodies(options.folder));
    if (bodies)
        return fail(Errc::NotFound, "there was a store in " + options.folder +
                                        ": bodies of mail are there, but postern.db is missing: restore it "
                                        "from a backup, or move \"bodies\" away to begin an empty one");
    if (!options.create) return fail(Errc::NotFound, "there is no store in " + options.folder);
    POSTERN_TRY(create(options));
    return nameNew(options.folder);
}

// Before anything is written or accepted: what a failed sync left in the system's cache only is written again
// and synced (RELIABILITY 2.4).
Result<void> foldFirst(SqliteWriter& engine, const std::string& path) {
    POSTERN_LET(folded, engine.foldLog(Fold::Empty, kFoldPatience));
    if (folded == Folded::Partly)
        return fail(Errc::Busy, path + ": another program keeps reading an old snapshot");
    return {};
}

// With a log that nobody folded back the last one to write did not end well, by a failed sync perhaps. What
// never reached the disk is not to be taken for what stands there, and not to be built upon.
Result<void> lookAtTheDisk(const std::string& path) {
    const std::string log = path + "-wal";
    POSTERN_LET(left, beginsAsLog(log));
    if (!left) return {};
    POSTERN_TRY(forgetCached(log));
    return forgetCached(path);
}

Result<std::string> checkId(SqliteWriter& engine, const std::string& folder) {
    std::string id;
    {
        Statement row = engine.query("SELECT value FROM store WHERE key = 'id'");
        if (row.next()) id = row.text(0);
        POSTERN_TRY(row.finish());
    }
    const std::string path = joinPath(folder, kMarkerName);
    const std::string advice =
        "; if this postern.db belongs here (a restored backup), write its id, " + id + ", into " + path;
    const Result<std::string> marker = readFile(path, 1000);
    if (!marker.ok() && marker.error().code == Errc::NotFound)
        return fail(Errc::Invalid, path + " is missing" + advice);
    if (!marker.ok()) return marker.error();
    if (id.empty() || trim(*marker) != id)
        return fail(Errc::Invalid, path + " names another store, " + escapeLine(trim(*marker), 40) + advice);
    return id;
}

// The copy gets its name when it is whole. One of an earlier attempt at the same migration is replaced.
Result<void> copyAside(SqliteWriter& engine, const std::string& path, std::int64_t next) {
    const std::string name = std::string(kDatabaseName) + ".before-" + std::to_string(next);
    const std::string aside = path + "/" + name + ".tmp";
    POSTERN_TRY(removeFile(aside));
    POSTERN_TRY(engine.copyInto(aside));
    POSTERN_TRY(syncFile(aside));
    POSTERN_LET(folder, Folder::open(path));
    POSTERN_TRY(folder.moveReplacing(name + ".tmp", folder, name));
    return folder.sync();
}

Result<void> bringUpToDate(SqliteWriter& engine, const StoreOptions& options, std::int64_t version) {
    if (version == static_cast<std::int64_t>(options.migrations.size())) return {};
    POSTERN_TRY(copyAside(engine, options.folder, version + 1));
    POSTERN_TRY(applyFrom(engine, options.migrations, version));
    return foldFirst(engine, options.folder);
}

Result<void> checkWhenSmall(SqliteWriter& engine, const std::string& path) {
    POSTERN_LET(bytes, fileSize(path));
    if (bytes > kQuickCheckBytes) return {};
    return engine.checkPages();
}

}  // namespace

Result<FileLock> lockStore(const std::string& folder) {
    const std::string path = joinPath(folder, "lock");
    auto lock = FileLock::acquire(path);
    if (lock.ok()) return lock;
    if (lock.error().code == Errc::Busy)
        return fail(Errc::Busy, "the store is in use: " + lock.error().text + "; stop the service first (" +
                                    stopCommand() + "), or let that end");
    if (lock.error().code != Errc::Denied) return lock;
    const auto owner = fileOwner(pathExists(path) ? path : folder);
    if (!owner.ok() || *owner == effectiveUser()) return lock;  // a file system without writing
    return fail(Errc::Denied, lock.error().text + "; it belongs to " + *owner + ", and this runs as " +
                                  effectiveUser() + ": the whole folder must be the service's user's (" +
                                  handOverCommand(folder) + ")");
}

Result<void> checkNumbers(const std::vector<Migration>& migrations) {
    int expected = 1;
    for (const Migration& migration : migrations)
        if (migration.number != expected++)
            return fail(Errc::Internal, "migration " + std::to_string(migration.number) + " is out of order");
    return {};
}

namespace {

struct Known {
    std::int64_t version;
    std::string id;
};

// Reads only: a file that is refused stays as it was.
Result<Known> inspect(SqliteWriter& engine, const StoreOptions& options, const std::string& path,
                      const std::optional<LogMark>& mark) {
    POSTERN_TRY(checkLog(engine, mark));
    POSTERN_LET(version, engine.one("PRAGMA user_version"));
    if (version > static_cast<std::int64_t>(options.migrations.size()))
        return fail(Errc::Invalid, "it has version " + std::to_string(version) + "; use a newer Postern");
    POSTERN_LET(id, checkId(engine, options.folder));
    POSTERN_TRY(checkWhenSmall(engine, path));
    return Known{version, id};
}

Error refused(const Error& error, const std::string& path) {
    if (error.code != Errc::Corrupt) return error.within(path);
    return fail(Errc::Corrupt, path + " is damaged, restore it from a backup: " + error.text);
}

}  // namespace

Result<Opened> openDatabase(const StoreOptions& options) {
    POSTERN_TRY(findOrCreate(options));
    const std::string path = joinPath(options.folder, kDatabaseName);
    POSTERN_TRY(lookAtTheDisk(path));
    POSTERN_TRY(checkFileHeader(path, static_cast<int>(options.migrations.size())));
    const Result<std::optional<LogMark>> mark = markOfFile(path, options.engineOption);
    if (!mark.ok()) return refused(mark.error(), path);
    Result<std::unique_ptr<SqliteWriter>> opened =
        SqliteWriter::open(path, options.engineOption, SqliteWriter::File::Existing);
    if (!opened.ok()) return refused(opened.error(), path);
    std::unique_ptr<SqliteWriter> engine = std::move(opened).value();
    Result<Known> known = inspect(*engine, options, path, *mark);
    if (!known.ok()) return refused(known.error(), path);
    // It is ours and whole; nothing was written until here.
    POSTERN_TRY(engine->startLog());
    POSTERN_TRY(foldFirst(*engine, path));
    POSTERN_TRY(bringUpToDate(*engine, options, known->version));
    return Opened{std::move(engine), std::move(known->id)};
}

}  // namespace postern::store
