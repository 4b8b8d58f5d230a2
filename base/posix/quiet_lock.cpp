#include "base/quiet_lock.h"

namespace postern {

Result<bool> tryQuietLock(File& file) {
    return file.tryLock();
}

}  // namespace postern
