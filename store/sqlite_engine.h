#pragma once
// The SQLite engine, for the .cpp files of this folder only: how a database file is opened safely, and what
// the writer thread asks of it beyond plain statements. The rules behind the settings are
// RELIABILITY 2.1-2.7.

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "base/clock.h"
#include "store/database.h"

namespace postern::store {

// Reads the first bytes of the file, without the engine, which would touch what it does not understand.
// Corrupt: empty or no SQLite file. Invalid: of another program, or of a newer Postern than `newest`. A file
// with a log beside it is left to the engine: a power cut may have torn a first page that the log holds
// whole. REQUIRES: this process has no connection to the file (closing it would drop their POSIX locks).
Result<void> checkFileHeader(const std::string& path, int newest);

class SqliteReader final : public ReadSession {
  public:
    // `vfs` is the engine option of StoreOptions. NotFound when there is no file.
    static Result<std::unique_ptr<SqliteReader>> open(const std::string& path, const std::string& vfs);

    // The file as it stands, without its log and without a lock: pages of different moments where a fold was
    // cut off. REQUIRES: nobody writes to it meanwhile.
    static Result<std::unique_ptr<SqliteReader>> openAlone(const std::string& path, const std::string& vfs);

    // As SqliteWriter's; of one snapshot, beside whoever writes.
    Result<void> copyInto(const std::string& path);

  private:
    explicit SqliteReader(std::unique_ptr<Connection> connection);
};

// How the write-ahead log is folded back into the database. Overwriting a log that keeps its length syncs
// about 1.4 times as fast as writing one that grows (measured). In return, a commit that a full disk refused
// counts as written if the bytes that stood in its place were the very same; the writer empties the log after
// a refusal.
enum class Fold {
    Keep,   // SQLite's FULL: the log's file keeps its length and is used again from its beginning
    Empty,  // TRUNCATE
};

enum class Folded {
    Whole,   // as asked
    Copied,  // all of it is in the database and synced, but a reader keeps the log from being emptied
    Partly,  // a reader keeps an old snapshot
};

class SqliteWriter final : public WriteSession {
  public:
    enum class File { Existing, New };
    static Result<std::unique_ptr<SqliteWriter>> open(const std::string& path, const std::string& vfs,
                                                      File file);

    // Nothing is written to the file before this, except a new one's settings. REQUIRED before begin(). From
    // here on commit() marks the log as this file's (log_mark.h), also for script(); what runs outside of
    // begin() and commit() does not.
    Result<void> startLog();

    Result<void> begin();
    Result<void> commit();
    void rollback();                 // also when there is nothing to roll back
    void abandon(const Error& why);  // rolls back, and whyRolledBack() says why
    // False when the engine rolled the whole transaction back by itself (full disk, I/O error).
    bool inTransaction() const;
    Error whyRolledBack() const;

    // The first I/O error or sign of corruption the engine met; it must not be trusted any more (I8).
    const std::optional<Error>& damage() const;

    std::int64_t unfoldedBytes() const;  // of the log, as of the last commit
    std::int64_t logFileBytes() const;   // at least; 0 when nothing was written since it was emptied
    Result<Folded> foldLog(Fold how, Millis patience);
    void leaveLogOnClose();  // close without folding the log back

    // Makes message `id` a body of `size` bytes, which `read` gives from its beginning on: in pieces, so that
    // none need be in memory whole. REQUIRES: a transaction.
    Result<void> insertBody(
        std::int64_t id, std::int64_t size,
        const std::function<Result<std::size_t>(std::int64_t at, char* into, std::size_t size)>& read);
    // The other way.
    Result<void> readBody(std::int64_t id, const std::function<Result<void>(std::string_view)>& piece);

    Result<void> script(const std::string& sql);     // several statements
    Result<void> checkPages();                       // reads the whole file; Corrupt when it is damaged
    Result<void> copyInto(const std::string& path);  // a consistent copy; `path` must not exist. Not synced

  private:
    explicit SqliteWriter(std::unique_ptr<Connection> connection);
    Result<bool> changed();
    Result<void> mark();
};

}  // namespace postern::store
