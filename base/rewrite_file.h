#pragma once
// New contents for a file that a person owns: who may read it does not change with them.

#include <string>
#include <string_view>

#include "base/result.h"

namespace postern {

// Replaces `path` as a whole and durably, as replaceFile() does; behind a link (not on Windows) the file that
// it leads to, so that the link stays. It keeps its owner, group and permission bits: Denied, and nothing is
// changed, where this process may not give them. A new file has, whatever the umask is, the permission bits
// of the file `like`, and, where this process may give them, its owner and group: who reads that one reads
// this one. Without `like` it has 0640 and the owner and group of its folder.
Result<void> rewriteFile(const std::string& path, std::string_view bytes, const std::string& like = "");

// A folder that is missing, with the mode, owner and group of the one around it, as far as this process may
// give them. Nothing happens when it is there.
Result<void> makeFolderLikeItsParent(const std::string& path);

}  // namespace postern
