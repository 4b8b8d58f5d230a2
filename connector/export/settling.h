#pragma once
// From what the adapter said to what the queue records: the whole policy of retry, failure and doubt in one
// place.

#include "adapters/adapter.h"
#include "connector/config/config.h"
#include "queue/queue.h"

namespace postern::exporting {

// Whom the adapter is told of: recipients that the legacy side knows by one name are one there, the first of
// them (KB Q181797); settlementFor() gives the others the same end.
std::vector<adapters::Recipient> namedOnce(const queue::Claim& claim);

// Why those wait that an attempt leaves waiting: the first of them speaks for all.
adapters::Cause causeOfWaiting(const adapters::Outcome& outcome);

// REQUIRES: outcome.verdict is not Unknown (ask the adapter first, then use settlementForRecovery).
// `received` is when the mail came in, as far as known: the age of a retry rule counts from then.
queue::Settlement settlementFor(const queue::Claim& claim, const adapters::Outcome& outcome,
                                WallTime received, const config::Adapter& settings, WallTime now);

// REQUIRES: recovery.unusable is not set. `told`, where the attempt had an outcome: recipients whose end it
// knows have that end, and only the others are in doubt.
queue::Settlement settlementForRecovery(const queue::Claim& claim, const adapters::Recovery& recovery,
                                        const config::Adapter& settings, WallTime now,
                                        const adapters::Outcome* told = nullptr);

}  // namespace postern::exporting
