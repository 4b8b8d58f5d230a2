#pragma once
// One table of the configuration, checked against its keys: unknown, missing, mistyped and out-of-range ones
// become problems, the others values with their fallbacks filled in.

#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "adapters/registry.h"
#include "connector/config/config.h"
#include "connector/config/tree.h"

namespace postern::config {

struct Findings {
    std::vector<Problem> problems, warnings;
    void problem(const Place& place, std::string text) { problems.push_back({place, std::move(text)}); }
    void warning(const Place& place, std::string text) { warnings.push_back({place, std::move(text)}); }
};

struct Entry {
    std::string text;  // as written, without quotes
    // Integer; Size in bytes, or the negative of its percents; Duration in milliseconds; Boolean
    std::int64_t number = 0;
    Place place;
    bool given = false;  // false: the fallback
};
using Section = std::map<std::string, Entry, std::less<>>;

// Keys in `elsewhere` are read by somebody else. What has a problem, and a computed key that was not given,
// is missing from the result.
Section readSection(const Node& table, std::span<const adapters::Setting* const> known,
                    std::span<const std::string_view> elsewhere, Findings& findings);

// The value in the one form that is the same for every way of writing it: "52428800", "300000ms", "true".
std::string canonical(const adapters::Setting& setting, const Entry& entry);

// For people, and for TOML without its quotes: "50 MiB", "5%", "5m"; always read back to exactly the same
// number.
std::string exactSize(std::int64_t bytes);
std::string exactDuration(std::int64_t millis);

// A name that can stand in logs, TOML keys and file names.
bool validName(std::string_view name);

}  // namespace postern::config
