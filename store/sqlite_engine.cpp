// Sessions and statements over the SQLite C API. This is the only file that sees SQLite's types.
//
// Diagnostics: every engine error becomes an Error whose text ends in SQLite's extended result code. Errors
// of the device and signs of corruption are also remembered in Connection::damage, because a closure may pass
// over them.

#include "store/sqlite_engine.h"

#include <algorithm>
#include <cstring>
#include <unordered_map>
#include <utility>

#include <sqlite3.h>

#include "base/file.h"

namespace postern::store {

namespace {

constexpr std::int64_t kApplicationId = 0x506F7374;  // "Post"
constexpr Millis kBusyPatience{5000};                // nobody else should ever write
constexpr int kFrameHeaderBytes = 24;

// What stays the same for all connections. The check pragmas cost little; mmap turns I/O errors into SIGBUS.
constexpr char kSettings[] =
    "PRAGMA foreign_keys=ON; PRAGMA trusted_schema=OFF; PRAGMA cell_size_check=ON; PRAGMA mmap_size=0;"
    "PRAGMA temp_store=MEMORY; PRAGMA wal_autocheckpoint=0; PRAGMA synchronous=FULL;";
// Takes effect before the first table only. A mail of 4 KiB with its row does not fit twice into a page of 8
// KiB and would write 8 KiB, twice; with pages of 4 KiB the rest goes to an overflow page (measured: 1.6
// times as many inserts). Freed pages can be given back in small steps.
constexpr char kNewFile[] = "PRAGMA page_size=4096; PRAGMA auto_vacuum=INCREMENTAL;";
// Debian compiles SECURE_DELETE on, which would write zeros over every deleted body through the log.
constexpr char kWriterSettings[] = "PRAGMA cache_size=-8192; PRAGMA secure_delete=FAST;";
constexpr char kReaderSettings[] = "PRAGMA cache_size=-1024; PRAGMA query_only=ON;";

Errc codeOfConstraint(int extended) {
    switch (extended) {
        case SQLITE_CONSTRAINT_UNIQUE:
        case SQLITE_CONSTRAINT_PRIMARYKEY:
        case SQLITE_CONSTRAINT_ROWID: return Errc::Exists;
        default: return Errc::Invalid;
    }
}

// A write that failed for want of space changed nothing. A failed sync is never "no space", whatever the
// system says: what it should have written is lost from the cache (RELIABILITY 2.4).
Errc codeOfIo(int extended, int systemNumber) {
    if (extended == SQLITE_IOERR_NOMEM) return Errc::Unavailable;
    if (extended == SQLITE_IOERR_WRITE && systemNumber != 0) {
        const Errc code = systemError(systemNumber, "").code;
        if (code == Errc::NoSpace) return code;
    }
    return Errc::Io;
}

Errc codeOf(int extended, int systemNumber) {
    switch (extended & 0xff) {
        case SQLITE_CONSTRAINT: return codeOfConstraint(extended);
        case SQLITE_IOERR: return codeOfIo(extended, systemNumber);
        case SQLITE_BUSY:
        case SQLITE_LOCKED: return Errc::Busy;
        case SQLITE_FULL: return Errc::NoSpace;
        case SQLITE_CORRUPT:
        case SQLITE_NOTADB: return Errc::Corrupt;
        case SQLITE_PERM:
        case SQLITE_AUTH:
        case SQLITE_READONLY: return Errc::Denied;
        case SQLITE_TOOBIG:
        case SQLITE_MISMATCH: return Errc::Invalid;
        case SQLITE_INTERRUPT: return Errc::Stopped;
        case SQLITE_NOMEM: return Errc::Unavailable;
        case SQLITE_CANTOPEN:
            return systemNumber != 0 ? systemError(systemNumber, "").code : Errc::Unavailable;
        default: return Errc::Internal;
    }
}

// What the system said when writing last failed. sqlite3_system_errno() is no use: by the time it is asked,
// the engine has made other calls. Commits write to the log, folding back to the database.
int lastSystemNumber(sqlite3* handle, bool folding) {
    sqlite3_file* file = nullptr;
    const int which = folding ? SQLITE_FCNTL_FILE_POINTER : SQLITE_FCNTL_JOURNAL_POINTER;
    if (sqlite3_file_control(handle, "main", which, &file) != SQLITE_OK) return 0;
    if (file == nullptr || file->pMethods == nullptr) return 0;
    int number = 0;
    (void)file->pMethods->xFileControl(file, SQLITE_FCNTL_LAST_ERRNO, &number);
    return number;
}

std::string textOf(int extended, const char* message) {
    std::string text = message;
    if (extended == SQLITE_BUSY_SNAPSHOT) text += ": another connection wrote since this one read";
    if (extended == SQLITE_BUSY_RECOVERY) text += ": another process is recovering the log";
    return text + " (SQLite " + std::to_string(extended) + ")";
}

// Counts of frames, the log's unit: a page and its header.
struct LogSize {
    int current = 0;   // after the last commit; starts again when the engine does at the file's beginning
    int highest = 0;   // since it was emptied
    int unfolded = 0;  // not in the database yet

