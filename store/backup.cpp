#include "store/backup.h"

#include "base/file.h"
#include "base/library_error.h"
#include "base/path.h"
#include "base/random.h"
#include "base/text.h"
#include "store/opening.h"

namespace postern::store {

namespace {

constexpr char kBackupOf[] = "backup_ms";  // keys of the table "store"
constexpr int kBodiesInOneCommit = 200;

struct Filed {
    MessageId id;
    std::string file;
    std::int64_t size;
};

Result<std::vector<Filed>> filedBodies(Session& session) {
    std::vector<Filed> all;
    Statement rows =
        session.query("SELECT id, body_file, size FROM message WHERE body_file IS NOT NULL ORDER BY id");
    while (rows.next())
        all.push_back({MessageId{rows.integer(0)}, std::string(rows.text(1)), rows.integer(2)});
    POSTERN_TRY(rows.finish());
    return all;
}

Result<void> syncPath(const std::string& path) {
    POSTERN_LET(file, File::openAppend(path));
    POSTERN_TRY(file.sync());
    return file.close();
}

// The copy while it is made. Removed with this, unless it got its name.
class Copy {
  public:
    Copy(std::string folder, std::string path)
        : folder_(std::move(folder)),
          path_(std::move(path)),
          partial_(path_ + "." + randomName(8) + ".partial") {}
    Copy(const Copy&) = delete;
    Copy& operator=(const Copy&) = delete;
    ~Copy() {
        engine_.reset();
        for (const char* suffix : {"", "-journal"})
            (void)removeFile(partial_ + suffix);  // nobody takes it for one
    }

    Result<void> fill(SqliteReader& store, const Forget& forget, const Progress& progress,
                      BackupFigures& figures);
    Result<void> check(const Progress& progress, BackupFigures& figures);
    Result<void> name();

  private:
    Result<void> takeBodies(SqliteReader& store, const Forget& forget, const Progress& progress,
                            BackupFigures& figures);
    Result<void> takeBody(SqliteReader& store, const Filed& body, const Forget& forget,
                          BackupFigures& figures);

