#pragma once
// Whether what stands at a path may be believed as our own program is: code that we load. Thread rule: any
// thread.

#include <string>

#include "base/result.h"

namespace postern {

// Ok when only root and the user of this process can write to the file or folder at `path` (links are
// followed): one of them owns it, and its mode gives nobody else the right. Denied says who could, and which
// command mends it; NotFound and others as the system has them. Whoever may write to the folder can put
// another file in its place: ask about both.
Result<void> onlyOursToWrite(const std::string& path);

}  // namespace postern
