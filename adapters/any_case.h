#pragma once
// Names of files that programs of DOS and Windows write on a share as they please: "03E70002.BSY" is the lock
// "03e70002.bsy" (KB Q152903). Thread rule: one thread.

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "adapters/spool/lock_file.h"

namespace postern::adapters {

// The names there that differ from `name` in case alone; `name` itself is not among them.
Result<std::vector<std::string>> otherSpellings(const Folder& folder, std::string_view name);

// `name` as it stands there: so, or else in another spelling, or else as given.
Result<std::string> spelledThere(const Folder& folder, std::string_view name);

// LockFile::take(), where a lock in another spelling is one too: Busy while it is there, unless it is stale.
Result<std::unique_ptr<LockFile>> takeLockInAnyCase(const Folder& folder, const std::string& name,
                                                    const LockFilePlan& plan);

}  // namespace postern::adapters