    void committed(int frames) {
        unfolded += frames >= current ? frames - current : frames;
        current = frames;
        highest = std::max(highest, frames);
    }
};

}  // namespace

// One entry of the statement cache; also what a Statement holds.
struct Statement::Impl {
    Session::Connection* connection = nullptr;
    sqlite3_stmt* handle = nullptr;
    std::optional<Error> error;
    bool cached = false;
    bool lent = false;
    bool finished = false;
    bool copies = false;  // of text and blobs that are bound

    Impl() = default;
    Impl(const Impl&) = delete;
    Impl& operator=(const Impl&) = delete;
    ~Impl() { sqlite3_finalize(handle); }

    void step();
    void noteBinding(int result);
    void giveBack();
};

struct Session::Connection {
    sqlite3* handle = nullptr;
    std::unordered_map<const char*, Statement::Impl>
        cache;  // by the literal's address; nodes stay where they are
    std::optional<Error> damage;
    std::optional<Error> rolledBack;  // why the running transaction is gone
    bool transactionExpected = false;
    bool folding = false;
    LogSize log;
    std::int64_t pageBytes = 0;

    Connection() = default;
    Connection(const Connection&) = delete;
    Connection& operator=(const Connection&) = delete;
    ~Connection() {
        cache.clear();
        sqlite3_close(handle);
    }

