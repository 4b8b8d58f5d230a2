#pragma once
// The command "watch": events as they happen, row by row, until the client goes or the service stops.

#include "connector/admin/commands.h"

namespace postern::admin {

// Fields: after (a serial; empty: only what happens from now on), adapter, item, event (the beginning of its
// name). Rows as feedRow(); {"event":"watch.beat"} in quiet times, {"event":"watch.missed","count":n} where
// the client was too slow. Unavailable when no service runs.
Result<void> watch(const ServiceView& view, const Request& request, ByteStream& body, const RowSink& row);

// Whether an event passes the filters of such a request.
bool passes(const FeedEvent& event, const Request& request);

}  // namespace postern::admin
