#pragma once
// How a store comes to stand open: made new, or checked, recovered and brought up to date. Private to this
// folder.

#include <memory>
#include <string>

#include "base/file.h"
#include "store/sqlite_engine.h"
#include "store/store.h"

namespace postern::store {

inline constexpr char kDatabaseName[] = "postern.db";
inline constexpr char kBodiesName[] = "bodies";

struct Opened {
    std::unique_ptr<SqliteWriter> engine;  // nothing waits in its log
    std::string id;
};

// The one lock of the store in `folder`. Busy: who holds it, and what to do; Denied: whose it is.
Result<FileLock> lockStore(const std::string& folder);

// REQUIRES: the store's lock is held; this process has no connection to the database.
Result<Opened> openDatabase(const StoreOptions& options);

// Numbers 1, 2, 3, ...; Internal otherwise: a mistake in the program.
Result<void> checkNumbers(const std::vector<Migration>& migrations);

}  // namespace postern::store
