#pragma once
// The key that SQLite gave the row which was inserted last. RETURNING says the same, but makes a table of its
// own each time, which costs more than the insert.

#include "store/database.h"

namespace postern::store {

// REQUIRES: behind an INSERT of one row into a table with an integer key, in the same session and work.
// Thread rule: the session's.
inline Result<std::int64_t> newestKey(WriteSession& session) {
    return session.one("SELECT last_insert_rowid()");
}

}  // namespace postern::store
