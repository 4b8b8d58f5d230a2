#include "base/volume.h"

#include <algorithm>
#include <cerrno>
#include <fcntl.h>
#include <random>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

namespace postern {

namespace {

constexpr std::size_t kPiece = 256 << 10;

template <class Call>
auto retried(Call call) {
    for (;;) {
        const auto result = call();
        if (result != -1 || errno != EINTR) return result;
    }
}

// Only noise keeps its size where volumes compress or keep equal blocks once.
Result<void> writeNoise(File& file, std::int64_t from, std::int64_t size) {
    std::mt19937_64 noise{std::random_device{}()};
    std::string piece(kPiece, '\0');
    for (std::int64_t at = from; at < size; at += static_cast<std::int64_t>(kPiece)) {
        for (std::size_t i = 0; i < piece.size(); i += sizeof(std::uint64_t)) {
            const std::uint64_t word = noise();
            for (std::size_t byte = 0; byte < sizeof word; ++byte)
                piece[i + byte] = static_cast<char>(word >> (8 * byte));
        }
        const auto length = static_cast<std::size_t>(std::min<std::int64_t>(size - at, std::int64_t{kPiece}));
        POSTERN_TRY(file.writeAt(at, {piece.data(), length}));
    }
    return {};
}

Result<void> takeSpace(File& file, std::int64_t from, std::int64_t size, const Preallocate& ask) {
    POSTERN_LET(promised, ask(file, from, size));
    POSTERN_LET(allocated, allocatedBytes(file));
    if (!promised || allocated < size) POSTERN_TRY(writeNoise(file, from, size));
    return file.sync();
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

Result<void> allocate(File& file, std::int64_t from, std::int64_t size, const Preallocate& ask) {
    const Result<void> taken = takeSpace(file, from, size, ask);
    if (taken.ok()) return {};
    POSTERN_TRY(file.truncate(from));
    return taken;
}

Result<std::int64_t> allocatedBytes(const File& file) {
    struct stat facts;
    if (retried([&] { return ::fstat(file.handle(), &facts); }) != 0)
        return systemError(errno, "looking at a file");
    return std::int64_t{facts.st_blocks} * 512;
}

}  // namespace postern
