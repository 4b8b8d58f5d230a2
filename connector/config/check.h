#pragma once
// What only shows when the whole configuration is seen: names and places used twice, routes that lead
// nowhere.

#include "connector/config/config.h"
#include "connector/config/section.h"

namespace postern::config {

void checkWhole(const Config& config, Findings& findings);

// What is wrong with a route's pattern or template; empty when nothing is.
std::string patternProblem(std::string_view pattern);
std::string templateProblem(std::string_view text);

}  // namespace postern::config
