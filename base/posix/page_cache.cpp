#include "base/page_cache.h"

#include <fcntl.h>

#include "base/file.h"

namespace postern {

Result<void> forgetCached(const std::string& path) {
    POSTERN_LET(file, File::openRead(path));
    POSTERN_TRY(file.sync());
    // It is advice: a file system that does not know it refuses, and leaves everything as it was.
    (void)::posix_fadvise(file.handle(), 0, 0, POSIX_FADV_DONTNEED);
    return file.close();
}

}  // namespace postern
