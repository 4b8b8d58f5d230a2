// postern queue hold, release, retry, bounce, delete, resolve: done by the service, or by us while none runs.

#include <CLI/CLI.hpp>

#include "base/file.h"
#include "connector/admin/control.h"
#include "connector/admin/selection.h"
#include "connector/cli/backend.h"
#include "connector/cli/verbs.h"
#include "queue/operate.h"

namespace postern::cli {

namespace {

struct Change {
    queue::Verb verb{};
    std::vector<std::string> ids;
    std::string reason;
    bool exported = false, resend = false, failed = false;
};

std::string joined(const std::vector<std::string>& words) {
    std::string all;
    for (const std::string& word : words) all += (all.empty() ? "" : " ") + word;
    return all;
}

Result<int> change(const Run& run, const Change& wanted) {
    const auto config = run.config();
    if (!config) return int{kExitConfig};
    POSTERN_LET(selection, admin::parseSelection(joined(wanted.ids)));  // before anybody is asked
    POSTERN_LET(backend, Backend::open(*config, run.console.clock));
    admin::Request request;
    request.verb = "operate";
    request.who = userName();
    request.fields = {{"change", std::string(queue::verbName(wanted.verb))},
                      {"ids", joined(wanted.ids)},
                      {"reason", wanted.reason}};
    Output output(run.console, run.form());
    output.whenEmpty("No item is in that range.");
    bool refused = selection.parts.empty(), missing = false;
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
    command.add_option("ITEM", wanted->ids, "Items: 3, 3-7, or m12 for those of message 12")->required();
    const bool told = verb == queue::Verb::Bounce || verb == queue::Verb::ResolveFailed;
    command
        .add_option("--reason", wanted->reason,
                    told ? "Why, for the history and for the report to the sender" : "Why, for the history")
        ->option_text("TEXT");
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
