#include "base/library_error.h"

#include "base/file.h"

namespace postern {

static Errc codeOf(const std::error_code& error) {
    if (error == std::errc::no_such_file_or_directory || error == std::errc::not_a_directory)
        return Errc::NotFound;
    if (error == std::errc::permission_denied || error == std::errc::operation_not_permitted ||
        error == std::errc::read_only_file_system)
        return Errc::Denied;
    if (error == std::errc::file_exists || error == std::errc::directory_not_empty) return Errc::Exists;
    if (error == std::errc::no_space_on_device || error == std::errc::file_too_large) return Errc::NoSpace;
    if (error == std::errc::device_or_resource_busy || error == std::errc::resource_unavailable_try_again)
        return Errc::Busy;
    if (error == std::errc::filename_too_long || error == std::errc::invalid_argument) return Errc::Invalid;
    if (error == std::errc::too_many_files_open || error == std::errc::not_enough_memory)
        return Errc::Unavailable;
    return Errc::Io;
}

Error libraryError(const std::error_code& error, std::string_view context) {
    return Error{codeOf(error), std::string(context) + ": " + error.message()};
}

std::filesystem::path libraryPath(std::string_view path) {
    return {std::u8string(path.begin(), path.end())};
}

std::string textOf(const std::filesystem::path& path) {
    const std::u8string text = path.u8string();
    return {text.begin(), text.end()};
}

Result<std::string> absolutePath(const std::string& path) {
    std::error_code error;
    const auto whole = std::filesystem::absolute(libraryPath(path), error);
    if (error) return libraryError(error, path);
    return textOf(whole.lexically_normal());
}

Result<std::int64_t> fileSize(const std::string& path) {
    POSTERN_LET(file, File::openRead(path));
    return file.size();
}

}  // namespace postern
