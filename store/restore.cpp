// Restoring a store, and giving its unused space back: under the store's lock.
//
// The order of a restore: the new store is made whole, marked and synced in a folder of its own inside the
// store's; then what stands in the place of the database goes aside, store.id is written, the bodies and last
// the database get their names. Between the first and the last of these moves there is a store.id and no
// postern.db, and on such a folder no service starts (opening.cpp).

#include <filesystem>

#include "base/file.h"
#include "base/library_error.h"
#include "base/owners_rights.h"
#include "base/peer.h"
#include "base/random.h"
#include "base/text.h"
#include "base/usable_folder.h"
#include "store/backup.h"
#include "store/opening.h"

namespace postern::store {

namespace {

constexpr char kMarkerName[] = "store.id";
constexpr char kAside[] = "before-restore.unfinished";
constexpr char kUnfinished[] = ".restore-";  // and a random name: of a restore that did not end
constexpr Millis kFoldPatience{10'000};

struct Sequence {
    std::string table;
    std::int64_t last;
};

// The highest ids of a store that is about to go; nothing where there is none or it can not be read.
std::vector<Sequence> lastIds(const std::string& database) {
    std::vector<Sequence> all;
    if (!pathExists(database)) return all;
    const auto reader = SqliteReader::open(database, "");
    if (!reader.ok()) return all;
    Statement rows = (*reader)->query("SELECT name, seq FROM sqlite_sequence");
    while (rows.next()) all.push_back({std::string(rows.text(0)), rows.integer(1)});
    if (!rows.finish().ok()) all.clear();
    return all;
}

// Also of tables in which nothing was ever numbered.
Result<void> jumpIds(WriteSession& session, const std::vector<Sequence>& others) {
    POSTERN_TRY(
        session.run("INSERT INTO sqlite_sequence (name, seq) SELECT name, 0 FROM sqlite_master"
                    " WHERE type = 'table' AND sql LIKE '%AUTOINCREMENT%'"
                    " AND name NOT IN (SELECT name FROM sqlite_sequence)"));
    for (const Sequence& other : others)
        POSTERN_TRY(session.run("UPDATE sqlite_sequence SET seq = max(seq, ?2) WHERE name = ?1", other.table,
                                other.last));
    POSTERN_TRY(session.run("UPDATE sqlite_sequence SET seq = seq + ?1", kIdJump));
    return {};
}

Result<void> syncPath(const std::string& path) {
    POSTERN_LET(file, File::openAppend(path));
    POSTERN_TRY(file.sync());
    return file.close();
}

Result<void> copyFile(File& source, const Folder& to, const std::string& name, const Progress& progress) {
    constexpr std::size_t kPiece = 1 << 20;
    POSTERN_LET(size, source.size());
    POSTERN_LET(target, to.create(name));
    std::string piece(kPiece, '\0');
    for (std::int64_t at = 0;;) {
        POSTERN_LET(got, source.readAt(at, piece.data(), piece.size()));
        if (got == 0) break;
        POSTERN_TRY(target.write(std::string_view(piece).substr(0, got)));
        at += static_cast<std::int64_t>(got);
        progress("copying", at, size);
    }
    POSTERN_TRY(target.sync());
    return target.close();
}

// Large bodies stand in files again: a watcher reads them from there without holding them in memory.
Result<void> fileBodies(SqliteWriter& engine, const std::string& folder, const RestoreOptions& options) {
    std::vector<std::int64_t> large;
    {
        Statement rows = engine.query(
            "SELECT message.id FROM message JOIN body ON body.message_id = message.id"
            " WHERE message.size > ?1 ORDER BY message.id",
            options.inlineBodyLimit);
        while (rows.next()) large.push_back(rows.integer(0));
        POSTERN_TRY(rows.finish());
    }
    constexpr char kPlace[] = "bodies/00";
    POSTERN_LET(place, Folder::make(joinPath(folder, kPlace)));
    for (std::size_t i = 0; i < large.size(); ++i) {
        options.progress("bodies", static_cast<std::int64_t>(i), static_cast<std::int64_t>(large.size()));
        const std::string name = randomName(24) + ".eml";
        POSTERN_LET(file, place.create(name));
        POSTERN_TRY(engine.readBody(large[i], [&](std::string_view bytes) { return file.write(bytes); }));
        POSTERN_TRY(file.sync());
        POSTERN_TRY(file.close());
        POSTERN_TRY(engine.run("UPDATE message SET body_file = ?2 WHERE id = ?1", large[i],
                               std::string(kPlace) + "/" + name));
        POSTERN_TRY(engine.run("DELETE FROM body WHERE message_id = ?1", large[i]));
    }
    POSTERN_TRY(place.sync());
    POSTERN_LET(bodies, Folder::open(joinPath(folder, kBodiesName)));
    return bodies.sync();
}

Result<void> inOneTransaction(SqliteWriter& engine, const std::function<Result<void>()>& work) {
    POSTERN_TRY(engine.begin());
    Result<void> done = work();
    if (done.ok()) done = engine.commit();
    engine.rollback();
    return done;
}

// A whole store in `folder`, without its lock.
Result<void> make(File& source, const BackupFigures& backup, const std::string& folder,
                  const std::vector<Sequence>& others, const RestoreOptions& options) {
    POSTERN_LET(place, Folder::make(folder));
    POSTERN_TRY(copyFile(source, place, kDatabaseName, options.progress));
    POSTERN_TRY(replaceFile(joinPath(folder, kMarkerName), backup.id + "\n"));
    StoreOptions opening;
    opening.folder = folder;
    opening.migrations = options.migrations;
    opening.create = false;
    POSTERN_LET(opened, openDatabase(opening));  // an older schema is brought up to date
    SqliteWriter& engine = *opened.engine;
    const auto change = [&]() -> Result<void> {
        POSTERN_TRY(fileBodies(engine, folder, options));
        POSTERN_TRY(jumpIds(engine, others));
        POSTERN_TRY(engine.run("DELETE FROM store WHERE key = 'backup_ms'"));
        POSTERN_TRY(engine.run("INSERT OR REPLACE INTO store (key, value) VALUES ('restored_ms', ?1)",
                               std::to_string(toMillis(options.now))));
        return options.mark(engine, backup);
    };
    POSTERN_TRY(inOneTransaction(engine, change));
    POSTERN_LET(folded, engine.foldLog(Fold::Empty, kFoldPatience));
    if (folded != Folded::Whole) return fail(Errc::Busy, folder + " is in use");
    opened.engine.reset();
    POSTERN_TRY(syncPath(joinPath(folder, kDatabaseName)));
    return place.sync();
}

// What has the name there already is what an earlier attempt moved: both stay.
Result<bool> moveAside(const Folder& store, const std::string& name, const Folder& aside) {
    POSTERN_LET(there, store.has(name));
    if (!there) return false;
    POSTERN_LET(taken, aside.has(name));
    const std::string to = taken ? name + "." + randomName(4) : name;
    POSTERN_LET(moved, store.moveNoReplace(name, aside, to));
    if (moved != Moved::Done) return fail(Errc::Io, joinPath(store.path(), name) + " can not be moved aside");
    POSTERN_TRY(aside.sync());
    POSTERN_TRY(store.sync());
    return true;
}

Result<void> moveIn(const Folder& from, const std::string& name, const Folder& store) {
    POSTERN_LET(moved, from.moveNoReplace(name, store, name));
    if (moved != Moved::Done)
        return fail(Errc::Io, joinPath(from.path(), name) + " can not be moved into its place");
    return store.sync();
}

Result<void> copyMarker(const std::string& from, const std::string& to) {
    POSTERN_LET(id, readFile(joinPath(from, kMarkerName), 1000));
    return replaceFile(joinPath(to, kMarkerName), id);
}

// A store.id stands there from here on, so that the folder never looks like one without a store; an old one
// is kept with its store.
Result<void> mark(const std::string& made, const std::string& folder, const std::string& aside) {
    if (!pathExists(joinPath(folder, kMarkerName))) return copyMarker(made, folder);
    if (pathExists(joinPath(aside, kMarkerName))) return {};
    return copyMarker(folder, aside);
}

// The folder gets its final name when all is done, so that another attempt after a crash goes on with the
// same one.
Result<std::string> nameAside(const Folder& store, const Folder& aside, WallTime now) {
    bool any = false;
    POSTERN_TRY(aside.list([&](std::string_view name) {
        any = any || name != kMarkerName;
        return !any;
    }));
    std::error_code ignored;  // a folder without anything in it does no harm
    if (!any) std::filesystem::remove_all(libraryPath(aside.path()), ignored);
    if (!any) return std::string();
    std::string name = "before-restore-" + formatUtc(now) + "-" + randomName(4);
    std::erase(name, ':');
    POSTERN_LET(moved, store.moveNoReplace(kAside, store, name));
    if (moved != Moved::Done) return fail(Errc::Io, aside.path() + " can not be renamed");
    POSTERN_TRY(store.sync());
    return joinPath(store.path(), name);
}

// "" when nothing had to go aside.
Result<std::string> swap(const std::string& made, const RestoreOptions& options) {
    POSTERN_LET(store, Folder::open(options.folder));
    POSTERN_LET(from, Folder::open(made));
    POSTERN_LET(aside, Folder::make(joinPath(options.folder, kAside)));
    POSTERN_TRY(mark(made, options.folder, aside.path()));
    const std::string database = kDatabaseName;
    for (const std::string& name :
         {database, database + "-wal", database + "-shm", database + ".new", std::string(kBodiesName)}) {
        const auto moved = moveAside(store, name, aside);
        if (!moved.ok()) return moved.error();
    }
    POSTERN_TRY(copyMarker(made, options.folder));
    POSTERN_TRY(moveIn(from, kBodiesName, store));
    POSTERN_TRY(moveIn(from, database, store));
    std::error_code ignored;  // a leftover folder does no harm
    std::filesystem::remove_all(libraryPath(made), ignored);
    return nameAside(store, aside, options.now);
}

// Whether mail stands there, or something that can not be looked at and may hold some.
bool holdsMail(const std::string& folder) {
    const std::string database = joinPath(folder, kDatabaseName);
    if (!pathExists(database)) return pathExists(database + "-wal");
    const auto reader = SqliteReader::open(database, "");
    if (!reader.ok()) return true;
    const auto messages = (*reader)->one("SELECT count(*) FROM message");
    return !messages.ok() || *messages > 0;
}

// Of a restore that was killed: nobody has it, as we have the lock.
void removeUnfinished(const std::string& folder) {
    std::error_code ignored;
    for (const auto& entry : std::filesystem::directory_iterator(libraryPath(folder), ignored))
        if (entry.path().filename().string().starts_with(kUnfinished))
            std::filesystem::remove_all(entry.path(), ignored);
}

// Takes a folder away again that was not there before, for who only tries.
class NewFolder {
  public:
    NewFolder(std::string path, bool temporary)
        : path_(std::move(path)), temporary_(temporary && !pathExists(path_)) {}
    ~NewFolder() {
        std::error_code ignored;  // an empty folder does no harm
        if (temporary_) std::filesystem::remove_all(libraryPath(path_), ignored);
    }
    NewFolder(const NewFolder&) = delete;
    NewFolder& operator=(const NewFolder&) = delete;

  private:
    const std::string path_;
    const bool temporary_;
};

// Whose the new store shall be: the folder's owner, or the old store's in a folder of root's; of a folder
// that is not there yet, the owner of the one around it.
std::string whoseStore(const std::string& folder) {
    std::string path = nearestThere(folder);
    const std::string database = joinPath(folder, kDatabaseName);
    return fileOwner(path).valueOr("") == "root" && pathExists(database) ? database : path;
}

// What can not be read would be taken for empty, and its numbers be given again.
Result<void> checkReadable(const std::string& folder) {
    const std::string database = joinPath(folder, kDatabaseName);
    const auto file = File::openRead(database);
    if (file.ok() || file.error().code == Errc::NotFound) return {};
    return file.error().within("the store that is there now");
}

}  // namespace

Result<RestoreResult> restore(const std::string& path, const RestoreOptions& options) {
    if (!isAbsolutePath(options.folder))
        return fail(Errc::Invalid, "the store's folder must be an absolute path: " + options.folder);
    RestoreResult result;
    options.progress("checking", 0, 0);
    POSTERN_LET(backup, checkBackup(path, options.migrations));
    result.backup = std::move(backup);
    POSTERN_LET(source, File::openRead(path));
    POSTERN_LET(rights, OwnersRights::of(whoseStore(options.folder)));
    const NewFolder folder(options.folder, options.dryRun);
    POSTERN_TRY(makeFolders(options.folder));
    POSTERN_LET(lock, lockStore(options.folder));
    POSTERN_TRY(checkReadable(options.folder));
    removeUnfinished(options.folder);
    if (!options.force && holdsMail(options.folder))
        return fail(Errc::Exists, options.folder + " has a store with mail: --force moves it aside");
    std::vector<Sequence> others = lastIds(joinPath(options.folder, kDatabaseName));
    // Of an attempt that was killed: it moved the store there.
    for (Sequence& each : lastIds(joinPath(joinPath(options.folder, kAside), kDatabaseName)))
        others.push_back(std::move(each));
    const std::string made = joinPath(options.folder, kUnfinished + randomName(8));
    const Result<void> whole = make(source, result.backup, made, others, options);
    if (!whole.ok()) {
        std::error_code ignored;
        std::filesystem::remove_all(libraryPath(made), ignored);
        return whole.error();
    }
    if (options.dryRun) {
        std::error_code ignored;  // a leftover folder does no harm
        std::filesystem::remove_all(libraryPath(made), ignored);
        return result;
    }
    POSTERN_LET(aside, swap(made, options));
    result.aside = std::move(aside);
    return result;
}

namespace {}  // namespace

Result<Vacuumed> vacuum(const std::string& folder, const std::vector<Migration>& migrations) {
    const std::string database = joinPath(folder, kDatabaseName);
    if (!pathExists(database)) return fail(Errc::NotFound, "there is no store in " + folder);
    POSTERN_LET(rights, OwnersRights::of(database));
    POSTERN_LET(lock, lockStore(folder));
    Vacuumed result;
    StoreOptions options;
    options.folder = folder;
    options.migrations = migrations;
    options.create = false;
    POSTERN_LET(opened, openDatabase(options));
    POSTERN_LET(before, fileSize(database));
    POSTERN_LET(space, freeSpace(folder));
    // A copy in the system's temporary folder, and the same pages once more in the log.
    if (space.freeBytes / 2 < before)
        return fail(Errc::NoSpace,
                    "it takes " + formatSize(2 * before) + " of free space on the store's volume");
    POSTERN_TRY(opened.engine->script("PRAGMA temp_store=FILE"));
    POSTERN_TRY(opened.engine->script("VACUUM"));
    POSTERN_LET(folded, opened.engine->foldLog(Fold::Empty, kFoldPatience));
    if (folded != Folded::Whole) return fail(Errc::Busy, database + " is being read: try again");
    opened.engine.reset();
    POSTERN_LET(after, fileSize(database));
    result.before = before;
    result.after = after;
    return result;
}

Result<Vacuumed> previewVacuum(const std::string& folder) {
    const std::string database = joinPath(folder, kDatabaseName);
    if (!pathExists(database)) return fail(Errc::NotFound, "there is no store in " + folder);
    POSTERN_LET(reader, SqliteReader::open(database, ""));
    POSTERN_LET(unused, reader->one("SELECT freelist_count FROM pragma_freelist_count"));
    POSTERN_LET(page, reader->one("SELECT page_size FROM pragma_page_size"));
    POSTERN_LET(before, fileSize(database));
    return Vacuumed{before, before - unused * page};
}

}  // namespace postern::store
