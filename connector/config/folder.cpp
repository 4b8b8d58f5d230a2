#include "connector/config/folder.h"

#include <algorithm>
#include <string_view>

namespace postern::config {

std::string folderOf(const Adapter& adapter) {
    const adapters::Kind* kind = adapters::kindNamed(adapter.kind);
    if (kind == nullptr) return {};
    const auto found =
        std::find_if(kind->settings.begin(), kind->settings.end(), [](const adapters::Setting& each) {
            return std::string_view(each.key) == "folder" && each.type == adapters::SettingType::Path &&
                   each.fallback == nullptr;
        });
    return found == kind->settings.end() ? std::string() : adapter.settings.text(found->key);
}

}  // namespace postern::config
