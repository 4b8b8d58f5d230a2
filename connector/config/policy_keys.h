#pragma once
// From an adapter's policy keys to its Policy, and what these keys may not say together.

#include "connector/config/config.h"
#include "connector/config/section.h"

namespace postern::config {

// Fills adapter.policy; each mistake becomes a problem at its key.
void readPolicy(const Section& section, Adapter& adapter, Findings& findings);

// A fallback is another adapter that exists, both of its keys are given, and no chain of fallbacks returns.
void checkFallbacks(const Config& config, Findings& findings);

}  // namespace postern::config
