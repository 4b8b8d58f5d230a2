#pragma once
// Every key of postern.toml, in one table (keys.cpp) that a person can read. Reading, checking, `postern
// config show`, the example file and the manual page are made from it. The settings of an adapter kind stand
// in the same form in adapters/registry.cpp; those common to all kinds stand here, section "adapter".

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "adapters/registry.h"

namespace postern::config {

struct Key {
    const char* section;        // "" (the top of the file), "listener", "pickup", "adapter", "reports", ...
    adapters::Setting setting;  // fallback "": computed, as the help says
    const char* sample;         // in the example file; nullptr: the fallback stands there as a comment
};

// The `least` of a Size that may be a share of a volume as well: a share is the negative of its percents.
inline constexpr std::int64_t kLeastOfShares = -99;

std::span<const Key> keys();
std::vector<const adapters::Setting*> keysOf(std::string_view section);
// The sections that know `name`, written as in the file: "[[listener]]".
std::vector<std::string> sectionsWith(std::string_view name);

// The one of `known` nearest to `word`, when it is near enough to be meant; empty otherwise.
std::string_view nearest(std::string_view word, std::span<const std::string_view> known);
// `; did you mean "recipient"?`, or nothing.
std::string didYouMean(std::string_view word, std::span<const std::string_view> known);

}  // namespace postern::config
