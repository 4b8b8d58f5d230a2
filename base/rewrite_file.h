#pragma once
// New contents for a file that a person owns: who may read it does not change with them.

#include <string>
#include <string_view>

#include "base/result.h"

namespace postern {

// Replaces `path` as a whole and durably, as replaceFile() does, and keeps its owner, group and permission
// bits: Denied, and nothing is changed, where this process may not give them. A new file has `mode`, whatever
// the umask is, and, where this process may give them, the owner and group of its folder: one that the
// service reads.
Result<void> rewriteFile(const std::string& path, std::string_view bytes, unsigned mode = 0640);

// A folder that is missing, with the mode, owner and group of the one around it, as far as this process may
// give them. Nothing happens when it is there.
Result<void> makeFolderLikeItsParent(const std::string& path);

}  // namespace postern
