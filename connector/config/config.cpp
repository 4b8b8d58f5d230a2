#include "connector/config/config.h"

namespace postern::config {

std::string placeText(const Place& place) {
    if (place.line == 0) return place.file;
    const std::string line = place.file + ":" + std::to_string(place.line);
    return place.column == 0 ? line : line + ":" + std::to_string(place.column);
}

const Adapter* adapterNamed(const Config& config, std::string_view name) {
    for (const Adapter& adapter : config.adapters)
        if (adapter.name == name) return &adapter;
    return nullptr;
}

}  // namespace postern::config
