#pragma once
// The state of the queue and its adapters, as the service and, when it is down, the command line show it.

#include <optional>

#include "connector/admin/record.h"
#include "connector/config/config.h"
#include "store/database.h"

namespace postern::admin {

// A row for the service ("type" is "service"; `facts` are appended when it runs), then one for each adapter
// that is configured or still has mail. Counts are queries of this moment; settled mail is counted only with
// `all`.
Result<void> statusRows(store::ReadSession& session, const config::Config& config,
                        const std::optional<Record>& facts, bool all, const RowSink& row);

}  // namespace postern::admin
