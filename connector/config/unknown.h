#pragma once
// What to say of an adapter's name that is not in the configuration.

#include <string_view>

#include "connector/config/config.h"

namespace postern::config {

// NotFound: `there is no adapter "smpt"; did you mean "smtp"?`
Error noAdapter(const Config& config, std::string_view name);

}  // namespace postern::config
