#pragma once
// What the C++ library (std::filesystem) wants and says, in our terms. Thread rule: any thread.

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <system_error>

#include "base/result.h"

namespace postern {

// "context: No such file or directory", whatever system it came from. REQUIRES: an error.
Error libraryError(const std::error_code& error, std::string_view context);

// Our paths are UTF-8; on Windows the library would take a std::string for the system's code page.
std::filesystem::path libraryPath(std::string_view path);
std::string textOf(const std::filesystem::path& path);

// The same place from the root on, without "." and "..", which need not be there.
Result<std::string> absolutePath(const std::string& path);

// The size of a file that may be read. NotFound and others as File::openRead() has them.
Result<std::int64_t> fileSize(const std::string& path);

}  // namespace postern
