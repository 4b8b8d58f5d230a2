#pragma once
// The message store's door: one writer thread with group commit, and read-only sessions beside it.
//
// Writing: write(work) hands a closure to the writer. The writer takes all closures that wait, runs each
// under a savepoint inside one transaction, commits once with a full disk sync, and only then answers each
// (I1). A closure that returns an error is rolled back alone. There is no artificial delay: the sync itself
// forms the batch.
//
// Failure (I8): when a commit, checkpoint or sync fails for any reason but a full disk, or the engine meets
// an I/O error or damage in a closure, the store is broken: that write and every later one answers Errc::Io
// and onBroken is called once. What that commit held may or may not surface after a restart; nothing is
// guessed before. A full disk answers Errc::NoSpace, changes nothing and heals; the first time the ballast
// (ballast.h) is given away, so that the next try has room.
//
// Thread rule: every function may be called from any thread, except that work and done closures run on the
// writer thread and must not call write() and wait for it (they may call write() with a done closure), block,
// or throw.

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/histogram.h"
#include "base/result.h"
#include "store/ballast.h"
#include "store/database.h"

namespace postern::store {

// One numbered step of the schema. Numbers start at 1, have no gaps and never change once released.
struct Migration {
    int number;
    const char* name;
    const char* sql;
};

struct StoreOptions {
    std::string folder;                    // absolute; holds postern.db, bodies/, lock, store.id
    std::vector<Migration> migrations;     // all of them, in order, messageMigrations() among them
    bool create = true;                    // false: Errc::NotFound when there is no store yet
    std::int64_t inlineBodyLimit = 65536;  // bytes; larger bodies stand in files beside the database
    // The write-ahead log is folded back when it grows beyond this: before its index needs a second page, at
    // 4,063 frames, for which a full disk would have no room.
    std::int64_t checkpointBytes = 15 << 20;
    int readers = 4;                             // read-only connections kept open
    int groupLimit = 256;                        // closures per commit
    Millis idle{1000};                           // without a write, before the writer keeps house
    std::string engineOption;                    // tests: SQLite's VFS; empty is the engine's own way
    std::function<void(const Error&)> onBroken;  // called once, on the writer thread
};

struct StoreCounters {
    std::int64_t commits = 0;
    std::int64_t works = 0;  // closures committed; works / commits is the size of the groups
    std::int64_t checkpoints = 0;
    std::int64_t logBytes = 0;        // of the write-ahead log that are not folded back yet
    Histogram::Snapshot commitTimes;  // of each commit with its disk sync
};

class Store {
  public:
    using Work = std::function<Result<void>(WriteSession&)>;
    using Done = std::function<void(const Result<void>&)>;

    // Takes the store's lock (Errc::Busy when another process has it), checks that the file is a Postern
    // store of a version we know, its log its own (Errc::Corrupt, Errc::Invalid: the file untouched), and the
    // one that store.id names, folds the log back before anything is written (RELIABILITY 2.4), applies
    // missing migrations (an existing store is copied to postern.db.before-<number> first), and starts the
    // writer.
    static Result<std::unique_ptr<Store>> open(StoreOptions options);
    ~Store();  // finishes what was handed to write(), then stops the writer

    void write(Work work, Done done);
    Result<void> write(Work work);  // waits. Not from the writer thread

    // Borrows a read session for the length of the call, which sees one snapshot from its first statement to
    // its return. Keep it short: a long one keeps the log from being folded back. Busy when all sessions stay
    // lent for half a minute.
    Result<void> read(const std::function<Result<void>(ReadSession&)>& work);

    bool broken() const;
    const std::string& folder() const;
    const std::string& id() const;  // random, made with the store; in names and marker files
    std::int64_t inlineBodyLimit() const;
    StoreCounters counters() const;
    std::int64_t logBytes() const;  // the counter alone
    std::int64_t checkpointBytes() const;
    // The writer folds the log back before its next group, or now when it has none. For who needs the room
    // that new mail is refused for; done or not, nobody is told.
    void foldSoon();
    Ballast& ballast();  // nobody fills it but the owner of the store

  private:
    struct Impl;
    explicit Store(std::unique_ptr<Impl> impl);
    std::unique_ptr<Impl> impl_;
};

// For tools that look while a service owns the store: no lock, no writing.
class StoreReader {
  public:
    // NotFound when there is no store in `folder`; Invalid when its schema is not the one of `migrations`.
    // Each statement of its session sees a snapshot of its own.
    static Result<std::unique_ptr<StoreReader>> open(const std::string& folder,
                                                     const std::vector<Migration>& migrations);
    ~StoreReader();
    ReadSession& session();

  private:
    struct Impl;
    explicit StoreReader(std::unique_ptr<Impl> impl);
    std::unique_ptr<Impl> impl_;
};

}  // namespace postern::store
