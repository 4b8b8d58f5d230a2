#include "base/trusted_path.h"

#include <cerrno>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"

namespace postern {

Result<void> onlyOursToWrite(const std::string& path) {
    constexpr mode_t kOthersWrite = S_IWGRP | S_IWOTH;
    struct stat info {};
    if (::stat(path.c_str(), &info) != 0) return systemError(errno, path);
    if (info.st_uid != 0 && info.st_uid != ::geteuid())
        return fail(Errc::Denied, path + " belongs to user " + std::to_string(info.st_uid) +
                                      ", who could change it: chown root " + path);
    if ((info.st_mode & kOthersWrite) != 0)
        return fail(Errc::Denied, path + " can be written by others than its owner: chmod go-w " + path);
    return {};
}

}  // namespace postern
