#pragma once
// Keys of the configuration as a list in a manual page.
// Thread rule: any thread.

#include <string_view>
#include <vector>

#include "adapters/registry.h"
#include "connector/manual/mdoc.h"

namespace postern::manual {

// One item each: how it is written, what it means, its default and its bounds.
void writeSettings(Mdoc& page, const std::vector<const adapters::Setting*>& settings);

}  // namespace postern::manual
