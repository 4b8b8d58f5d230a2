#pragma once
// Webhooks take events and no mail: nothing may lead mail to one. Internal to this folder. Thread rule: pure.

#include "connector/config/config.h"
#include "connector/config/section.h"

namespace postern::config {

void checkWebhooks(const Config& config, Findings& findings);

}  // namespace postern::config
