#pragma once
// What a look at the folders of a configuration tells that changes nothing: for commands that run before the
// service does. Rights are looked at where we know whose count: those of the store's owner, who is the
// service's user. While it lives, root has no more than these.

#include <optional>
#include <string>

#include "base/owners_rights.h"
#include "connector/config/config.h"

namespace postern::cli {

class FolderLook {
  public:
    explicit FolderLook(const config::Config& config);
    std::string atStore() const;                           // "" or what is wrong
    std::string at(const config::Adapter& adapter) const;  // the same; "" too where it has no folder

  private:
    const std::string store_;
    const Result<OwnersRights> rights_;
    const bool owners_;  // the process has the rights of the store's owner now
};

}  // namespace postern::cli
