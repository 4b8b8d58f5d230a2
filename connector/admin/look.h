#pragma once
// The queue as operators see it: the rows of lists and details, the same for the command line, which reads
// the store itself, and for the commands below, which the service answers.
//
//   queue.list      filters, all, after=ID       rows as listRow(); 100 of them, or limit, at most 1000
//   queue.summary   filters, all, by=adapter|sender|domain|error
//                                                rows: the group, state (by adapter), items, bytes, oldest
//   queue.show      ids                          rows, by type: item, recipient, history
//   queue.log       ids                          rows: history
//

#include "base/thread.h"
#include "connector/admin/commands.h"
#include "connector/admin/waits.h"
#include "queue/inspect.h"
#include "store/messages.h"

namespace postern::admin {

// To be called for each item of a list. Behind a thousand of them the thread makes room for the mail; a short
// look is answered as fast as ever. AtOnce: in the service, whose readers others wait for; the thread gives
// way from then on (base/thread.h). InSlices: in a program that does nothing else.
enum class Pace { AtOnce, InSlices };
void lookedAtOne(Pace pace = Pace::AtOnce);

// Reads in one session and hands the rows on when it is given back: none stays open while a client takes its
// time.
using ReadRows = std::function<Result<void>(store::ReadSession& session, const RowSink& keep)>;
Result<void> readThenHandOn(const ServiceView& view, const RowSink& row, const ReadRows& read);

std::string messageName(MessageId id);  // "m12"

// The fields are stable: new ones come last.
Record listRow(const queue::ItemRow& item, const Waits& waits);
Record itemFacts(const queue::ItemRow& item, const store::MessageRow& message, const Waits& waits);
Record recipientRow(ItemId id, const queue::RecipientRow& recipient);
Record historyRow(ItemId id, const queue::HistoryRow& row);

// Everything of one item, as "queue.show" answers it; its history alone. NotFound.
Result<void> itemRows(store::ReadSession& session, const Waits& waits, ItemId id, const RowSink& row);
Result<void> historyRows(store::ReadSession& session, const Waits& waits, ItemId id, const RowSink& row);

Result<void> summaryRows(store::ReadSession& session, const queue::Filter& filter, std::string_view by,
                         const RowSink& row);

Result<void> listCommand(const ServiceView& view, const Request& request, ByteStream& body,
                         const RowSink& row);
Result<void> summaryCommand(const ServiceView& view, const Request& request, ByteStream& body,
                            const RowSink& row);
Result<void> showCommand(const ServiceView& view, const Request& request, ByteStream& body,
                         const RowSink& row);
Result<void> logCommand(const ServiceView& view, const Request& request, ByteStream& body,
                        const RowSink& row);

}  // namespace postern::admin
