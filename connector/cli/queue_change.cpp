// postern queue hold, release, retry, bounce, delete, resolve, move, requeue, replay: done by the service, or
// by us while none runs.

#include <istream>
#include <ostream>

#include <CLI/CLI.hpp>

#include "base/file.h"
#include "base/text.h"
#include "connector/admin/control.h"
#include "connector/admin/selection.h"
#include "connector/cli/backend.h"
#include "connector/cli/bar.h"
#include "connector/cli/filter_options.h"
#include "connector/cli/verbs.h"
#include "queue/operate.h"

namespace postern::cli {

namespace {

struct Change {
    std::string command = "operate";
    queue::Verb verb{};
    std::string toAdapter;   // move
    bool confirmed = false;  // replay
    FilterOptions items;
    std::string reason;
    bool exported = false, resend = false, failed = false;
    bool dryRun = false;
};

admin::Request requestOf(const Change& wanted) {
    admin::Request request;
    request.verb = wanted.command;
    request.who = userName();
    wanted.items.into(request);
    if (wanted.command == "operate") request.fields["change"] = queue::verbName(wanted.verb);
    if (wanted.command == "queue.move") request.fields["to_adapter"] = wanted.toAdapter;
    if (wanted.confirmed) request.fields["confirmed"] = "true";
    if (!wanted.reason.empty()) request.fields["reason"] = wanted.reason;
    if (wanted.dryRun) request.fields["dry_run"] = "true";
    return request;
}

// Whether the items are named well, before anybody is asked to change them.
Result<void> checkItems(const admin::Request& request) {
    if (!request.field("ids").empty()) POSTERN_TRY(admin::parseSelection(request.field("ids")));
    if (const auto age = request.field("older"); !age.empty() && !parseDurationMillis(age))
        return fail(Errc::Invalid, "--older must be a time with its unit: 90s, 2h, 7d");
    return {};
}

Result<int> change(const Run& run, const Change& wanted) {
    if (!wanted.items.choose()) {
        run.complain("say which items: by id or with a filter; --all means every one");
        return int{kExitUsage};
    }
    const auto config = run.config();
    if (!config) return int{kExitConfig};
    const admin::Request request = requestOf(wanted);
    POSTERN_TRY(checkItems(request));
    POSTERN_LET(backend, Backend::open(*config, run.console.clock));
    Output output(run.console, run.form());
    output.whenEmpty("No item matches.");
    Bar bar(run, "changing");
    std::int64_t answered = 0;
    bool refused = false, missing = false;
    admin::NoBytes none;
    POSTERN_TRY(backend->call(request, none, [&](admin::Record record) {
        const admin::Value* done = record.find("done");
        const bool known = record.find("missing") == nullptr;
        const bool notDone = done == nullptr || done->number == 0;
        missing = missing || !known;
        refused = refused || (known && notDone);
        if (!known) record.fields.pop_back();  // said by the text
        bar.hide();
        const Result<void> printed = output.row(record);
        bar.at(++answered, 0);
        return printed;
    }));
    if (refused) return int{kExitData};
    return int{missing ? kExitNoInput : kExitDone};
}

void addReason(CLI::App& command, Change& wanted, bool told) {
    command
        .add_option("--reason", wanted.reason,
                    told ? "Why, for the history and for the report to the sender" : "Why, for the history")
        ->option_text("TEXT");
    command.add_flag("--dry-run", wanted.dryRun, "Say what would be done, and change nothing");
}

std::shared_ptr<Change> setupChange(CLI::App& command, queue::Verb verb) {
    const auto wanted = std::make_shared<Change>();
    wanted->verb = verb;
    wanted->items.addItems(command);
    wanted->items.addTo(command, "Every item that this can be done to, settled ones left out");
    addReason(command, *wanted, verb == queue::Verb::Bounce || verb == queue::Verb::ResolveFailed);
    return wanted;
}

// The legacy side gets a mail twice: a person at a terminal is asked, a program says --yes.
bool confirmed(const Run& run, const Change& wanted) {
    if (wanted.confirmed || wanted.dryRun) return true;
    if (!run.console.askSecret) {
        run.complain("the legacy side has this mail already and would get it a second time: say --yes");
        return false;
    }
    run.console.err << "The legacy side has " << escapeLine(joined(wanted.items.items), 200)
                    << " already. Export it a second time? [y/N] " << std::flush;
    std::string answer;
    std::getline(run.console.in, answer);
    if (answer == "y" || answer == "yes") return true;
    run.complain("nothing was done");
    return false;
}

Carry setupPlain(CLI::App& command, Run& run, queue::Verb verb) {
    const auto wanted = setupChange(command, verb);
    return [&run, wanted] { return run.end(change(run, *wanted)); };
}

}  // namespace

Carry setupHold(CLI::App& command, Run& run) {
    return setupPlain(command, run, queue::Verb::Hold);
}

Carry setupRelease(CLI::App& command, Run& run) {
    return setupPlain(command, run, queue::Verb::Release);
}

Carry setupRetry(CLI::App& command, Run& run) {
    return setupPlain(command, run, queue::Verb::Retry);
}

Carry setupBounce(CLI::App& command, Run& run) {
    return setupPlain(command, run, queue::Verb::Bounce);
}

Carry setupDelete(CLI::App& command, Run& run) {
    return setupPlain(command, run, queue::Verb::Delete);
}

Carry setupResolve(CLI::App& command, Run& run) {
    const auto wanted = setupChange(command, queue::Verb::ResolveExported);
    CLI::Option_group* end = command.add_option_group("What was seen", "exactly one");
    end->add_flag("--exported", wanted->exported, "It is on the legacy side");
    end->add_flag("--resend", wanted->resend, "It is not there: export it again");
    end->add_flag("--failed", wanted->failed, "It is not there and is not wanted any more");
    end->require_option(1);
    return [&run, wanted] {
        wanted->verb = wanted->exported ? queue::Verb::ResolveExported
                       : wanted->resend ? queue::Verb::ResolveResend
                                        : queue::Verb::ResolveFailed;
        return run.end(change(run, *wanted));
    };
}

Carry setupMove(CLI::App& command, Run& run) {
    const auto wanted = std::make_shared<Change>();
    wanted->command = "queue.move";
    command.add_option("ADAPTER", wanted->toAdapter, "Where to")->required();
    wanted->items.addItems(command);
    wanted->items.addTo(command, "Every ready and held item");
    addReason(command, *wanted, false);
    command.footer(
        "Ready, held and failed items end as deleted; new items take their recipients, with the\n"
        "legacy names that the other adapter gives them.");
    return [&run, wanted] { return run.end(change(run, *wanted)); };
}

Carry setupRequeue(CLI::App& command, Run& run) {
    const auto wanted = std::make_shared<Change>();
    wanted->command = "queue.requeue";
    wanted->items.addItems(command);
    wanted->items.addTo(command, "Every ready and held item");
    addReason(command, *wanted, false);
    command.footer(
        "As if the mail came in now: rules, tables and routes say where each recipient goes. An\n"
        "item stays as it is when one of its recipients is refused.");
    return [&run, wanted] { return run.end(change(run, *wanted)); };
}

Carry setupReplay(CLI::App& command, Run& run) {
    const auto wanted = std::make_shared<Change>();
    wanted->command = "queue.replay";
    command.add_option("ITEM", wanted->items.items, "Exported items: 3, 3-7, or m12 for those of message 12")
        ->required();
    command.add_flag("--yes", wanted->confirmed, "The legacy side gets the mail a second time, and shall");
    addReason(command, *wanted, false);
    return [&run, wanted]() -> int {
        if (!confirmed(run, *wanted)) return kExitUsage;
        wanted->confirmed = true;
        return run.end(change(run, *wanted));
    };
}

}  // namespace postern::cli
