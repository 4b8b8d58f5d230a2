#pragma once
// Names that are no ordinary files. False where the system makes none, or not for this user.

#include <filesystem>
#include <string>

#ifndef _WIN32
#include <sys/stat.h>
#endif

namespace postern::tests {

inline bool makeLink(const std::string& target, const std::string& path) {
    std::error_code error;
    std::filesystem::create_symlink(target, path, error);
    return !error && std::filesystem::is_symlink(std::filesystem::symlink_status(path));
}

inline bool makePipe(const std::string& path) {
#ifdef _WIN32
    static_cast<void>(path);
    return false;
#else
    return ::mkfifo(path.c_str(), 0600) == 0;
#endif
}

}  // namespace postern::tests
