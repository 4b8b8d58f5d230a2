#pragma once
// Whose a folder is, whom its files will belong to, and what keeps this process from writing there: for
// errors that a person is to mend. Thread rule: any thread.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/file.h"
#include "base/result.h"

namespace postern {

using UserId = std::uint32_t;
using GroupId = std::uint32_t;

struct FolderFacts {
    std::uint64_t number = 0;  // its own inside its volume; a rename keeps it
    GroupId group = 0;
    bool handsOnGroup = false;  // setgid: a file that is created there gets the folder's group
};
Result<FolderFacts> lookAtFolder(const std::string& path);

Result<GroupId> fileGroup(const File& file);
// Denied: the process is not in that group. Takes setuid and setgid bits of the file away.
Result<void> setFileGroup(const File& file, GroupId group);
// "uid 1000", "gid 1000" for a number without a name.
std::string nameOfUser(UserId user);
std::string nameOfGroup(GroupId group);

// What of `path`, a folder to write into, a file to change, or one of the folders on the way there, does not
// let this process: what it is called, whose it is, its mode, as whom we asked, and what to do. Nothing when
// the rights that can be seen from here allow it. A path that is not there: what would have to be written to
// make it.
std::optional<std::string> hindrance(const std::string& path);

// An error that the system gave for want of rights (Denied), with what stands in the way in the first of
// `paths` that has a hindrance; any other error as it is.
Error explainDenied(Error error, const std::vector<std::string>& paths);

}  // namespace postern
