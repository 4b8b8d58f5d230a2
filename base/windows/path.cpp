#include "base/path.h"

#include "base/file.h"
#include "base/library_error.h"
#include "base/windows/named.h"

namespace postern {
namespace {

constexpr std::string_view kSeparators = "/\\";

bool isSeparator(char c) {
    return c == '/' || c == '\\';
}

bool hasDrive(std::string_view path) {
    const char letter = path.size() < 2 ? '\0' : static_cast<char>(path[0] | 0x20);
    return letter >= 'a' && letter <= 'z' && path[1] == ':';
}

// Behind the next `count` names and the separator after each.
std::size_t behindNames(std::string_view path, std::size_t from, int count) {
    for (; count > 0 && from < path.size(); --count) {
        const auto end = path.find_first_of(kSeparators, from);
        from = end == std::string_view::npos ? path.size() : end + 1;
    }
    return from;
}

}  // namespace

namespace windows {

std::size_t rootSize(std::string_view path) {
    if (path.starts_with(R"(\\?\UNC\)")) return behindNames(path, 8, 2);
    if (path.starts_with(R"(\\?\)")) return behindNames(path, 4, 1);
    if (path.size() > 2 && isSeparator(path[0]) && isSeparator(path[1])) return behindNames(path, 2, 2);
    if (hasDrive(path)) return path.size() > 2 && isSeparator(path[2]) ? 3 : 2;
    return !path.empty() && isSeparator(path[0]) ? 1 : 0;
}

}  // namespace windows

std::string_view lastName(std::string_view path) {
    const std::size_t root = windows::rootSize(path);
    const auto separator = path.find_last_of(kSeparators);
    if (separator == std::string_view::npos || separator < root) return path.substr(root);
    return path.substr(separator + 1);
}

Result<void> usableFileName(std::string_view name) {
    return windows::checkName(name);
}

Result<void> usablePath(const std::string& path) {
    POSTERN_LET(checked, windows::checkedPath(path));
    (void)checked;
    return {};
}

// The capitals are those of the system, as it compares names.
std::string plainPath(std::string_view path) {
    std::wstring plain = libraryPath(path).lexically_normal().make_preferred().wstring();
    ::LCMapStringEx(LOCALE_NAME_INVARIANT, LCMAP_UPPERCASE, plain.data(), static_cast<int>(plain.size()),
                    plain.data(), static_cast<int>(plain.size()), nullptr, nullptr, 0);
    std::string text = windows::narrow(plain);
    if (text.size() > windows::rootSize(text) && text.back() == '\\') text.pop_back();
    return text;
}

std::string unlimitedPath(const std::string& path) {
    return windows::narrow(windows::systemPath(path));
}

// A path that somebody wrote with "/" goes on so: people see it, and programs that we name files to.
std::string joinPath(std::string_view folder, std::string_view name) {
    std::string path(folder);
    const bool slashes =
        folder.find('/') != std::string_view::npos && folder.find('\\') == std::string_view::npos;
    if (!path.empty() && !isSeparator(path.back())) path += slashes ? '/' : '\\';
    path += name;
    return path;
}

std::string parentPath(std::string_view path) {
    const std::size_t root = windows::rootSize(path);
    const auto separator = path.find_last_of(kSeparators);
    if (separator == std::string_view::npos || separator < root)
        return root == 0 ? "." : std::string(path.substr(0, root));
    return std::string(path.substr(0, separator));
}

// "\x" and "C:x" lean on a drive and a folder that are set elsewhere; "\\.\x" is a device.
bool isAbsolutePath(std::string_view path) {
    if (path.starts_with(R"(\\.\)")) return false;
    if (hasDrive(path)) return path.size() > 2 && isSeparator(path[2]);
    return path.size() > 2 && isSeparator(path[0]) && isSeparator(path[1]);
}

}  // namespace postern
