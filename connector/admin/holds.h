#pragma once
// Suspending and resuming an adapter: durably, then told to its watchers.

#include "connector/admin/commands.h"

namespace postern::admin {

// Fields: name, reason, until (milliseconds since 1970; empty: until somebody resumes it).
Result<void> suspendAdapter(const ServiceView& view, const Request& request, ByteStream& body,
                            const RowSink& row);
// Field: name.
Result<void> resumeAdapter(const ServiceView& view, const Request& request, ByteStream& body,
                           const RowSink& row);

}  // namespace postern::admin
