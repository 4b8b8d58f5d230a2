#include "base/volume.h"

#include <algorithm>
#include <random>

namespace postern {

namespace {

constexpr std::size_t kPiece = 256 << 10;

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

Result<void> allocate(File& file, std::int64_t from, std::int64_t size, const Preallocate& ask) {
    const Result<void> taken = takeSpace(file, from, size, ask);
    if (taken.ok()) return {};
    POSTERN_TRY(file.truncate(from));
    return taken;
}

}  // namespace postern
