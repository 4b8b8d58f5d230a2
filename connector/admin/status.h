#pragma once
// The state of the queue and its adapters, as the service and, when it is down, the command line show it.

#include <optional>

#include "connector/admin/record.h"
#include "connector/admin/trouble.h"
#include "connector/config/config.h"
#include "store/database.h"

namespace postern::admin {

// A row for the service ("type" is "service"; `facts` are appended when it runs), then one for each adapter
// that is configured or still has mail, then one for each trouble ("type" is "trouble", "about", "text"). An
// adapter's "state" is "not configured", "suspended" (by a person), "unhealthy" (its folder or tool is
// unusable), "stopped" (no service runs) or "running"; "waits" says why nothing of it is exported now, and
// "waits_until". Counts are queries of this moment; settled mail is counted only with `all`.
Result<void> statusRows(store::ReadSession& session, const config::Config& config,
                        const std::optional<Record>& facts, const std::vector<Trouble>& troubles,
                        WallTime now, bool all, const RowSink& row);

}  // namespace postern::admin
