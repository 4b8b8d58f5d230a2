#pragma once
// Tables, rules and the way back: what of them can not work, and what would surprise.

#include "connector/config/config.h"
#include "connector/config/section.h"

namespace postern::config {

void checkPolicy(const Config& config, Findings& findings);

void checkAdapterName(const Config& config, const std::string& name, const Place& place, Findings& findings);

// Whether any route, table, rule, fallback or the reports give mail to that adapter.
bool mailLeadsTo(const Config& config, const std::string& adapter);

}  // namespace postern::config
