#pragma once
// What the administrator does with another user's files, done with that user's rights: what is made belongs
// to him, and a link that he left leads nowhere he may not go himself.

#include <string>

#include "base/result.h"

namespace postern {

bool isAdministrator();  // whether this process may give files away: root, with its rights

// What this process makes beside the files at `path`, their owner must be able to use. Denied: it will not,
// and as whom to do it. Where rights come from the folder, as on Windows, whoever may write there may do it.
Result<void> mayWorkFor(const std::string& path);

// What an administrator types to give the service a folder with all that is in it.
std::string handOverCommand(const std::string& folder);

// From of() on the whole process has the user and group of the owner of `path`; its end gives them back.
// Nothing happens where this process is not the administrator, or `path` is the administrator's own.
// Thread rule: while no other thread works with files.
class OwnersRights {
  public:
    // Denied: the rights can not be taken (a container without CAP_SETUID).
    static Result<OwnersRights> of(const std::string& path);
    OwnersRights(OwnersRights&& other) noexcept : taken_(other.taken_), group_(other.group_) {
        other.taken_ = false;
    }
    OwnersRights& operator=(OwnersRights&&) = delete;
    ~OwnersRights();

  private:
    OwnersRights(bool taken, unsigned group) : taken_(taken), group_(group) {}
    bool taken_;
    unsigned group_;  // the administrator's
};

}  // namespace postern
