// Sessions and statements over the SQLite C API.
//
// Diagnostics: every engine error becomes an Error whose text ends in SQLite's extended result code. Errors
// of the device and signs of corruption are also remembered in Connection::damage, because a closure may pass
// over them.

#include <cstring>
#include <utility>

#include <sqlite3.h>

#include "store/sqlite_connection.h"

namespace postern::store {

namespace {

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
Errc codeOfIo(int extended, int systemNumber, bool committing) {
    if (extended == SQLITE_IOERR_NOMEM) return Errc::Unavailable;
    // The log's index in -shm could not grow, mostly for want of space. It is made anew at every start, so
    // nothing is lost with it. At a commit it is another matter: see there.
    if (extended == SQLITE_IOERR_SHMSIZE) return committing ? Errc::Io : Errc::NoSpace;
    if (extended == SQLITE_IOERR_WRITE && systemNumber != 0) {
        const Errc code = systemError(systemNumber, "").code;
        if (code == Errc::NoSpace) return code;
    }
    return Errc::Io;
}

Errc codeOf(int extended, int systemNumber, bool committing) {
    switch (extended & 0xff) {
        case SQLITE_CONSTRAINT: return codeOfConstraint(extended);
        case SQLITE_IOERR: return codeOfIo(extended, systemNumber, committing);
        case SQLITE_BUSY:
        case SQLITE_PROTOCOL:
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
    if (extended == SQLITE_PROTOCOL)
        text +=
            ": every lock on the -shm file beside the database was refused, again and again; is the file "
            "system one that locks?";
    return text + " (SQLite " + std::to_string(extended) + ")";
}

}  // namespace

Error Session::Connection::errorOf(int result) {
    const int extended = (result & 0xff) == result ? sqlite3_extended_errcode(handle) : result;
    const bool atWrite = extended == SQLITE_IOERR_WRITE;
    const int number = atWrite ? lastSystemNumber(handle, folding) : sqlite3_system_errno(handle);
    const Error error = fail(codeOf(extended, number, committing), textOf(extended, sqlite3_errmsg(handle)));
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

}  // namespace postern::store
