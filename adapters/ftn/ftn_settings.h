#pragma once
// What an `ftn` adapter's settings come to. Thread rule: pure.

#include <vector>

#include "adapters/ftn/ftn_message.h"
#include "adapters/ftn/ftn_outbound.h"
#include "adapters/registry.h"

namespace postern::adapters::ftn {

struct Plan {
    Options options;
    SpoolPlan spool;
    BundlePlan bundles;
    bool outbound = false;  // a mailer's outbound; otherwise a tosser's inbound
    bool direct = false;    // each node gets packets of its own; otherwise the link gets all
    int mostRecipients = 0;
    OutboundPlan flows;
};

std::vector<Setting> netmailSettings();

// An error names the setting and says what would be right.
Result<Plan> netmailPlan(const AdapterContext& context, const Settings& settings);

}  // namespace postern::adapters::ftn
