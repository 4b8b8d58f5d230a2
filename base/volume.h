#pragma once
// The volume that a folder stands on, and files that own their space. Thread rule: any thread, a file's one.

#include <cstdint>
#include <functional>
#include <string>

#include "base/file.h"
#include "base/result.h"

namespace postern {

struct Volume {
    std::int64_t bytes = 0, freeBytes = 0;  // free: for an ordinary user
    std::int64_t files = 0, freeFiles = 0;  // inodes; without a limit `files` is 0 and `freeFiles` very large
    std::uint64_t id = 0;                   // the same for folders of one volume
    bool operator==(const Volume&) const = default;
};
// Asks the file system: a share whose server is gone may keep the caller waiting.
Result<Volume> lookAtVolume(const std::string& path);

// Asks the file system for space for the bytes from `from` to `size`; false where it can not promise any.
using Preallocate = std::function<Result<bool>(File& file, std::int64_t from, std::int64_t size)>;
Result<bool> preallocate(File& file, std::int64_t from, std::int64_t size);

// Makes the file `size` bytes long and has space on the device for every one of them, which nobody else can
// take: preallocated, or where the file system can not do that, or says that it did and did not (OpenZFS),
// written with bytes that do not compress. What stands in the first `from` bytes has its space and stays. On
// the device when it returns. After an error, NoSpace among them, the file is `from` bytes long.
Result<void> allocate(File& file, std::int64_t from, std::int64_t size, const Preallocate& ask = preallocate);
// Space that the file takes; less than its size: it is sparse.
Result<std::int64_t> allocatedBytes(const File& file);

}  // namespace postern
