#include "base/folder_access.h"

#include <array>
#include <cerrno>
#include <cstdio>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>

namespace postern {

namespace {

constexpr int kMostGroupsShown = 8;

// Its groups are those it was started with: one that was given since shows by its absence.
std::string ourselves() {
    std::array<gid_t, 256> others;
    const int count = ::getgroups(static_cast<int>(others.size()), others.data());
    std::string groups = nameOfGroup(::getegid());
    int shown = 1;
    for (int i = 0; i < count; ++i) {
        if (others[static_cast<std::size_t>(i)] == ::getegid()) continue;
        if (++shown > kMostGroupsShown)
            return "user " + nameOfUser(::geteuid()) + " (groups " + groups + ", ...)";
        groups += ", " + nameOfGroup(others[static_cast<std::size_t>(i)]);
    }
    return "user " + nameOfUser(::geteuid()) + (shown == 1 ? " (group " : " (groups ") + groups + ")";
}

std::string whoseIs(const std::string& path, const struct stat& facts) {
    char mode[8];
    std::snprintf(mode, sizeof mode, "%04o", facts.st_mode & 07777u);
    return path + ", which belongs to " + nameOfUser(facts.st_uid) + ":" + nameOfGroup(facts.st_gid) +
           ", mode " + mode;
}

bool allowed(const std::string& path, int what) {
    return ::faccessat(AT_FDCWD, path.c_str(), what, AT_EACCESS) == 0;
}

std::string mendFolder(bool toWrite) {
    const std::string user = nameOfUser(::geteuid());
    if (!toWrite) return "chmod o+x, or setfacl -m u:" + user + ":x";
    return "chown or chgrp and chmod g+rwxs, or setfacl -m u:" + user + ":rwx";
}

// Of what is there, whether the process may do `what` with it.
std::optional<std::string> hindranceAt(const std::string& path, int what, const struct stat& facts) {
    if (allowed(path, what)) return std::nullopt;
    if (errno == EROFS)
        return path + " is read-only for this service: its volume is, or ReadWritePaths in its unit lacks it";
    if (errno != EACCES) return std::nullopt;
    if (!S_ISDIR(facts.st_mode))
        return ourselves() + " may not write to " + whoseIs(path, facts) + ": chown, or chgrp and chmod g+rw";
    const bool toWrite = (what & W_OK) != 0;
    return ourselves() + (toWrite ? " may not write into " : " may not pass through ") +
           whoseIs(path, facts) + ": " + mendFolder(toWrite);
}

bool saidBySystem(const Error& error) {
    for (const int number : {EACCES, EPERM, EROFS})
        if (error.text.ends_with(std::generic_category().message(number))) return true;
    return false;
}

}  // namespace

std::string nameOfUser(UserId id) {
    char buffer[4096];
    passwd entry;
    passwd* found = nullptr;
    if (::getpwuid_r(static_cast<uid_t>(id), &entry, buffer, sizeof buffer, &found) == 0 && found != nullptr)
        return found->pw_name;
    return "uid " + std::to_string(id);
}

std::string nameOfGroup(GroupId id) {
    char buffer[16384];  // the members stand in it too
    group entry;
    group* found = nullptr;
    if (::getgrgid_r(static_cast<gid_t>(id), &entry, buffer, sizeof buffer, &found) == 0 && found != nullptr)
        return found->gr_name;
    return "gid " + std::to_string(id);
}

Result<FolderFacts> lookAtFolder(const std::string& path) {
    struct stat facts {};
    if (::stat(path.c_str(), &facts) != 0) return systemError(errno, path);
    return FolderFacts{static_cast<std::uint64_t>(facts.st_ino), static_cast<GroupId>(facts.st_gid),
                       (facts.st_mode & S_ISGID) != 0};
}

Result<GroupId> fileGroup(const File& file) {
    struct stat facts {};
    if (::fstat(file.handle(), &facts) != 0) return systemError(errno, "look");
    return static_cast<GroupId>(facts.st_gid);
}

Result<void> setFileGroup(const File& file, GroupId group) {
    if (::fchown(file.handle(), static_cast<uid_t>(-1), static_cast<gid_t>(group)) == 0) return {};
    const int number = errno;  // before the name is looked up
    return systemError(number, "give it to the group " + nameOfGroup(group));
}

std::optional<std::string> hindrance(const std::string& path) {
    std::string last;
    struct stat lastFacts {};
    for (std::size_t end = path.find('/', 1);; end = path.find('/', end + 1)) {
        const std::string part = path.substr(0, end);
        struct stat facts {};
        if (::stat(part.c_str(), &facts) != 0) break;
        last = part;
        lastFacts = facts;
        if (end == std::string::npos) break;
        if (auto found = hindranceAt(part, X_OK, facts)) return found;
    }
    if (last.empty()) return std::nullopt;
    return hindranceAt(last, S_ISDIR(lastFacts.st_mode) ? W_OK | X_OK : R_OK | W_OK, lastFacts);
}

Error explainDenied(Error error, const std::vector<std::string>& paths) {
    if (error.code != Errc::Denied || !saidBySystem(error)) return error;
    for (const std::string& path : paths)
        if (const auto found = hindrance(path)) {
            error.text += "; " + *found;
            return error;
        }
    error.text += "; " + ourselves() +
                  " may by the rights that it sees: look at lsattr, the server's rights, SELinux or AppArmor";
    return error;
}

}  // namespace postern
