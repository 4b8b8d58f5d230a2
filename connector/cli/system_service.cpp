// postern service: the program's entry in the system's list of services. What the service does is asked with
// postern status.

#include <CLI/CLI.hpp>

#include "base/child_process.h"
#include "base/file.h"
#include "base/places.h"
#include "base/service_control.h"
#include "base/text.h"
#include "connector/cli/output.h"
#include "connector/cli/verbs.h"
#include "connector/posternd_options.h"

namespace postern::cli {

namespace {

constexpr const char* kWaiting = "2m";

struct Wishes {
    std::string account, start, program;
};

const char* meaningOf(std::int64_t status) {
    for (const PosterndExit& each : kPosterndExits)
        if (each.status == status) return each.meaning;
    return nullptr;
}

ServicePlan::Start startOf(const std::string& word) {
    if (word == "manual" || word == "disabled") return ServicePlan::Start::Manual;
    return word == "automatic" ? ServicePlan::Start::Automatic : ServicePlan::Start::Delayed;
}

ServicePlan planOf(const Run& run, const Wishes& wishes) {
    ServicePlan plan;
    plan.program = wishes.program;
    if (plan.program.empty()) plan.program = joinPath(ownProgramFolder(), "posternd.exe");
    plan.configuration = run.configPath;
    // What an administrator has changed of a service that is there stays so unless that is asked for.
    const auto there = serviceFacts();
    plan.account = wishes.account.empty() && there.ok() ? there->account : wishes.account;
    plan.start = startOf(wishes.start.empty() && there.ok() ? there->start : wishes.start);
    plan.folders = {{placeFor("/etc/postern"), false},
                    {placeFor("/etc/postern/adapters.d"), false},
                    {placeFor("/var/lib/postern"), true},
                    {placeFor("/run/postern"), true},
                    {placeFor("/var/spool/postern"), true},
                    {placeFor("/var/log/postern"), true},
                    {placeFor("/srv"), true}};
    return plan;
}

Result<int> install(const Run& run, const Wishes& wishes) {
    const ServicePlan plan = planOf(run, wishes);
    if (!isAbsolutePath(plan.configuration))
        return fail(Errc::Invalid, "the configuration's path must be absolute, not \"" + plan.configuration +
                                       "\": a service has a working folder of its own");
    POSTERN_LET(missing, installService(plan));
    for (const std::string& each : missing) run.complain(each);
    Output output(run.console, run.form());
    POSTERN_LET(facts, serviceFacts());
    POSTERN_TRY(output.details(admin::Record()
                                   .add("service", kServiceName)
                                   .add("account", facts.account)
                                   .add("start", facts.start)
                                   .add("program", facts.program)
                                   .add("config", facts.configuration)));
    return int{kExitDone};
}

// What the number stands for is only known here.
Result<int> start(const Run& run, Millis limit) {
    const Result<void> started = startService(limit);
    if (started.ok()) return int{kExitDone};
    const auto facts = serviceFacts();
    if (facts.ok() && facts->state == "stopped" && facts->lastExit != 0 &&
        meaningOf(facts->lastExit) != nullptr)
        run.complain("posternd says: " + std::string(meaningOf(facts->lastExit)));
    return started.error();
}

Result<int> status(const Run& run) {
    POSTERN_LET(facts, serviceFacts());
    const char* meaning = facts.lastExit == 0 ? nullptr : meaningOf(facts.lastExit);
    Output output(run.console, run.form());
    POSTERN_TRY(output.details(admin::Record()
                                   .add("service", kServiceName)
                                   .add("state", facts.state)
                                   .add("pid", facts.process == 0 ? admin::Value() : facts.process)
                                   .add("account", facts.account)
                                   .add("start", facts.start)
                                   .add("last_exit", facts.lastExit)
                                   .add("last_exit_meaning", meaning == nullptr ? "" : meaning)
                                   .add("program", facts.program)
                                   .add("config", facts.configuration)));
    return int{facts.state == "running" ? kExitDone : kExitUnavailable};
}

std::shared_ptr<Millis> waitOption(CLI::App& command) {
    const auto limit = std::make_shared<Millis>(*parseDurationMillis(kWaiting));
    command
        .add_option_function<std::string>(
            "--wait",
            [limit](const std::string& text) {
                const auto millis = parseDurationMillis(text);
                if (!millis || *millis <= 0)
                    throw CLI::ValidationError("--wait: a time like \"30s\" or \"5m\"");
                *limit = Millis(*millis);
            },
            std::string("How long to wait for it; default: ") + kWaiting)
        ->type_name("TIME");
    return limit;
}

}  // namespace

Carry setupServiceInstall(CLI::App& command, Run& run) {
    const auto wishes = std::make_shared<Wishes>();
    command
        .add_option("--account", wishes->account,
                    "The account it runs as, such as LocalSystem; default: as it was, or one of its own, NT "
                    "SERVICE\\posternd")
        ->type_name("NAME");
    command
        .add_option(
            "--start", wishes->start,
            "When: delayed (some time after the machine started), automatic, manual; default: as it was, "
            "or delayed")
        ->check(CLI::IsMember({"delayed", "automatic", "manual"}))
        ->type_name("WHEN");
    command.add_option("--program", wishes->program, "posternd.exe; default: the one beside this program")
        ->type_name("FILE");
    command.footer(
        "For administrators, on Windows. It will read the file that --config names. What is on the list "
        "already is changed.");
    return [&run, wishes] { return run.end(install(run, *wishes)); };
}

Carry setupServiceRemove(CLI::App& command, Run& run) {
    const auto limit = waitOption(command);
    command.footer("Stops it first. Configuration, mail and logs stay.");
    return [&run, limit] {
        const Result<void> removed = removeService(*limit);
        return removed.ok() ? int{kExitDone} : run.fails(removed.error());
    };
}

Carry setupServiceStart(CLI::App& command, Run& run) {
    const auto limit = waitOption(command);
    command.footer("Returns when it takes mail.");
    return [&run, limit] { return run.end(start(run, *limit)); };
}

Carry setupServiceStop(CLI::App& command, Run& run) {
    const auto limit = waitOption(command);
    command.footer("Returns when it has stopped, with everything given back.");
    return [&run, limit] {
        const Result<void> stopped = stopService(*limit);
        return stopped.ok() ? int{kExitDone} : run.fails(stopped.error());
    };
}

Carry setupServiceStatus(CLI::App& command, Run& run) {
    command.footer(
        "Exit status 0 when it runs, 69 when it does not, 66 when it is not on the list. 'postern status' "
        "asks "
        "the service itself.");
    return [&run] { return run.end(status(run)); };
}

}  // namespace postern::cli
