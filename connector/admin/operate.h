#pragma once
// The commands that change items. Common to all: reason, dry_run=true, and which items: ids="3 5-7 m12", each
// answered by itself, or filters (filter.h): of the states that the change takes, final ones only where
// "state" names them; without any filter all=true must say so. Rows: id, done, text.
//
//   operate          change=hold|release|retry|bounce|delete|resolve-exported|resolve-resend|resolve-failed
//   queue.move       to_adapter: ready, held and failed items go there, as new items (queue/move.h)
//   queue.requeue    the same, but rules, tables and routes of now say where each recipient goes
//   queue.replay     ids, confirmed=true: exported items once more, as new items

#include "connector/admin/commands.h"

namespace postern::admin {

Result<void> operate(const ServiceView& view, const Request& request, ByteStream& body, const RowSink& row);
Result<void> moveCommand(const ServiceView& view, const Request& request, ByteStream& body,
                         const RowSink& row);
Result<void> requeueCommand(const ServiceView& view, const Request& request, ByteStream& body,
                            const RowSink& row);
Result<void> replayCommand(const ServiceView& view, const Request& request, ByteStream& body,
                           const RowSink& row);

}  // namespace postern::admin
