#include "connector/admin/trouble.h"

#include <algorithm>

#include "adapters/registry.h"
#include "base/file.h"
#include "net/tls_context.h"

namespace postern::admin {

namespace {

Trouble folderTrouble(const std::string& about, const Error& error) {
    std::string advice = ": see whether its disk or share is there";
    if (error.code == Errc::NotFound) advice = ": make it, or correct \"folder\"";
    if (error.code == Errc::Denied) advice = ": give it to the user that the service runs as";
    return {about, "the folder can not be used: " + error.text + advice};
}

void lookAtFolder(const std::string& about, const std::string& path, std::vector<Trouble>& into) {
    if (const auto folder = Folder::open(path); !folder.ok())
        into.push_back(folderTrouble(about, folder.error()));
}

// The one from which the legacy side takes its mail: a path that must be given. Null: it has none.
const adapters::Setting* folderSetting(const config::Adapter& adapter) {
    const adapters::Kind* kind = adapters::kindNamed(adapter.kind);
    if (kind == nullptr) return nullptr;
    const auto found =
        std::find_if(kind->settings.begin(), kind->settings.end(), [](const adapters::Setting& each) {
            return std::string_view(each.key) == "folder" && each.type == adapters::SettingType::Path &&
                   each.fallback == nullptr;
        });
    return found == kind->settings.end() ? nullptr : &*found;
}

}  // namespace

std::vector<Trouble> certificateTroubles(const config::Config& config, WallTime now) {
    std::vector<Trouble> troubles;
    for (const config::Listener& listener : config.listeners) {
        if (listener.tls == config::Tls::Off) continue;
        const std::string about = "listener " + listener.name;
        const auto made = net::TlsContext::make(
            {listener.certificate, listener.key, listener.clientCa, !listener.clientCertificates.empty()},
            now);
        if (!made.ok())
            troubles.push_back({about, made.error().text + "; then \"postern reload\""});
        else
            for (const std::string& warning : (*made)->warnings()) troubles.push_back({about, warning});
    }
    return troubles;
}

std::vector<Trouble> folderTroubles(const config::Config& config) {
    std::vector<Trouble> troubles;
    for (const config::Pickup& pickup : config.pickups)
        lookAtFolder("pickup " + pickup.name, pickup.folder, troubles);
    for (const config::Adapter& adapter : config.adapters)
        if (const adapters::Setting* setting = folderSetting(adapter); setting != nullptr)
            lookAtFolder("adapter " + adapter.name, adapter.settings.text(setting->key), troubles);
    return troubles;
}

std::vector<Trouble> pickupTroubles(const std::map<std::string, Error>& found) {
    std::vector<Trouble> troubles;
    for (const auto& [name, error] : found) troubles.push_back(folderTrouble("pickup " + name, error));
    return troubles;
}

}  // namespace postern::admin
