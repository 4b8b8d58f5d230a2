// postern queue hold, release, retry, bounce, delete, resolve: done by the service, or by us while none runs.

#include <CLI/CLI.hpp>

#include "base/file.h"
#include "base/text.h"
#include "connector/admin/control.h"
#include "connector/admin/selection.h"
#include "connector/cli/backend.h"
#include "connector/cli/filter_options.h"
#include "connector/cli/verbs.h"
#include "queue/operate.h"

namespace postern::cli {

namespace {

struct Change {
    queue::Verb verb{};
    FilterOptions items;
    std::string reason;
    bool exported = false, resend = false, failed = false;
    bool dryRun = false;
};

admin::Request requestOf(const Change& wanted) {
    admin::Request request;
    request.verb = "operate";
    request.who = userName();
    wanted.items.into(request);
    request.fields["change"] = queue::verbName(wanted.verb);
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
    bool refused = false, missing = false;
    admin::NoBytes none;
    POSTERN_TRY(backend->call(request, none, [&](admin::Record record) {
        const admin::Value* done = record.find("done");
        const bool known = record.find("missing") == nullptr;
        const bool notDone = done == nullptr || done->number == 0;
        missing = missing || !known;
        refused = refused || (known && notDone);
        if (!known) record.fields.pop_back();  // said by the text
        return output.row(record);
    }));
    if (refused) return int{kExitData};
    return int{missing ? kExitNoInput : kExitDone};
}

std::shared_ptr<Change> setupChange(CLI::App& command, queue::Verb verb) {
    const auto wanted = std::make_shared<Change>();
    wanted->verb = verb;
    wanted->items.addItems(command);
    wanted->items.addTo(command, "Every item that this can be done to, settled ones left out");
    const bool told = verb == queue::Verb::Bounce || verb == queue::Verb::ResolveFailed;
    command
        .add_option("--reason", wanted->reason,
                    told ? "Why, for the history and for the report to the sender" : "Why, for the history")
        ->option_text("TEXT");
    command.add_flag("--dry-run", wanted->dryRun, "Say what would be done, and change nothing");
    return wanted;
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

}  // namespace postern::cli
