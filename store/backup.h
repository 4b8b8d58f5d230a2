#pragma once
// A store in one file, and a store made of that file.
//
// A backup is a copy of the database as one moment saw it, with the bodies that stand in files taken into it,
// and two rows in its table "store" that say that it is one and of when. It is made under another name and
// gets its own when it is whole, checked and on the disk.
//
// Thread rule: one thread. Everything here is for tools: it reads beside a service that runs, or works under
// the store's lock.

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/ids.h"
#include "store/store.h"

namespace postern::store {

struct BackupFigures {
    std::string id;  // of the store
    WallTime at;     // what was stored until then is in it
    std::int64_t bytes = 0, messages = 0, items = 0;
    std::int64_t filed = 0;       // bodies that stood in files
    std::int64_t purged = 0;      // messages that the store purged while they were copied: not in it
    std::vector<MessageId> lost;  // have no body in the store either: in the backup without one
};

// How far it is, of `of` bodies or pages; may be called often.
using Progress = std::function<void(std::string_view what, std::int64_t done, std::int64_t of)>;
// Takes a message with all that refers to it out of the copy.
using Forget = std::function<Result<void>(WriteSession&, MessageId)>;

// Copies the store of `folder` into the new file `path`, beside a service if there is one. Exists when there
// is such a file; NotFound when there is no store; NoSpace, Io: nothing of the name `path` is there then.
Result<BackupFigures> backUp(const std::string& folder, const std::vector<Migration>& migrations,
                             const std::string& path, WallTime now, const Forget& forget,
                             const Progress& progress);

// Whether `path` is a whole backup: Corrupt, Invalid (not one, or of a newer Postern) say why not. Reads all
// of it.
Result<BackupFigures> checkBackup(const std::string& path, const std::vector<Migration>& migrations);

struct RestoreOptions {
    std::string folder;  // of the store
    std::vector<Migration> migrations;
    std::int64_t inlineBodyLimit = 65536;
    bool force = false;   // a store that stands there is moved aside
    bool dryRun = false;  // everything but the moves: the new store is made, and removed again
    WallTime now;
    // In the new store, in one transaction, before it is in place.
    std::function<Result<void>(WriteSession&, const BackupFigures&)> mark;
    Progress progress;
};
struct RestoreResult {
    BackupFigures backup;
    std::string aside;  // where what stood there is now; "" when there was nothing
};

// Ids go on kIdJump behind the highest that the backup or the store in the folder has given out: numbers that
// were given out after the backup are not given again, as names are made of them (adapters, A4).
inline constexpr std::int64_t kIdJump = 10'000'000;

// Makes the store of `folder` from a backup. Run by root it belongs to the owner of the folder; where that is
// root, to that of the store in it; in a folder that is made, to the owner of the one around it. Busy while a
// service or another tool has the store; Exists when one stands there that holds mail and `force` is not set.
// Nothing of the folder is touched before the new store is whole, nothing is ever deleted, and a crash leaves
// the old store, the new one, or a folder that no service starts on (store.id without postern.db): then do it
// again.
Result<RestoreResult> restore(const std::string& path, const RestoreOptions& options);

struct Vacuumed {
    std::int64_t before = 0, after = 0;  // bytes of the database
};
// Gives all unused space back, run by root with the rights of the store's owner. Busy while a service or
// another tool has the store; NoSpace when the volume has not twice its size free.
Result<Vacuumed> vacuum(const std::string& folder, const std::vector<Migration>& migrations);
// What vacuum() would give back, from the count of unused pages: at least that much. Changes nothing; beside
// a service, too. NotFound when there is no store.
Result<Vacuumed> previewVacuum(const std::string& folder);

}  // namespace postern::store
