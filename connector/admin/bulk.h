#pragma once
// A change of one item or of a million: named ones are each answered by themselves, those that filters choose
// in pages, so that neither memory nor a transaction grows with their number. A dry run does it all and lets
// each transaction be taken back.

#include <functional>
#include <span>
#include <string>
#include <vector>

#include "connector/admin/commands.h"

namespace postern::admin {

struct Answer {
    ItemId item;
    bool done = false;
    bool missing = false;               // there is no such item
    std::string text;                   // what was done, or why not
    std::vector<std::string> adapters;  // have something new to do
};

struct Bulk {
    std::string_view name;  // of the change, for messages
    std::string who;        // never empty
    std::string reason;     // as the request gives it; may be empty
    bool dryRun = false;
    // Outside the transaction, for what need not keep the writer waiting; may be empty.
    std::function<Result<void>(std::span<const ItemId>)> prepare = {};
    // On the writer's thread.
    std::function<Result<std::vector<Answer>>(store::WriteSession&, std::span<const ItemId>)> change;
    std::function<bool(queue::State)> takes;
};

// `who` and `dryRun` as the request has them.
Bulk bulkFor(const Request& request, std::string_view name);

// Fields: those of filter.h, and all=true where there is no filter. Rows: id, done, text, and where they
// apply missing, dry_run.
Result<void> changeMany(const ServiceView& view, const Request& request, const Bulk& bulk,
                        const RowSink& row);

}  // namespace postern::admin
