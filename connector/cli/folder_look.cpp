#include "connector/cli/folder_look.h"

#include "adapters/registry.h"
#include "base/peer.h"
#include "base/usable_folder.h"
#include "connector/config/folder.h"

namespace postern::cli {

namespace {

// Whether the service makes the adapter's folder.
bool makes(const config::Adapter& adapter) {
    const adapters::Kind* kind = adapters::kindNamed(adapter.kind);
    if (kind == nullptr) return true;
    for (const adapters::Setting& setting : kind->settings)
        if (std::string_view(setting.key) == "create") return adapter.settings.boolean("create");
    return true;
}

}  // namespace

FolderLook::FolderLook(const config::Config& config)
    : store_(config.store),
      rights_(OwnersRights::of(nearestThere(store_))),
      // Root's own store may be one that nobody has given away yet.
      owners_(!isAdministrator() && fileOwner(nearestThere(store_)).valueOr("") == effectiveUser()) {}

std::string FolderLook::atStore() const {
    return folderObstacle({store_, true, owners_});
}

std::string FolderLook::at(const config::Adapter& adapter) const {
    const std::string folder = config::folderOf(adapter);
    return folder.empty() ? std::string() : folderObstacle({folder, makes(adapter), owners_});
}

}  // namespace postern::cli
