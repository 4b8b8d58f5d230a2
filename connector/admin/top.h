#pragma once
// The command "top": the state of everything at one moment, with what came and went lately. Asked again and
// again by who shows it.

#include <optional>

#include "connector/admin/commands.h"

namespace postern::admin {

inline constexpr Millis kShortestFlow{1000}, kLongestFlow{60'000};

// A row for the service: type ("service"), state, at, over_ms, free_bytes, free_files, store and `facts`;
// then one for each adapter: type ("adapter"), adapter, kind, state, ready, claimed, publishing, held,
// in_doubt, oldest_ready, in, out (items in the last over_ms, exported ones in `out`), last_error (why it is
// unhealthy, why mail of it was put off, or why some failed). `over` is kept between the bounds above.
Result<void> topRows(store::ReadSession& session, const config::Config& config,
                     const std::optional<Record>& facts, WallTime now, Millis over, const RowSink& row);

// Field: over (milliseconds).
Result<void> top(const ServiceView& view, const Request& request, ByteStream& body, const RowSink& row);

}  // namespace postern::admin
