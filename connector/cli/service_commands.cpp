// postern status, reload: what concerns the running service.

#include <CLI/CLI.hpp>

#include "base/file.h"
#include "connector/admin/commands.h"
#include "connector/admin/control_client.h"
#include "connector/admin/status.h"
#include "connector/cli/backend.h"
#include "connector/cli/reload.h"
#include "connector/cli/verbs.h"

namespace postern::cli {

namespace {

// Said in "waits" already, for people.
constexpr const char* kForPrograms[] = {"since", "reason", "waits_until", "oldest_ready"};

// The service's facts as a list of facts, the adapters as a table.
// `trouble` becomes true when an adapter, or something else, does not work as configured.
admin::RowSink statusSink(Output& output, bool& trouble) {
    return [&output, &trouble,
            told = std::make_shared<bool>(false)](const admin::Record& record) -> Result<void> {
        for (const char* state : {"suspended", "unhealthy", "not configured"})
            trouble = trouble || record.text("state") == state;
        if (record.text("type") == "trouble") {
            if (!*told) output.heading("Trouble");
            *told = trouble = true;
        }
        if (record.text("type") == "service") {
            const Result<void> printed = output.details(record);
            output.heading("Adapters");
            return printed;
        }
        return output.row(record);
    };
}

// Without a service the queue is still there to be counted.
Result<int> statusOfStore(const Run& run, const config::Config& config, bool all) {
    Output output(run.console, run.form());
    output.fitScreen();
    output.below("waits");
    for (const char* name : kForPrograms) output.hide(name);
    bool trouble = false;
    POSTERN_LET(reader, openReader(config));
    std::vector<admin::Trouble> troubles = admin::certificateTroubles(config, run.console.clock.now());
    const auto more = admin::folderTroubles(config);
    troubles.insert(troubles.end(), more.begin(), more.end());
    if (const auto low = admin::lowStore(config)) troubles.push_back(*low);
    POSTERN_TRY(admin::statusRows(reader->session(), config, std::nullopt, troubles, run.console.clock.now(),
                                  all, statusSink(output, trouble)));
    output.finish();
    run.complain("no service listens on " + config.controlSocket);
    return int{kExitUnavailable};
}

Result<int> status(const Run& run, bool all, bool check) {
    const auto config = run.config();
    if (!config) return int{kExitConfig};
    auto client = admin::ControlClient::connect(config->controlSocket);
    if (!client.ok() && client.error().code == Errc::NotFound) return statusOfStore(run, *config, all);
    if (!client.ok()) return client.error();
    admin::Request request;
    request.verb = "status";
    request.who = userName();
    request.fields["all"] = all ? "true" : "false";
    Output output(run.console, run.form());
    output.fitScreen();
    output.below("waits");
    for (const char* name : kForPrograms) output.hide(name);
    bool trouble = false;
    admin::NoBytes none;
    POSTERN_TRY(client->call(request, none, statusSink(output, trouble)));
    return int{check && trouble ? kExitUnavailable : kExitDone};
}

Result<int> reload(const Run& run) {
    const auto config = run.config();
    if (!config) return int{kExitConfig};
    POSTERN_LET(client, connectService(*config));
    admin::Request request;
    request.verb = "reload";
    request.who = userName();
    Output output(run.console, run.form());
    admin::NoBytes none;
    const Result<void> reloaded = client.call(request, none, output.sink());
    output.finish();
    if (reloaded.ok()) return int{kExitDone};
    run.complain(reloaded.error().text);
    return int{reloaded.error().code == Errc::Invalid ? kExitConfig : exitFor(reloaded.error().code)};
}

}  // namespace

Reloading tellService(const config::Config& config, const admin::RowSink& answer) {
    auto client = admin::ControlClient::connect(config.controlSocket);
    if (!client.ok() && client.error().code == Errc::NotFound) return {};
    if (!client.ok()) return {false, client.error().text, exitFor(client.error().code)};
    admin::Request request;
    request.verb = "reload";
    request.who = userName();
    admin::NoBytes none;
    const Result<void> reloaded = client->call(request, none, answer);
    if (reloaded.ok()) return {};
    const Error& error = reloaded.error();
    // Invalid, too, when all but a damaged table was taken: that change is in force.
    return {error.code == Errc::Invalid && error.text == admin::kOldStays, error.text,
            error.code == Errc::Invalid ? kExitConfig : exitFor(error.code)};
}

Result<int> reloadService(const Run& run, const config::Config& config, Output& output,
                          const admin::RowSink& answer) {
    const Reloading reloading = tellService(config, answer);
    if (reloading.text.empty()) return int{kExitDone};
    output.finish();
    run.complain("written, but the service did not take it: " + reloading.text);
    return int{reloading.exit};
}

Carry setupStatus(CLI::App& command, Run& run) {
    const auto all = std::make_shared<bool>(false);
    command.add_flag("--all", *all, "Count settled items too; slow when there are millions");
    const auto check = std::make_shared<bool>(false);
    command.add_flag(
        "--check", *check,
        "For monitoring: exit status 69 also when an adapter is suspended, unhealthy or not "
        "configured, a certificate is bad or ends soon, a pickup folder can not be used, or a disk "
        "runs low");
    command.footer("Exit status 69 when no service runs; the queue is counted all the same.");
    return [&run, all, check] { return run.end(status(run, *all, *check)); };
}

Carry setupReload(CLI::App&, Run& run) {
    return [&run] { return run.end(reload(run)); };
}

}  // namespace postern::cli
