#pragma once
// How a whole file is replaced, for what base/ replaces. Thread rule: any thread, one for each path.

#include <functional>
#include <string>

#include "base/file.h"
#include "base/result.h"

namespace postern {

// Makes a new file of the mode beside `path`, has it filled, syncs it, renames it over `path` and syncs the
// folder. After an error the file at `path` is the one it was, and none of ours is left.
Result<void> replaceWith(const std::string& path, unsigned mode,
                         const std::function<Result<void>(File&)>& fill);

}  // namespace postern
