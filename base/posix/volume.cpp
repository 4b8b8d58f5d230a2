#include "base/volume.h"

#include <cerrno>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

namespace postern {

namespace {

template <class Call>
auto retried(Call call) {
    for (;;) {
        const auto result = call();
        if (result != -1 || errno != EINTR) return result;
    }
}

}  // namespace

Result<Volume> lookAtVolume(const std::string& path) {
    struct statvfs info;
    if (retried([&] { return ::statvfs(path.c_str(), &info); }) != 0) return systemError(errno, path);
    struct stat facts;
    if (retried([&] { return ::stat(path.c_str(), &facts); }) != 0) return systemError(errno, path);
    const std::int64_t unlimited = std::int64_t{1} << 62;
    const auto block = static_cast<std::int64_t>(info.f_frsize);
    Volume volume;
    volume.bytes = static_cast<std::int64_t>(info.f_blocks) * block;
    volume.freeBytes = static_cast<std::int64_t>(info.f_bavail) * block;
    volume.files = static_cast<std::int64_t>(info.f_files);
    volume.freeFiles = info.f_files == 0 ? unlimited : static_cast<std::int64_t>(info.f_favail);
    volume.id = static_cast<std::uint64_t>(facts.st_dev);
    return volume;
}

Result<bool> preallocate([[maybe_unused]] File& file, [[maybe_unused]] std::int64_t from,
                         [[maybe_unused]] std::int64_t size) {
#ifdef __linux__
    if (retried([&] { return ::fallocate(file.handle(), 0, from, size - from); }) == 0) return true;
    const bool unable = errno == EOPNOTSUPP || errno == ENOSYS;
    if (!unable) return systemError(errno, "preallocating");
#endif
    return false;
}

Result<std::int64_t> allocatedBytes(const File& file) {
    struct stat facts;
    if (retried([&] { return ::fstat(file.handle(), &facts); }) != 0)
        return systemError(errno, "looking at a file");
    return std::int64_t{facts.st_blocks} * 512;
}

}  // namespace postern
