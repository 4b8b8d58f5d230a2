// postern queue list, summary, show, log, and track: looking at the store beside the service, if there is
// one.

#include <CLI/CLI.hpp>

#include "connector/admin/filter.h"
#include "connector/admin/look.h"
#include "connector/admin/selection.h"
#include "connector/cli/backend.h"
#include "connector/cli/filter_options.h"
#include "connector/cli/verbs.h"

namespace postern::cli {

namespace {

// People see one column for all recipients of an item, and in one why it waits or failed.
admin::Record forPeople(admin::Record row, const queue::ItemRow& item, const admin::Waits& waits) {
    const admin::Wait wait = waits.ofItem(item);
    for (auto& [name, value] : row.fields) {
        if (name == "recipient" && item.recipientCount > 1)
            value.text += " +" + std::to_string(item.recipientCount - 1);
        if (name == "reason" && !wait.text.empty()) value.text = wait.text;
    }
    return row;
}

// What the options ask for. Nothing: they are wrong, and that was said.
Result<std::optional<queue::Filter>> filterFrom(const Run& run, const config::Config& config,
                                                const FilterOptions& options, store::ReadSession& session) {
    admin::Request request;
    options.into(request);
    auto filter = admin::filterFrom(session, config, request, run.console.clock.now());
    if (filter.ok()) return std::optional(std::move(filter).value());
    if (filter.error().code != Errc::Invalid) return filter.error();
    run.complain(filter.error().text);
    return std::optional<queue::Filter>();
}

Result<int> list(const Run& run, const FilterOptions& options) {
    const auto config = run.config();
    if (!config) return int{kExitConfig};
    POSTERN_LET(reader, openReader(*config));
    POSTERN_LET(filter, filterFrom(run, *config, options, reader->session()));
    if (!filter) return int{kExitUsage};
    Output output(run.console, run.form());
    for (const char* name : {"due", "attempts", "recipients", "message", "target", "waits", "waits_until"})
        output.hide(name);
    output.fitScreen();
    output.below("reason");
    output.whenEmpty(filter->waiting ? "Nothing waits." : "No item matches.");
    POSTERN_LET(waits, admin::Waits::read(reader->session(), *config, run.console.clock.now()));
    Result<void> printed;
    POSTERN_TRY(queue::listItems(reader->session(), *filter, [&](const queue::ItemRow& item) {
        admin::lookedAtOne(admin::Pace::InSlices);
        admin::Record row = admin::listRow(item, waits);
        if (output.form() == Form::Table) row = forPeople(std::move(row), item, waits);
        printed = output.row(row);
        return printed.ok();
    }));
    POSTERN_TRY(printed);
    return int{kExitDone};
}

struct SummaryOptions {
    FilterOptions filter;
    std::string by = "adapter";
};

Result<int> summary(const Run& run, const SummaryOptions& options) {
    const auto config = run.config();
    if (!config) return int{kExitConfig};
    POSTERN_LET(reader, openReader(*config));
    POSTERN_LET(filter, filterFrom(run, *config, options.filter, reader->session()));
    if (!filter) return int{kExitUsage};
    Output output(run.console, run.form());
    output.whenEmpty(filter->waiting ? "Nothing waits." : "No item matches.");
    POSTERN_TRY(admin::summaryRows(reader->session(), *filter, options.by, output.sink()));
    return int{kExitDone};
}

// For people who have to decide.
Result<void> printWaysOut(ItemId id, Output& output) {
    if (output.form() != Form::Table) return {};
    output.heading("It may or may not have arrived. Look on the legacy side, then one of");
    constexpr struct {
        const char *end, *means;
    } kWays[] = {{"--exported", "it is there: nothing more is sent"},
                 {"--resend", "it is not there: it is sent again at once"},
                 {"--failed", "it is not there and shall not be sent: the sender is told"}};
    for (const auto& way : kWays)
        POSTERN_TRY(output.row(
            admin::Record()
                .add("command", "postern queue resolve " + std::to_string(id.value) + " " + way.end)
                .add("means", way.means)));
    return {};
}

// Rows as "queue.show" answers them, under headings.
admin::RowSink underHeadings(ItemId id, Output& output) {
    return [id, &output, last = std::string()](const admin::Record& row) mutable -> Result<void> {
        const std::string type(row.text("type"));
        if (type == "item") {
            output.heading("Item " + std::to_string(id.value));
            POSTERN_TRY(output.details(row));
            return row.text("state") == queue::stateName(queue::State::InDoubt) ? printWaysOut(id, output)
                                                                                : Result<void>();
        }
        if (type != last) output.heading(type == "recipient" ? "Recipients" : "History");
        last = type;
        return output.row(row);
    };
}

Result<void> showOne(store::ReadSession& session, const admin::Waits& waits, ItemId id, Output& output) {
    return admin::itemRows(session, waits, id, underHeadings(id, output));
}

Result<void> logOne(store::ReadSession& session, const admin::Waits& waits, ItemId id, Output& output) {
    return admin::historyRows(session, waits, id, underHeadings(id, output));
}

using PrintOne = Result<void> (*)(store::ReadSession&, const admin::Waits&, ItemId, Output&);

// Each item by itself: one that does not exist is told and the others are shown.
Result<int> each(const Run& run, const std::vector<std::string>& named, PrintOne print) {
    const auto config = run.config();
    if (!config) return int{kExitConfig};
    POSTERN_LET(selection, admin::parseSelection(joined(named)));
    POSTERN_LET(reader, openReader(*config));
    POSTERN_LET(items, admin::selectItems(reader->session(), selection));
    POSTERN_LET(waits, admin::Waits::read(reader->session(), *config, run.console.clock.now()));
    Output output(run.console, run.form());
    output.hide("id");
    int exit = kExitDone;
    for (const ItemId id : items) {
        const Result<void> printed = print(reader->session(), waits, id, output);
        if (printed.ok()) continue;
        if (printed.error().code != Errc::NotFound) return printed.error();
        run.complain(printed.error().text);
        exit = kExitNoInput;
    }
    return exit;
}

// Every item of every mail with that Message-ID: the same mail may have come in more than once.
Result<int> track(const Run& run, const std::string& headerId) {
    const auto config = run.config();
    if (!config) return int{kExitConfig};
    POSTERN_LET(reader, openReader(*config));
    queue::Filter filter;
    filter.headerId = headerId;
    std::vector<ItemId> items;
    POSTERN_TRY(queue::listItems(reader->session(), filter, [&](const queue::ItemRow& item) {
        items.push_back(item.id);
        return true;
    }));
    if (items.empty()) {
        run.complain("no mail here has the Message-ID " + headerId);
        return int{kExitNoInput};
    }
    POSTERN_LET(waits, admin::Waits::read(reader->session(), *config, run.console.clock.now()));
    Output output(run.console, run.form());
    if (output.form() == Form::Table) output.hide("id");  // its heading says it
    for (const ItemId id : items) POSTERN_TRY(showOne(reader->session(), waits, id, output));
    return int{kExitDone};
}

Carry setupEach(CLI::App& command, Run& run, PrintOne print) {
    const auto named = std::make_shared<std::vector<std::string>>();
    command.add_option("ITEM", *named, "Items: 3, 3-7, or m12 for those of message 12")->required();
    return [&run, named, print] { return run.end(each(run, *named, print)); };
}

}  // namespace

Carry setupList(CLI::App& command, Run& run) {
    const auto options = std::make_shared<FilterOptions>();
    options->addTo(command, "Settled ones too: exported, failed, deleted");
    return [&run, options] { return run.end(list(run, *options)); };
}

Carry setupSummary(CLI::App& command, Run& run) {
    const auto options = std::make_shared<SummaryOptions>();
    options->filter.addTo(command, "Settled ones too: exported, failed, deleted");
    command
        .add_option("--by", options->by,
                    "What is counted together: adapter (and state), sender, domain, error")
        ->option_text("KEY")
        ->check(CLI::IsMember({"adapter", "sender", "domain", "error"}));
    return [&run, options] { return run.end(summary(run, *options)); };
}

Carry setupShow(CLI::App& command, Run& run) {
    return setupEach(command, run, showOne);
}

Carry setupLog(CLI::App& command, Run& run) {
    return setupEach(command, run, logOne);
}

Carry setupTrack(CLI::App& command, Run& run) {
    const auto headerId = std::make_shared<std::string>();
    command.add_option("MESSAGE-ID", *headerId, "As in the mail's header, with or without <>")->required();
    command.footer("Settled items too, until the purge. What was told to the sender is in the history.");
    return [&run, headerId] { return run.end(track(run, *headerId)); };
}

}  // namespace postern::cli
