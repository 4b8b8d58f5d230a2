#include "base/quiet_lock.h"

namespace postern {

Result<bool> tryQuietLock(File& file) {
    return file.tryLock();
}

// What is closed here stays locked by the handle that the program has; unlocking would take it from both.
void passQuietLock(File) {}

}  // namespace postern
