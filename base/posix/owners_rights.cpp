#include "base/owners_rights.h"

#include <cerrno>
#include <cstdlib>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/peer.h"

namespace postern {
namespace {

// The administrator may always be in his own group again. Where the system says no, nothing may be written
// any more: it would be for others to read.
void takeBack(gid_t group) {
    if (::setegid(group) != 0) std::abort();
}

}  // namespace

bool isAdministrator() {
    return ::geteuid() == 0;
}

Result<void> mayWorkFor(const std::string& path) {
    const auto owner = fileOwner(path);
    const std::string us = userName();
    if (!owner.ok() || *owner == us) return {};
    return fail(Errc::Denied, path + " belongs to " + *owner + ": do this as that user (sudo -u " + *owner +
                                  "), not as " + us);
}

std::string handOverCommand(const std::string& folder) {
    return "chown -R USER: " + folder;
}

Result<OwnersRights> OwnersRights::of(const std::string& path) {
    struct stat facts {};
    if (::stat(path.c_str(), &facts) != 0) return systemError(errno, path);
    const gid_t group = ::getegid();
    if (!isAdministrator() || facts.st_uid == 0) return OwnersRights(false, group);
    // The group first: without the administrator's rights it can not be changed any more.
    if (::setegid(facts.st_gid) != 0) return systemError(errno, "acting for the owner of " + path);
    if (::seteuid(facts.st_uid) == 0) return OwnersRights(true, group);
    const int number = errno;
    takeBack(group);
    return systemError(number, "acting for the owner of " + path);
}

OwnersRights::~OwnersRights() {
    if (!taken_) return;
    // Where that fails this process goes on with less: the safe side.
    if (::seteuid(0) != 0) return;
    takeBack(group_);
    // The change of rights took that away: debuggers, leak checkers and core files want it.
    (void)::prctl(PR_SET_DUMPABLE, 1);
}

}  // namespace postern
