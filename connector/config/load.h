#pragma once
// Reads postern.toml and adapters.d/*.toml beside it. All problems are found in one pass, each with file,
// line and column; an unknown key is a problem and is told its nearest known one.

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "connector/config/config.h"

namespace postern::config {

struct Loaded {
    std::optional<Config> config;   // only when there are no problems
    std::vector<Problem> problems;  // in order of file and line
    std::vector<Problem> warnings;  // e.g. an adapter that no route leads to (KB Q186235)
};

// What files would say, by path, before they are written; nothing: as if the file were not there.
using Instead = std::map<std::string, std::optional<std::string>>;

// `path` is the main file. A file that can not be read is a problem like any other.
Loaded load(const std::string& path, const Instead& instead = {});

// The effective configuration, defaults filled in, as TOML that load() reads back to the same Config.
std::string show(const Config& config);
// One section of it; two that show alike are alike.
std::string show(const Listener& listener);
std::string show(const Adapter& adapter);
std::string show(const Chat& chat);

// POSTERN_CONFIG, or what the installed service was told (base/service_control.h), or
// /etc/postern/postern.toml (base/places.h).
std::string defaultPath();

}  // namespace postern::config
