#include "base/folder_access.h"

#include "base/usable_folder.h"
#include "base/windows/named.h"

namespace postern {

namespace {

using windows::openPath;

std::string ourselves() {
    return "user " + userName();
}

// "FOLDER: icacls ..." for what the system denied, or nothing.
std::optional<std::string> hindranceAt(const std::string& path) {
    const auto there = openPath(path, FILE_READ_ATTRIBUTES);
    if (!there.ok())
        return there.error().code == Errc::Denied
                   ? std::optional(ourselves() + " may not look at " + path + ": icacls \"" + path +
                                   "\" /grant \"" + userName() + ":(OI)(CI)M\"")
                   : std::nullopt;
    const bool folder = windows::isFolder(there->get());
    const auto wanted = openPath(path, folder ? FILE_ADD_FILE | FILE_LIST_DIRECTORY : FILE_WRITE_DATA);
    if (wanted.ok() || wanted.error().code != Errc::Denied) return std::nullopt;
    BY_HANDLE_FILE_INFORMATION info{};
    if (!folder && ::GetFileInformationByHandle(there->get(), &info) != 0 &&
        (info.dwFileAttributes & FILE_ATTRIBUTE_READONLY) != 0)
        return path + " is marked read-only: attrib -r \"" + path + "\"";
    return ourselves() + " may not write " + (folder ? "into " : "to ") + path + ": icacls \"" + path +
           "\" /grant \"" + userName() + (folder ? ":(OI)(CI)M\"" : ":M\"");
}

bool saidBySystem(const Error& error) {
    for (const int number : {ERROR_ACCESS_DENIED, ERROR_WRITE_PROTECT, ERROR_PRIVILEGE_NOT_HELD})
        if (error.text.ends_with(systemError(number, "").text)) return true;
    return false;
}

}  // namespace

std::string nameOfUser(UserId user) {
    return "uid " + std::to_string(user);
}

std::string nameOfGroup(GroupId group) {
    return "gid " + std::to_string(group);
}

Result<FolderFacts> lookAtFolder(const std::string& path) {
    POSTERN_LET(opened, openPath(path, FILE_READ_ATTRIBUTES));
    POSTERN_LET(facts, windows::factsOf(opened.get(), path));
    return FolderFacts{facts.number, 0, false};
}

// What is made in a folder gets its list of rights from there: there is no group to hand on.
Result<GroupId> fileGroup(const File& file) {
    POSTERN_TRY(file.facts());
    return GroupId{0};
}

Result<void> setFileGroup([[maybe_unused]] const File& file, [[maybe_unused]] GroupId group) {
    return {};
}

std::optional<std::string> hindrance(const std::string& path) {
    return hindranceAt(nearestThere(path));
}

Error explainDenied(Error error, const std::vector<std::string>& paths) {
    if (error.code != Errc::Denied || !saidBySystem(error)) return error;
    for (const std::string& path : paths)
        if (const auto found = hindrance(path)) {
            error.text += "; " + *found;
            return error;
        }
    error.text +=
        "; " + ourselves() +
        " may by the rights that it sees: look at the rights of the share, and at controlled folder "
        "access of the virus scanner";
    return error;
}

}  // namespace postern
