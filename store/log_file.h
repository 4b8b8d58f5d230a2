#pragma once
// The write-ahead log as its bytes stand on the disk, read without the engine, which would take it for the
// database's. https://www.sqlite.org/fileformat.html, section 4. Private to this folder.
//
// Thread rule: any thread.

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace postern::store {

std::uint32_t bigEndian(std::string_view bytes);  // of four

// Whether the file begins as a log does. False when there is none.
Result<bool> beginsAsLog(const std::string& path);

enum class LogHolds {
    Nothing,  // no commit that the engine would find; also when there is no such file
    OtherPages,
    ThePage,  // among others
};

// What the commits in it change.
Result<LogHolds> lookIntoLog(const std::string& path, std::int64_t page);

}  // namespace postern::store
