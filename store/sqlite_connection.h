#pragma once
// What stands behind Session and Statement with SQLite. Only the engine's own files include this: no other
// header of the project shows a type of SQLite.

#include <algorithm>
#include <memory>
#include <optional>
#include <unordered_map>

#include <sqlite3.h>

#include "store/database.h"
#include "store/log_mark.h"
#include "store/sqlite_gathered_log.h"

namespace postern::store {

// Counts of frames, the log's unit: a page and its header.
struct LogState {
    int current = 0;   // after the last commit; starts again when the engine does at the file's beginning
    int highest = 0;   // since it was emptied
    int unfolded = 0;  // not in the database yet
    LogMarker marker;

    void committed(int frames) {
        marker.committed(current == 0 || frames < current);
        unfolded += frames >= current ? frames - current : frames;
        current = frames;
        highest = std::max(highest, frames);
    }
    void folded() {
        unfolded = 0;
        marker.folded();
    }
};

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
    std::unique_ptr<GatheredLog> gathered;  // the writer's; let go behind the handle
    sqlite3* handle = nullptr;
    std::unordered_map<const char*, Statement::Impl>
        cache;  // by the literal's address; nodes stay where they are
    std::optional<Error> damage;
    std::optional<Error> rolledBack;  // why the running transaction is gone
    bool transactionExpected = false;
    bool folding = false;
    bool committing = false;
    std::int64_t changesBefore = 0, schemaBefore = 0;  // the running transaction
    bool scripted = false;                             // in it
    LogState log;
    std::int64_t pageBytes = 0;

    Connection() = default;
    Connection(const Connection&) = delete;
    Connection& operator=(const Connection&) = delete;
    ~Connection() {
        cache.clear();
        // Closing folds the log back and removes it. Behind an error of the disk that would be trying a
        // failed sync again and believing it.
        if (damage) sqlite3_db_config(handle, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr);
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

}  // namespace postern::store
