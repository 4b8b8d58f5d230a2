#include "base/path.h"

#include "base/file.h"
#include "base/library_error.h"
#include "base/text.h"

namespace postern {

std::string_view lastName(std::string_view path) {
    return path.substr(path.rfind('/') + 1);
}

Result<void> usableFileName(std::string_view name) {
    if (name.empty() || name == "." || name == ".." || name.find('/') != std::string_view::npos ||
        name.find('\0') != std::string_view::npos)
        return fail(Errc::Invalid, "'" + escapeLine(name, 100) + "' is not a file name");
    return {};
}

Result<void> usablePath(const std::string& path) {
    if (!path.empty() && path.find('\0') == std::string::npos) return {};
    return fail(Errc::Invalid, "'" + escapeLine(path, 200) + "' is no path of a file");
}

std::string plainPath(std::string_view path) {
    std::string plain = textOf(libraryPath(path).lexically_normal());
    if (plain.size() > 1 && plain.back() == '/') plain.pop_back();
    return plain;
}

std::string unlimitedPath(const std::string& path) {
    return path;
}

std::string joinPath(std::string_view folder, std::string_view name) {
    std::string path(folder);
    if (!path.empty() && path.back() != '/') path += '/';
    path += name;
    return path;
}

std::string parentPath(std::string_view path) {
    const auto slash = path.rfind('/');
    if (slash == std::string_view::npos) return ".";
    return std::string(slash == 0 ? path.substr(0, 1) : path.substr(0, slash));
}

bool isAbsolutePath(std::string_view path) {
    return !path.empty() && path.front() == '/';
}

}  // namespace postern
