// postern queue list, show, log: looking at the store beside the service, if there is one.

#include <CLI/CLI.hpp>

#include "base/text.h"
#include "connector/admin/selection.h"
#include "connector/admin/waits.h"
#include "connector/cli/backend.h"
#include "connector/cli/verbs.h"
#include "mail/field_text.h"
#include "queue/inspect.h"
#include "store/messages.h"

namespace postern::cli {

namespace {

struct ListOptions {
    std::string adapter, state, from, to, message;
    std::vector<std::string> ids;
    std::int64_t limit = 0;
    bool all = false;
};

struct Named {
    std::vector<std::string> ids;
    std::string text() const {
        std::string all;
        for (const std::string& id : ids) all += (all.empty() ? "" : " ") + id;
        return all;
    }
};

std::string messageName(MessageId id) {
    return "m" + std::to_string(id.value);
}

// People see one column for all recipients of an item.
std::string recipientText(const queue::ItemRow& item, Form form) {
    const bool more = form == Form::Table && item.recipientCount > 1;
    return item.firstRecipient + (more ? " +" + std::to_string(item.recipientCount - 1) : "");
}

// The columns are stable: new ones come last. People see in one column why an item waits or failed.
admin::Record listRow(const queue::ItemRow& item, const admin::Waits& waits, Form form) {
    const admin::Wait wait = waits.ofItem(item);
    const bool merged = form == Form::Table && !wait.text.empty();
    return admin::Record()
        .add("id", item.id.value)
        .add("state", queue::stateName(item.state))
        .add("adapter", item.adapter)
        .add("received", item.received)
        .add("due", item.state == queue::State::Ready ? std::optional(item.due) : std::nullopt)
        .add("attempts", item.attempts)
        .add("size", admin::Value::size(item.size))
        .add("sender", item.sender.empty() ? "<>" : item.sender)
        .add("recipient", recipientText(item, form))
        .add("recipients", item.recipientCount)
        .add("message", messageName(item.message))
        .add("subject", mail::decodeText(item.subject))
        .add("reason", merged ? wait.text : item.reason)
        .add("target", item.target)
        .add("waits", wait.text)
        .add("waits_until", wait.until);
}

Result<queue::State> stateFrom(const std::string& name) {
    if (const auto state = queue::stateOf(name)) return *state;
    std::string names;
    for (const queue::State state : queue::kAllStates)
        names += (names.empty() ? "" : ", ") + std::string(queue::stateName(state));
    return fail(Errc::Invalid, "--state must be one of " + names);
}

Result<queue::Filter> filterFrom(const ListOptions& options, store::ReadSession& session) {
    queue::Filter filter;
    filter.adapter = options.adapter;
    filter.sender = options.from;
    filter.recipient = options.to;
    filter.limit = options.limit;
    filter.waiting = !options.all && options.state.empty() && options.ids.empty() && options.message.empty();
    if (!options.state.empty()) {
        POSTERN_LET(state, stateFrom(options.state));
        filter.state = state;
    }
    if (!options.message.empty()) {
        const std::string& text = options.message;
        POSTERN_LET(selection, admin::parseSelection(text[0] == 'm' ? text : "m" + text));
        if (selection.parts.size() != 1) return fail(Errc::Invalid, "--message takes one message");
        filter.message = selection.parts[0].message;
    }
    if (!options.ids.empty()) {
        POSTERN_LET(selection, admin::parseSelection(Named{options.ids}.text()));
        POSTERN_LET(items, admin::selectItems(session, selection));
        filter.ids = std::move(items);
        if (filter.ids.empty()) filter.ids.push_back(ItemId{});  // a range without items: nothing matches
    }
    return filter;
}

Result<int> list(const Run& run, const ListOptions& options) {
    const auto config = run.config();
    if (!config) return int{kExitConfig};
    POSTERN_LET(reader, openReader(*config));
    const auto wanted = filterFrom(options, reader->session());
    if (!wanted.ok() && wanted.error().code == Errc::Invalid) {
        run.complain(wanted.error().text);
        return int{kExitUsage};
    }
    POSTERN_TRY(wanted);
    const queue::Filter& filter = *wanted;
    Output output(run.console, run.form());
    for (const char* name : {"due", "attempts", "recipients", "message", "target", "waits", "waits_until"})
        output.hide(name);
    output.fitScreen();
    output.below("reason");
    output.whenEmpty(filter.waiting ? "Nothing waits." : "No item matches.");
    POSTERN_LET(waits, admin::Waits::read(reader->session(), *config, run.console.clock.now()));
    Result<void> printed;
    POSTERN_TRY(queue::listItems(reader->session(), filter, [&](const queue::ItemRow& item) {
        printed = output.row(listRow(item, waits, output.form()));
        return printed.ok();
    }));
    POSTERN_TRY(printed);
    return int{kExitDone};
}

admin::Record itemFacts(const queue::ItemRow& item, const store::MessageRow& message,
                        const admin::Waits& waits) {
    const admin::Wait wait = waits.ofItem(item);
    return admin::Record()
        .add("type", "item")
        .add("id", item.id.value)
        .add("state", queue::stateName(item.state))
        .add("adapter", item.adapter)
        .add("message", messageName(item.message))
        .add("group", item.group)
        .add("received", item.received)
        .add("due", item.due)
        .add("expires", item.expires)
        .add("settled", item.settled)
        .add("attempts", item.attempts)
        .add("deaths", item.deaths)
        .add("lease_until", item.leaseUntil)
        .add("target", item.target)
        .add("reason", item.reason)
        .add("evidence", item.evidence)
        .add("sender", item.sender.empty() ? "<>" : item.sender)
        .add("subject", mail::decodeText(item.subject))
        .add("message_id", item.headerId)
        .add("size", admin::Value::size(item.size))
        .add("source", message.source)
        .add("client", message.client)
        .add("helo", message.helo)
        .add("protocol", message.protocol)
        .add("waits", wait.text)
        .add("waits_until", wait.until);
}

Result<void> printRecipients(store::ReadSession& session, ItemId id, Output& output) {
    POSTERN_LET(recipients, queue::readRecipients(session, id));
    output.heading("Recipients");
    for (const queue::RecipientRow& each : recipients)
        POSTERN_TRY(output.row(admin::Record()
                                   .add("type", "recipient")
                                   .add("id", id.value)
                                   .add("recipient", each.address)
                                   .add("legacy", each.legacy)
                                   .add("outcome", each.outcome)
                                   .add("reason", each.reason)));
    return {};
}

Result<void> printHistory(store::ReadSession& session, ItemId id, Output& output) {
    POSTERN_LET(history, queue::readHistory(session, id));
    output.heading("History");
    for (const queue::HistoryRow& each : history)
        POSTERN_TRY(output.row(admin::Record()
                                   .add("type", "history")
                                   .add("id", id.value)
                                   .add("at", each.at)
                                   .add("who", each.who)
                                   .add("what", each.what)
                                   .add("detail", each.detail)));
    return {};
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

Result<void> showOne(store::ReadSession& session, const admin::Waits& waits, ItemId id, Output& output) {
    POSTERN_LET(item, queue::readItem(session, id));
    POSTERN_LET(message, store::readMessage(session, item.message));
    output.heading("Item " + std::to_string(id.value));
    POSTERN_TRY(output.details(itemFacts(item, message, waits)));
    if (item.state == queue::State::InDoubt) POSTERN_TRY(printWaysOut(id, output));
    POSTERN_TRY(printRecipients(session, id, output));
    return printHistory(session, id, output);
}

Result<void> logOne(store::ReadSession& session, const admin::Waits&, ItemId id, Output& output) {
    POSTERN_LET(item, queue::readItem(session, id));
    return printHistory(session, item.id, output);
}

using PrintOne = Result<void> (*)(store::ReadSession&, const admin::Waits&, ItemId, Output&);

// Each item by itself: one that does not exist is told and the others are shown.
Result<int> each(const Run& run, const Named& named, PrintOne print) {
    const auto config = run.config();
    if (!config) return int{kExitConfig};
    POSTERN_LET(selection, admin::parseSelection(named.text()));
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
        run.complain(std::to_string(id.value) + ": " + printed.error().text);
        exit = kExitNoInput;
    }
    return exit;
}

Carry setupEach(CLI::App& command, Run& run, PrintOne print) {
    const auto named = std::make_shared<Named>();
    command.add_option("ITEM", named->ids, "Items: 3, 3-7, or m12 for those of message 12")->required();
    return [&run, named, print] { return run.end(each(run, *named, print)); };
}

}  // namespace

Carry setupList(CLI::App& command, Run& run) {
    const auto options = std::make_shared<ListOptions>();
    command.add_flag("--all", options->all, "Settled ones too: exported, failed, deleted");
    command.add_option("--adapter", options->adapter, "Only this adapter's")->option_text("NAME");
    command.add_option("--state", options->state, "Only those in this state")->option_text("STATE");
    command.add_option("--from", options->from, "The sender contains this")->option_text("TEXT");
    command.add_option("--to", options->to, "A recipient or legacy name contains this")->option_text("TEXT");
    command.add_option("--message", options->message, "Only those of this message")->option_text("m12");
    command.add_option("--id", options->ids, "Only these: 3, 3-7")->option_text("ITEM ...");
    command.add_option("--limit", options->limit, "At most so many")
        ->option_text("N")
        ->check(CLI::NonNegativeNumber);
    return [&run, options] { return run.end(list(run, *options)); };
}

Carry setupShow(CLI::App& command, Run& run) {
    return setupEach(command, run, showOne);
}

Carry setupLog(CLI::App& command, Run& run) {
    return setupEach(command, run, logOne);
}

}  // namespace postern::cli
