// How a database file is opened and looked after: settings, transactions, the log, copies
// (RELIABILITY 2.1-2.7).

#include "store/sqlite_engine.h"

#include <algorithm>

#include <sqlite3.h>

#include "base/file.h"
#include "base/hex.h"
#include "base/library_error.h"
#include "base/path.h"
#include "store/log_file.h"
#include "store/log_mark.h"
#include "store/sqlite_connection.h"

namespace postern::store {

namespace {

constexpr std::int64_t kApplicationId = 0x506F7374;  // "Post"
constexpr Millis kBusyPatience{5000};                // nobody else should ever write
constexpr int kFrameHeaderBytes = 24;
constexpr char kSchemaVersion[] = "PRAGMA schema_version";

// What stays the same for all connections. The check pragmas cost little; mmap turns I/O errors into SIGBUS.
constexpr char kSettings[] =
    "PRAGMA foreign_keys=ON; PRAGMA trusted_schema=OFF; PRAGMA cell_size_check=ON; PRAGMA mmap_size=0;"
    "PRAGMA temp_store=MEMORY; PRAGMA wal_autocheckpoint=0; PRAGMA synchronous=FULL;";
// Takes effect before the first table only. A mail of 4 KiB with its row does not fit twice into a page of 8
// KiB and would write 8 KiB, twice; with pages of 4 KiB the rest goes to an overflow page (measured: 1.6
// times as many inserts). Freed pages can be given back in small steps.
constexpr std::int64_t kPageBytes = 4096;
constexpr char kNewFile[] = "PRAGMA page_size=4096; PRAGMA auto_vacuum=INCREMENTAL;";
// Debian compiles SECURE_DELETE on, which would write zeros over every deleted body through the log.
constexpr char kWriterSettings[] = "PRAGMA cache_size=-8192; PRAGMA secure_delete=FAST;";
constexpr char kReaderSettings[] = "PRAGMA cache_size=-1024; PRAGMA query_only=ON;";

int noteCommit(void* log, sqlite3*, const char*, int frames) {
    static_cast<LogState*>(log)->committed(frames);
    return SQLITE_OK;
}

}  // namespace

namespace {

Result<void> judgeHeader(const std::string& path, int newest) {
    // https://www.sqlite.org/fileformat.html, section 1.3: "user version" at 60, "application id" at 68.
    char header[100];
    POSTERN_LET(file, postern::File::openRead(path));
    POSTERN_LET(got, file.readAt(0, header, sizeof header));
    if (got == 0) return fail(Errc::Corrupt, path + " is empty; restore it from a backup");
    const std::string_view bytes(header, got);
    if (got < sizeof header || bytes.substr(0, 16) != std::string_view("SQLite format 3\0", 16))
        return fail(Errc::Corrupt, path + " is not a database; restore it from a backup");
    if (bigEndian(bytes.substr(68, 4)) != kApplicationId)
        return fail(Errc::Invalid, path + " belongs to another program");
    const std::uint32_t version = bigEndian(bytes.substr(60, 4));
    if (version > static_cast<std::uint32_t>(newest))
        return fail(Errc::Invalid, path + " has version " + std::to_string(version) +
                                       ", this program knows up to " + std::to_string(newest) +
                                       "; use a newer Postern");
    return {};
}

}  // namespace

Result<void> checkFileHeader(const std::string& path, int newest) {
    const Result<void> judged = judgeHeader(path, newest);
    if (judged.ok() || (judged.error().code != Errc::Corrupt && judged.error().code != Errc::Invalid))
        return judged;
    // Power that failed while the log was folded back may have torn the first page, which then stands whole
    // in the log. The file is as long as before: beside a shorter one the engine would remove the log.
    POSTERN_LET(size, fileSize(path));
    POSTERN_LET(log, beginsAsLog(path + "-wal"));
    if (size < kPageBytes || !log) return judged;
    return {};
}

namespace {

Result<void> checkOwner(Session& session) {
    POSTERN_LET(owner, session.one("PRAGMA application_id"));
    if (owner != kApplicationId) return fail(Errc::Invalid, "it belongs to another program");
    return {};
}

// The connection's handle must be closed even when opening failed. `name` is a path without limits, or a URI.
template <class Connection>
Result<void> openHandle(Connection& connection, const std::string& name, const std::string& vfs, int flags) {
    // Its memory statistics cost a global lock for each allocation; nobody reads them. Refused when SQLite is
    // in use already, which changes nothing.
    static const int quiet = sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
    (void)quiet;
    const int result =
        sqlite3_open_v2(name.c_str(), &connection.handle, flags | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE,
                        vfs.empty() ? nullptr : vfs.c_str());
    if (result != SQLITE_OK) {
        if (connection.handle == nullptr) return fail(Errc::Unavailable, name + ": out of memory");
        return connection.errorOf(result);
    }
    sqlite3_busy_timeout(connection.handle, static_cast<int>(kBusyPatience.count()));
    sqlite3_db_config(connection.handle, SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
    return {};
}

// https://www.sqlite.org/uri.html: any byte may be written as its two digits.
std::string uriOf(const std::string& path) {
    std::string uri = "file:";
    for (const char c : path) {
        uri += '%';
        appendHex(uri, c);
    }
    return uri;
}

}  // namespace

SqliteReader::SqliteReader(std::unique_ptr<Connection> connection) {
    connection_ = std::move(connection);
}

Result<std::unique_ptr<SqliteReader>> SqliteReader::open(const std::string& path, const std::string& vfs) {
    if (!pathExists(path)) return fail(Errc::NotFound, path + " does not exist");
    auto connection = std::make_unique<Connection>();
    POSTERN_TRY(openHandle(*connection, unlimitedPath(path), vfs, SQLITE_OPEN_READONLY));
    // Only the writer folds the log back; a tool that ends last must not.
    sqlite3_db_config(connection->handle, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr);
    for (const char* settings : {kSettings, kReaderSettings}) POSTERN_TRY(connection->script(settings));
    std::unique_ptr<SqliteReader> reader(new SqliteReader(std::move(connection)));
    POSTERN_TRY(checkOwner(*reader));
    return reader;
}

Result<std::unique_ptr<SqliteReader>> SqliteReader::openAlone(const std::string& path,
                                                              const std::string& vfs) {
    auto connection = std::make_unique<Connection>();
    POSTERN_TRY(openHandle(*connection, uriOf(unlimitedPath(path)) + "?immutable=1", vfs,
                           SQLITE_OPEN_READONLY | SQLITE_OPEN_URI));
    return std::unique_ptr<SqliteReader>(new SqliteReader(std::move(connection)));
}

SqliteWriter::SqliteWriter(std::unique_ptr<Connection> connection) {
    connection_ = std::move(connection);
}

Result<std::unique_ptr<SqliteWriter>> SqliteWriter::open(const std::string& path, const std::string& vfs,
                                                         File file) {
    auto connection = std::make_unique<Connection>();
    const int create = file == File::New ? SQLITE_OPEN_CREATE : 0;
    POSTERN_LET(gathered, GatheredLog::over(vfs));
    connection->gathered = std::move(gathered);
    POSTERN_TRY(openHandle(*connection, unlimitedPath(path), connection->gathered->name(),
                           SQLITE_OPEN_READWRITE | create));
    // Until startLog(), closing must not fold anything back: the file may still be refused.
    sqlite3_db_config(connection->handle, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr);
    if (file == File::New) {
        POSTERN_TRY(connection->script(kNewFile));
        POSTERN_TRY(connection->script(("PRAGMA application_id=" + std::to_string(kApplicationId)).c_str()));
    }
    for (const char* settings : {kSettings, kWriterSettings}) POSTERN_TRY(connection->script(settings));
    std::unique_ptr<SqliteWriter> writer(new SqliteWriter(std::move(connection)));
    POSTERN_TRY(checkOwner(*writer));
    return writer;
}

Result<void> SqliteWriter::startLog() {
    {
        Statement mode = query("PRAGMA journal_mode=WAL");
        const bool isLog = mode.next() && mode.text(0) == "wal";
        POSTERN_TRY(mode.finish());
        if (!isLog) return fail(Errc::Unavailable, "the store's file system can not keep a write-ahead log");
    }
    POSTERN_LET(pageBytes, one("PRAGMA page_size"));
    connection_->pageBytes = pageBytes;
    POSTERN_LET(mark, markOf(*this));
    connection_->log.marker.start(mark);
    // Takes the place of the automatic checkpoint's hook, which stays off (RELIABILITY 2.2).
    sqlite3_wal_hook(connection_->handle, noteCommit, &connection_->log);
    sqlite3_db_config(connection_->handle, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 0, nullptr);
    return {};
}

Result<void> SqliteWriter::begin() {
    if (connection_->log.marker.due()) {
        POSTERN_LET(schema, one(kSchemaVersion));
        connection_->schemaBefore = schema;
    }
    connection_->changesBefore = sqlite3_total_changes64(connection_->handle);
    connection_->scripted = false;
    POSTERN_TRY(run("BEGIN IMMEDIATE"));
    connection_->rolledBack.reset();
    connection_->transactionExpected = true;
    return {};
}

// A commit that changes nothing writes nothing, and is not to be made one that does by the mark alone. What
// is said to have changed without having done so costs that one row.
Result<bool> SqliteWriter::changed() {
    if (connection_->scripted) return true;
    if (sqlite3_total_changes64(connection_->handle) != connection_->changesBefore) return true;
    POSTERN_LET(schema, one(kSchemaVersion));  // it counts what the other number does not
    return schema != connection_->schemaBefore;
}

// As the first one of its log, perhaps.
Result<void> SqliteWriter::mark() {
    LogMarker& marker = connection_->log.marker;
    if (!marker.due()) return {};
    POSTERN_LET(any, changed());
    if (any) POSTERN_TRY(run(kWriteMark, marker.next()));
    return {};
}

// The engine writes and syncs the commit's last frame before the log's index learns of it. When the index can
// not grow then, the group stands in the log as valid as any, and would surface at the next start: that is a
// commit of which nothing is known, and no full disk that left everything as it was.
Result<void> SqliteWriter::commit() {
    POSTERN_TRY(mark());
    connection_->committing = true;
    const Result<std::int64_t> done = run("COMMIT");
    connection_->committing = false;
    connection_->transactionExpected = false;
    if (!done.ok()) return done.error();
    return {};
}

void SqliteWriter::rollback() {
    connection_->transactionExpected = false;
    connection_->log.marker.rolledBack();
    // Fails only when the engine rolled back before, or is damaged: then nothing it says matters any more.
    if (inTransaction()) (void)run("ROLLBACK");
}

void SqliteWriter::abandon(const Error& why) {
    rollback();
    connection_->rolledBack = why;
}

Error SqliteWriter::whyRolledBack() const {
    if (connection_->rolledBack) return *connection_->rolledBack;
    return fail(Errc::Internal, "a closure ended the transaction of its group");
}

bool SqliteWriter::inTransaction() const {
    return sqlite3_get_autocommit(connection_->handle) == 0;
}

const std::optional<Error>& SqliteWriter::damage() const {
    return connection_->damage;
}

std::int64_t SqliteWriter::unfoldedBytes() const {
    return connection_->log.unfolded * (connection_->pageBytes + kFrameHeaderBytes);
}

std::int64_t SqliteWriter::logFileBytes() const {
    return connection_->log.highest * (connection_->pageBytes + kFrameHeaderBytes);
}

// PASSIVE is never used: with this engine's version it can lose commits (RELIABILITY 2.2).
Result<Folded> SqliteWriter::foldLog(Fold how, Millis patience) {
    sqlite3* handle = connection_->handle;
    const int mode = how == Fold::Empty ? SQLITE_CHECKPOINT_TRUNCATE : SQLITE_CHECKPOINT_FULL;
    int frames = -1, copied = -1;
    sqlite3_busy_timeout(handle, static_cast<int>(patience.count()));
    const int result = sqlite3_wal_checkpoint_v2(handle, "main", mode, &frames, &copied);
    sqlite3_busy_timeout(handle, static_cast<int>(kBusyPatience.count()));
    LogState& log = connection_->log;
    if (frames >= 0) log.current = frames;
    if (result == SQLITE_OK && how == Fold::Empty) log.current = log.highest = 0;
    if (result == SQLITE_OK || (frames >= 0 && frames == copied)) log.folded();
    if (result == SQLITE_OK) return Folded::Whole;
    if ((result & 0xff) != SQLITE_BUSY) {
        connection_->folding = true;
        const Error error = connection_->errorOf(result).within("folding the log back");
        connection_->folding = false;
        return error;
    }
    return frames >= 0 && frames == copied ? Folded::Copied : Folded::Partly;
}

void SqliteWriter::leaveLogOnClose() {
    sqlite3_db_config(connection_->handle, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr);
}

Result<void> SqliteWriter::script(const std::string& sql) {
    connection_->scripted = true;
    return connection_->script(sql.c_str());
}

Result<void> SqliteWriter::checkPages() {
    Statement check = query("PRAGMA quick_check(1)");
    const bool found = check.next();
    const std::string finding(found ? check.text(0) : std::string_view());
    POSTERN_TRY(check.finish());
    if (finding != "ok") return fail(Errc::Corrupt, finding);
    return {};
}

Result<void> SqliteWriter::copyInto(const std::string& path) {
    POSTERN_TRY(run("VACUUM INTO ?1", unlimitedPath(path)));
    return {};
}

Result<void> SqliteReader::copyInto(const std::string& path) {
    // Of the connection, not of the database: what is written is the new file.
    POSTERN_TRY(connection_->script("PRAGMA query_only=OFF"));
    const auto copied = run("VACUUM INTO ?1", unlimitedPath(path));
    POSTERN_TRY(connection_->script("PRAGMA query_only=ON"));
    if (!copied.ok()) return copied.error();
    return {};
}

namespace {

constexpr std::size_t kBlobPiece = 1 << 20;

struct BlobClose {
    void operator()(sqlite3_blob* blob) const { sqlite3_blob_close(blob); }
};
using BlobHandle = std::unique_ptr<sqlite3_blob, BlobClose>;

template <class Connection>
Result<BlobHandle> openBlob(Connection& connection, std::int64_t id, bool write) {
    sqlite3_blob* blob = nullptr;
    const int result =
        sqlite3_blob_open(connection.handle, "main", "body", "bytes", id, write ? 1 : 0, &blob);
    BlobHandle handle(blob);
    if (result != SQLITE_OK) return connection.errorOf(result);
    return handle;
}

}  // namespace

Result<void> SqliteWriter::insertBody(
    std::int64_t id, std::int64_t size,
    const std::function<Result<std::size_t>(std::int64_t at, char* into, std::size_t size)>& read) {
    POSTERN_TRY(run("INSERT INTO body (message_id, bytes) VALUES (?1, zeroblob(?2))", id, size));
    POSTERN_LET(blob, openBlob(*connection_, id, true));
    std::string piece(static_cast<std::size_t>(std::min<std::int64_t>(size, kBlobPiece)), '\0');
    for (std::int64_t at = 0; at < size;) {
        const auto want = static_cast<std::size_t>(std::min<std::int64_t>(size - at, kBlobPiece));
        POSTERN_LET(got, read(at, piece.data(), want));
        if (got == 0)
            return fail(Errc::Corrupt, "its file is shorter than " + std::to_string(size) + " bytes");
        POSTERN_TRY(connection_->check(
            sqlite3_blob_write(blob.get(), piece.data(), static_cast<int>(got), static_cast<int>(at))));
        at += static_cast<std::int64_t>(got);
    }
    return {};
}

Result<void> SqliteWriter::readBody(std::int64_t id,
                                    const std::function<Result<void>(std::string_view)>& piece) {
    POSTERN_LET(blob, openBlob(*connection_, id, false));
    const int size = sqlite3_blob_bytes(blob.get());
    std::string bytes(static_cast<std::size_t>(std::min<std::int64_t>(size, kBlobPiece)), '\0');
    for (int at = 0; at < size;) {
        const int want = std::min(size - at, static_cast<int>(kBlobPiece));
        POSTERN_TRY(connection_->check(sqlite3_blob_read(blob.get(), bytes.data(), want, at)));
        POSTERN_TRY(piece(std::string_view(bytes.data(), static_cast<std::size_t>(want))));
        at += want;
    }
    return {};
}

}  // namespace postern::store
