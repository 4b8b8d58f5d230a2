#pragma once
// Every key of postern.toml, in one table (keys.cpp) that a person can read. Reading, checking, `postern
// config show`, the example file and the manual page are made from it. The settings of an adapter kind stand
// in the same form in adapters/registry.cpp; those common to all kinds stand here, section "adapter".

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

namespace postern::config {

enum class KeyType { Text, Path, Integer, Size, Duration, Choice };

struct Key {
    const char* section;  // "" (the top of the file), "listener", "adapter", "route"
    const char* name;
    KeyType type;
    const char* fallback;  // as written, without quotes; "" with a computed one; nullptr: must be given
    const char* help;      // one sentence
    std::int64_t least = 0, most = INT64_MAX;  // Integer, Size (bytes), Duration (milliseconds)
    std::vector<const char*> choices = {};     // Choice only
};

std::span<const Key> keys();
const Key* keyNamed(std::string_view section, std::string_view name);

}  // namespace postern::config
