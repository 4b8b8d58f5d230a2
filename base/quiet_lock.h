#pragma once
// A lock that only our own programs ask for, and that hinders nobody from reading and writing the file: a
// program may read a text while somebody has its lock. On POSIX it is File::tryLock(). On Windows, where that
// one keeps all others out, it is one byte far behind any file's end. Thread rule: as File.

#include "base/file.h"
#include "base/result.h"

namespace postern {

// Held until the File is closed. False when somebody else has it.
Result<bool> tryQuietLock(File& file);

// After a program was started with `file` as one that is handed to it: the lock is that one's to take
// (takeHandedLock()), and no longer ours. On Windows others may be quicker.
void passQuietLock(File file);

}  // namespace postern
