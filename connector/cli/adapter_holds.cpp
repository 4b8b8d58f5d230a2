// postern adapter suspend, resume: done by the service, or by us while none runs.

#include <CLI/CLI.hpp>

#include "base/file.h"
#include "base/text.h"
#include "connector/cli/backend.h"
#include "connector/cli/verbs.h"

namespace postern::cli {

namespace {

struct Wanted {
    std::string name, reason, until;
};

// A duration from now, or a time.
Result<std::string> untilFrom(const Run& run, const std::string& text) {
    if (text.empty()) return std::string();
    const WallTime now = run.console.clock.now();
    std::optional<WallTime> time = parseTime(text);
    if (const auto millis = parseDurationMillis(text)) time = now + Millis(*millis);
    if (!time)
        return fail(Errc::Invalid,
                    "--until must be a duration such as 2h, or a time such as \"2026-11-23 08:00\" "
                    "(UTC) or 2026-11-23T08:00+01:00");
    if (*time <= now) return fail(Errc::Invalid, "--until must be in the future");
    return std::to_string(toMillis(*time));
}

Result<int> change(const Run& run, admin::Request request) {
    const auto config = run.config();
    if (!config) return int{kExitConfig};
    POSTERN_LET(backend, Backend::open(*config, run.console.clock));
    request.who = userName();
    Output output(run.console, run.form());
    admin::NoBytes none;
    POSTERN_TRY(backend->call(request, none, output.sink()));
    return int{kExitDone};
}

int suspend(const Run& run, const Wanted& wanted) {
    const auto until = untilFrom(run, wanted.until);
    if (!until.ok()) {
        run.complain(until.error().text);
        return kExitUsage;
    }
    admin::Request request;
    request.verb = "adapter.suspend";
    request.fields = {{"name", wanted.name}, {"reason", wanted.reason}, {"until", *until}};
    return run.end(change(run, std::move(request)));
}

}  // namespace

Carry setupAdapterSuspend(CLI::App& command, Run& run) {
    const auto wanted = std::make_shared<Wanted>();
    command.add_option("NAME", wanted->name, "The adapter")->required();
    command.add_option("--reason", wanted->reason, "Why, for the log and for all who ask")
        ->option_text("TEXT")
        ->required();
    command.add_option("--until", wanted->until, "A duration (2h) or a time; default: until it is resumed")
        ->option_text("TIME");
    command.footer("Items in hand are finished; mail is still accepted and waits.");
    return [&run, wanted] { return suspend(run, *wanted); };
}

Carry setupAdapterResume(CLI::App& command, Run& run) {
    const auto name = std::make_shared<std::string>();
    command.add_option("NAME", *name, "The adapter")->required();
    return [&run, name] {
        admin::Request request;
        request.verb = "adapter.resume";
        request.fields = {{"name", *name}};
        return run.end(change(run, std::move(request)));
    };
}

}  // namespace postern::cli