    const std::string folder_, path_, partial_;
    std::unique_ptr<SqliteWriter> engine_;
};

Result<void> Copy::fill(SqliteReader& store, const Forget& forget, const Progress& progress,
                        BackupFigures& figures) {
    progress("copying", 0, 0);
    // Made here, so that nobody else ever reads it; the engine takes an empty file for a new one.
    POSTERN_LET(parent, Folder::open(parentPath(partial_)));
    POSTERN_LET(made, parent.create(lastName(partial_), 0600));
    POSTERN_TRY(made.close());
    POSTERN_TRY(store.copyInto(partial_));
    POSTERN_LET(engine, SqliteWriter::open(partial_, "", SqliteWriter::File::Existing));
    engine_ = std::move(engine);
    // Thrown away when anything fails, and synced as a whole at the end.
    POSTERN_TRY(engine_->script("PRAGMA journal_mode=MEMORY; PRAGMA synchronous=OFF"));
    POSTERN_TRY(engine_->run("INSERT OR REPLACE INTO store (key, value) VALUES (?1, ?2)",
                             std::string(kBackupOf), std::to_string(toMillis(figures.at))));
    return takeBodies(store, forget, progress, figures);
}

Result<void> Copy::takeBodies(SqliteReader& store, const Forget& forget, const Progress& progress,
                              BackupFigures& figures) {
    POSTERN_LET(bodies, filedBodies(*engine_));
    const auto all = static_cast<std::int64_t>(bodies.size());
    for (std::int64_t i = 0; i < all; ++i) {
        progress("bodies", i, all);
        if (i % kBodiesInOneCommit == 0) POSTERN_TRY(engine_->begin());
        POSTERN_TRY(takeBody(store, bodies[static_cast<std::size_t>(i)], forget, figures));
        if ((i + 1) % kBodiesInOneCommit == 0 || i + 1 == all) POSTERN_TRY(engine_->commit());
    }
    return {};
}

Result<void> Copy::takeBody(SqliteReader& store, const Filed& body, const Forget& forget,
                            BackupFigures& figures) {
    auto file = File::openRead(joinPath(folder_, body.file));
    if (!file.ok() && file.error().code != Errc::NotFound) return file.error();
    bool whole = file.ok();
    if (whole) {
        POSTERN_LET(size, file->size());
        whole = size == body.size;
    }
    if (!whole) {
        POSTERN_LET(there, store.one("SELECT count(*) FROM message WHERE id = ?1", body.id));
        if (there == 0) {
            ++figures.purged;
            return forget(*engine_, body.id);
        }
        figures.lost.push_back(body.id);
    } else {
        const Result<void> taken = engine_->insertBody(
            body.id.value, body.size,
            [&](std::int64_t at, char* into, std::size_t size) { return file->readAt(at, into, size); });
        if (!taken.ok()) return taken.error().within(body.file);
        ++figures.filed;
    }
    POSTERN_TRY(engine_->run("UPDATE message SET body_file = NULL WHERE id = ?1", body.id));
    return {};
}

Result<void> integrity(Session& session) {
    Statement row = session.query("PRAGMA integrity_check(1)");
    const std::string found(row.next() ? row.text(0) : std::string_view());
    POSTERN_TRY(row.finish());
    if (found != "ok") return fail(Errc::Corrupt, found);
    Statement loose = session.query("PRAGMA foreign_key_check");
    const bool any = loose.next();
    const std::string table(any ? loose.text(0) : std::string_view());
    POSTERN_TRY(loose.finish());
    if (any) return fail(Errc::Corrupt, "a row of table " + table + " refers to one that is missing");
    return {};
}

Result<std::string> valueOf(Session& session, const std::string& key) {
    Statement row = session.query("SELECT value FROM store WHERE key = ?1", key);
    std::string value(row.next() ? row.text(0) : std::string_view());
    POSTERN_TRY(row.finish());
    return value;
}

Result<void> count(Session& session, const std::string& path, BackupFigures& figures) {
    POSTERN_LET(id, valueOf(session, "id"));
    POSTERN_LET(messages, session.one("SELECT count(*) FROM message"));
    POSTERN_LET(items, session.one("SELECT count(*) FROM item"));
    POSTERN_LET(bytes, fileSize(path));
    figures.id = id;
    figures.messages = messages;
    figures.items = items;
    figures.bytes = bytes;
    return {};
}

Result<void> Copy::check(const Progress& progress, BackupFigures& figures) {
    progress("checking", 0, 0);
    engine_.reset();  // what is checked is what stands in the file
    POSTERN_TRY(syncPath(partial_));
    POSTERN_LET(reader, SqliteReader::open(partial_, ""));
    POSTERN_TRY(integrity(*reader));
    return count(*reader, partial_, figures);
}

Result<void> Copy::name() {
    POSTERN_LET(folder, Folder::open(parentPath(path_)));
    const std::string name(lastName(path_));
    POSTERN_LET(moved, folder.moveNoReplace(lastName(partial_), folder, name, Folder::Namers::Others));
    if (moved == Moved::TargetExists) return fail(Errc::Exists, path_ + " is there already");
    if (moved != Moved::Done) return fail(Errc::Io, partial_ + " was taken away");
    return folder.sync();
}

}  // namespace

Result<BackupFigures> backUp(const std::string& folder, const std::vector<Migration>& migrations,
                             const std::string& path, WallTime now, const Forget& forget,
                             const Progress& progress) {
    if (!isAbsolutePath(path)) return fail(Errc::Invalid, "the file must be an absolute path: " + path);
    if (pathExists(path)) return fail(Errc::Exists, path + " is there already");
    const std::string database = joinPath(folder, kDatabaseName);
    POSTERN_LET(reader, SqliteReader::open(database, ""));
    POSTERN_LET(version, reader->one("PRAGMA user_version"));
    if (version != static_cast<std::int64_t>(migrations.size()))
        return fail(Errc::Invalid, database + " has version " + std::to_string(version) +
                                       ", this program needs " + std::to_string(migrations.size()));
    BackupFigures figures;
    figures.at = now;
    Copy copy(folder, path);
    POSTERN_TRY(copy.fill(*reader, forget, progress, figures));
    const Result<void> whole = copy.check(progress, figures);
    if (!whole.ok())
        return whole.error().within("the copy is not whole, and so was not kept; look with db check");
    POSTERN_TRY(copy.name());
    return figures;
}

Result<BackupFigures> checkBackup(const std::string& path, const std::vector<Migration>& migrations) {
    POSTERN_TRY(checkFileHeader(path, static_cast<int>(migrations.size())));
    auto opened = SqliteReader::open(path, "");
    if (!opened.ok() && opened.error().code == Errc::Corrupt)
        return fail(Errc::Corrupt, path + " is damaged: " + opened.error().text);
    if (!opened.ok()) return opened.error().within(path);
    SqliteReader& reader = **opened;
    const auto of = valueOf(reader, kBackupOf);
    if (!of.ok()) return fail(Errc::Corrupt, path + " is damaged: " + of.error().text);
    const auto at = parseInt(*of);
    if (!at)
        return fail(Errc::Invalid,
                    path +
                        " is no backup made by postern db backup, but a store's own database: its"
                        " large mails stand in files beside it");
    BackupFigures figures;
    figures.at = fromMillis(*at);
    const Result<void> whole = integrity(reader);
    if (!whole.ok()) return fail(Errc::Corrupt, path + " is damaged: " + whole.error().text);
    POSTERN_TRY(count(reader, path, figures));
    return figures;
}

}  // namespace postern::store