    Error errorOf(int result);
    Result<void> check(int result) {
        if (result == SQLITE_OK) return {};
        return errorOf(result);
    }
    Result<void> script(const char* sql) {
        return check(sqlite3_exec(handle, sql, nullptr, nullptr, nullptr));
    }
    Statement::Impl* borrow(const char* sql);
};

Error Session::Connection::errorOf(int result) {
    const int extended = (result & 0xff) == result ? sqlite3_extended_errcode(handle) : result;
    const bool atWrite = extended == SQLITE_IOERR_WRITE;
    const int number = atWrite ? lastSystemNumber(handle, folding) : sqlite3_system_errno(handle);
    const Error error = fail(codeOf(extended, number), textOf(extended, sqlite3_errmsg(handle)));
    if (!damage && (error.code == Errc::Io || error.code == Errc::Corrupt)) damage = error;
    if (!rolledBack && transactionExpected && sqlite3_get_autocommit(handle) != 0) rolledBack = error;
    return error;
}

Statement::Impl* Session::Connection::borrow(const char* sql) {
    Statement::Impl* entry = &cache[sql];
    // Used by an outer loop already: this one gets a statement of its own.
    if (entry->lent)
        entry = new Statement::Impl;
    else
        entry->cached = true;
    entry->connection = this;
    entry->lent = true;
    // An address that was a literal's once may hold another text now, if a caller broke the rule.
    if (entry->handle != nullptr && std::strcmp(sqlite3_sql(entry->handle), sql) != 0) {
        sqlite3_finalize(entry->handle);
        entry->handle = nullptr;
    }
    if (entry->handle == nullptr) {
        const int result =
            sqlite3_prepare_v3(handle, sql, -1, SQLITE_PREPARE_PERSISTENT, &entry->handle, nullptr);
        if (result != SQLITE_OK) entry->error = errorOf(result).within(sql);
    }
    return entry;
}

void Statement::Impl::noteBinding(int result) {
    if (result != SQLITE_OK && !error) error = connection->errorOf(result);
}

void Statement::Impl::step() {
    // After the engine gave up the transaction, a further statement would commit on its own.
    if (connection->transactionExpected && sqlite3_get_autocommit(connection->handle) != 0) {
        error = connection->rolledBack.value_or(fail(Errc::Internal, "the transaction was ended before"));
        return;
    }
    const int result = sqlite3_step(handle);
    finished = result != SQLITE_ROW;
    if (finished && result != SQLITE_DONE) error = connection->errorOf(result);
}

void Statement::Impl::giveBack() {
    if (!cached) {
        delete this;
        return;
    }
    if (handle != nullptr) {
        // reset() repeats the error of the last step, which was reported then.
        (void)sqlite3_reset(handle);
        (void)sqlite3_clear_bindings(handle);
    }
    error.reset();
    finished = false;
    lent = false;
}

Statement::Statement(Statement&& other) noexcept : impl_(std::exchange(other.impl_, nullptr)) {}

Statement::~Statement() {
    if (impl_ != nullptr) impl_->giveBack();
}

bool Statement::next() {
    if (impl_->error || impl_->finished) return false;
    impl_->step();
    return !impl_->error && !impl_->finished;
}

Result<void> Statement::finish() {
    if (!impl_->error && sqlite3_stmt_readonly(impl_->handle) == 0) {
        while (next()) {
        }
    }
    if (impl_->error) return *impl_->error;
    return {};
}

std::int64_t Statement::integer(int column) const {
    return sqlite3_column_int64(impl_->handle, column);
}

std::string_view Statement::text(int column) const {
    const void* bytes = sqlite3_column_blob(impl_->handle, column);
    if (bytes == nullptr) return {};
    return {static_cast<const char*>(bytes),
            static_cast<std::size_t>(sqlite3_column_bytes(impl_->handle, column))};
}

bool Statement::isNull(int column) const {
    return sqlite3_column_type(impl_->handle, column) == SQLITE_NULL;
}

Session::Session() = default;
Session::~Session() = default;

Statement Session::prepare(const char* sql, Arguments arguments) {
    Statement::Impl* impl = connection_->borrow(sql);
    impl->copies = arguments == Arguments::Copied;
    return Statement(impl);
}

std::int64_t Session::changes(const Statement& statement) const {
    if (sqlite3_stmt_readonly(statement.impl_->handle) != 0) return 0;
    return sqlite3_changes64(connection_->handle);
}

void Session::bind(Statement& statement, int index, std::int64_t value) {
    Statement::Impl& impl = *statement.impl_;
    if (!impl.error) impl.noteBinding(sqlite3_bind_int64(impl.handle, index, value));
}

void Session::bind(Statement& statement, int index, std::string_view value) {
    Statement::Impl& impl = *statement.impl_;
    if (impl.error) return;
    // A null pointer would bind NULL, not the empty text.
    const char* bytes = value.data() != nullptr ? value.data() : "";
    impl.noteBinding(sqlite3_bind_text64(impl.handle, index, bytes, value.size(),
                                         impl.copies ? SQLITE_TRANSIENT : SQLITE_STATIC, SQLITE_UTF8));
}

void Session::bind(Statement& statement, int index, Blob value) {
    Statement::Impl& impl = *statement.impl_;
    if (impl.error) return;
    const char* bytes = value.bytes.data() != nullptr ? value.bytes.data() : "";
    impl.noteBinding(sqlite3_bind_blob64(impl.handle, index, bytes, value.bytes.size(),
                                         impl.copies ? SQLITE_TRANSIENT : SQLITE_STATIC));
}

void Session::bindNull(Statement& statement, int index) {
    Statement::Impl& impl = *statement.impl_;
    if (!impl.error) impl.noteBinding(sqlite3_bind_null(impl.handle, index));
}

// How files are opened and looked after.

namespace {

std::uint32_t bigEndian(std::string_view bytes) {
    std::uint32_t value = 0;
    for (const char c : bytes) value = value << 8 | static_cast<unsigned char>(c);
    return value;
}

int noteCommit(void* log, sqlite3*, const char*, int frames) {
    static_cast<LogSize*>(log)->committed(frames);
    return SQLITE_OK;
}

}  // namespace

Result<void> checkFileHeader(const std::string& path, int newest) {
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

namespace {

// The connection's handle must be closed even when opening failed.
template <class Connection>
Result<void> openHandle(Connection& connection, const std::string& path, const std::string& vfs, int flags) {
    const int result =
        sqlite3_open_v2(path.c_str(), &connection.handle, flags | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE,
                        vfs.empty() ? nullptr : vfs.c_str());
    if (result != SQLITE_OK) {
        if (connection.handle == nullptr) return fail(Errc::Unavailable, path + ": out of memory");
        return connection.errorOf(result);
    }
    sqlite3_busy_timeout(connection.handle, static_cast<int>(kBusyPatience.count()));
    sqlite3_db_config(connection.handle, SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
    return {};
}

}  // namespace

SqliteReader::SqliteReader(std::unique_ptr<Connection> connection) {
    connection_ = std::move(connection);
}

Result<std::unique_ptr<SqliteReader>> SqliteReader::open(const std::string& path, const std::string& vfs) {
    if (!pathExists(path)) return fail(Errc::NotFound, path + " does not exist");
    auto connection = std::make_unique<Connection>();
    POSTERN_TRY(openHandle(*connection, path, vfs, SQLITE_OPEN_READONLY));
    // Only the writer folds the log back; a tool that ends last must not.
    sqlite3_db_config(connection->handle, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr);
    for (const char* settings : {kSettings, kReaderSettings}) POSTERN_TRY(connection->script(settings));
    std::unique_ptr<SqliteReader> reader(new SqliteReader(std::move(connection)));
    POSTERN_LET(owner, reader->one("PRAGMA application_id"));
    if (owner != kApplicationId) return fail(Errc::Invalid, "it belongs to another program");
    return reader;
}

SqliteWriter::SqliteWriter(std::unique_ptr<Connection> connection) {
    connection_ = std::move(connection);
}

Result<std::unique_ptr<SqliteWriter>> SqliteWriter::open(const std::string& path, const std::string& vfs,
                                                         File file) {
    auto connection = std::make_unique<Connection>();
    const int create = file == File::New ? SQLITE_OPEN_CREATE : 0;
    POSTERN_TRY(openHandle(*connection, path, vfs, SQLITE_OPEN_READWRITE | create));
    if (file == File::New) {
        POSTERN_TRY(connection->script(kNewFile));
        POSTERN_TRY(connection->script(("PRAGMA application_id=" + std::to_string(kApplicationId)).c_str()));
    }
    for (const char* settings : {kSettings, kWriterSettings}) POSTERN_TRY(connection->script(settings));
    // Until startLog(), closing must not fold anything back: the file may still be refused.
    sqlite3_db_config(connection->handle, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr);
    return std::unique_ptr<SqliteWriter>(new SqliteWriter(std::move(connection)));
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
    // Takes the place of the automatic checkpoint's hook, which stays off (RELIABILITY 2.2).
    sqlite3_wal_hook(connection_->handle, noteCommit, &connection_->log);
    sqlite3_db_config(connection_->handle, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 0, nullptr);
    return {};
}

Result<void> SqliteWriter::begin() {
    POSTERN_TRY(run("BEGIN IMMEDIATE"));
    connection_->rolledBack.reset();
    connection_->transactionExpected = true;
    return {};
}

Result<void> SqliteWriter::commit() {
    const Result<std::int64_t> done = run("COMMIT");
    connection_->transactionExpected = false;
    if (!done.ok()) return done.error();
    return {};
}

void SqliteWriter::rollback() {
    connection_->transactionExpected = false;
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
    if (result == SQLITE_OK && how == Fold::Empty) connection_->log = LogSize{};
    if (result == SQLITE_OK || (frames >= 0 && frames == copied)) connection_->log.unfolded = 0;
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
    POSTERN_TRY(run("VACUUM INTO ?1", path));
    return {};
}

}  // namespace postern::store
