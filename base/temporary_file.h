#pragma once
// A file that nobody else sees and that is gone with its handle. Thread rule: any thread.

#include "base/file.h"

namespace postern {

// In the system's folder for such files ($TMPDIR, /tmp), readable by this process's user only.
Result<File> temporaryFile();

}  // namespace postern
