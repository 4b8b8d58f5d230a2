#include "base/source.h"

#include <algorithm>
#include <cstring>

namespace postern {

Result<std::size_t> StringSource::readAt(std::int64_t offset, char* into, std::size_t size) {
    if (offset < 0 || offset >= this->size()) return std::size_t{0};
    const std::size_t count = std::min(size, bytes_.size() - static_cast<std::size_t>(offset));
    std::memcpy(into, bytes_.data() + offset, count);
    return count;
}

Result<std::unique_ptr<ByteSource>> FileSource::open(const std::string& path) {
    POSTERN_LET(file, File::openRead(path));
    POSTERN_LET(size, file.size());
    return std::unique_ptr<ByteSource>(new FileSource(std::move(file), size));
}

Result<std::size_t> FileSource::readAt(std::int64_t offset, char* into, std::size_t size) {
    return file_.readAt(offset, into, size);
}

Result<std::string> readAll(ByteSource& source, std::size_t limit) {
    if (source.size() > static_cast<std::int64_t>(limit))
        return fail(Errc::NoSpace, std::to_string(source.size()) + " bytes are more than the limit of " +
                                       std::to_string(limit));
    std::string bytes;
    bytes.reserve(static_cast<std::size_t>(source.size()));
    POSTERN_TRY(copyAll(source, [&](std::string_view chunk) -> Result<void> {
        bytes.append(chunk);
        return {};
    }));
    return bytes;
}

}  // namespace postern
