#pragma once
// Which write-ahead log belongs to which database. A log does not say whose it is: SQLite takes any that is
// whole, another store's or an older one of the same, and lays its pages over those of the file. So the first
// commit of each log changes a row of the table "store" too, the mark: the log's own name, and the name that
// stood there when it was begun. A log belongs to a file that has one of both: the one upon which it was
// begun, or its own, when it has been folded back and is not emptied yet. Private to this folder.
//
// Thread rule: one thread each.

#include <optional>
#include <string>
#include <utility>

#include "store/database.h"

namespace postern::store {

inline constexpr char kWriteMark[] =
    "INSERT INTO store (key, value) VALUES ('log', ?1) ON CONFLICT (key) DO UPDATE SET value = ?1";

struct LogMark {
    std::string own, before;
};

// When a commit has to carry the mark: the first behind each fold that copied all of the log, as only that
// one can begin it anew. Whether it does is up to readers, and makes no difference.
class LogMarker {
  public:
    void start(const std::optional<LogMark>& stands);
    bool due() const { return due_; }
    std::string next();  // the row's new value, never twice the same
    void rolledBack() { written_ = false; }
    void committed(bool begun);  // unmarked, though the log begins with it: somebody else folded it back
    void folded();               // all of it is in the file, and synced

  private:
    LogMark mark_;
    bool due_ = false;
    bool written_ = false;  // in the transaction that runs
    bool stands_ = false;   // in a commit since the last fold
};

// What the file says without its log. Nothing: it has no mark yet, or can not be read alone, as a fold was
// cut off in its middle. Invalid: it has one, and what stands in the log beside it was written by nobody who
// knows of marks. REQUIRES: nobody writes, and this process has no connection to the file.
Result<std::optional<LogMark>> markOfFile(const std::string& path, const std::string& engineOption);

// What it says with its log. Nothing: it has no mark.
Result<std::optional<LogMark>> markOf(Session& session);

// Invalid when the log is not this file's. `file`: markOfFile()'s answer.
Result<void> checkLog(Session& session, const std::optional<LogMark>& file);

}  // namespace postern::store
