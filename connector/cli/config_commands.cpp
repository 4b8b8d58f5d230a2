// postern config check, show, example.

#include <ostream>

#include <CLI/CLI.hpp>

#include "connector/cli/verbs.h"
#include "connector/config/load.h"

namespace postern::cli {

namespace {

Result<void> print(Output& output, const char* kind, const std::vector<config::Problem>& problems) {
    for (const config::Problem& problem : problems)
        POSTERN_TRY(output.row(admin::Record()
                                   .add("kind", kind)
                                   .add("file", problem.place.file)
                                   .add("line", problem.place.line)
                                   .add("column", problem.place.column)
                                   .add("text", problem.text)));
    return {};
}

// People and editors read "file:line:column: text".
void printPlain(const Run& run, const char* kind, const std::vector<config::Problem>& problems) {
    for (const config::Problem& problem : problems)
        run.console.out << config::placeText(problem.place) << ": " << kind << problem.text << "\n";
}

Result<int> check(const Run& run) {
    const config::Loaded loaded = config::load(run.configPath);
    const int exit = loaded.problems.empty() ? kExitDone : kExitConfig;
    if (run.form() == Form::Json) {
        Output output(run.console, Form::Json);
        POSTERN_TRY(print(output, "problem", loaded.problems));
        POSTERN_TRY(print(output, "warning", loaded.warnings));
        return exit;
    }
    printPlain(run, "", loaded.problems);
    printPlain(run, "warning: ", loaded.warnings);
    if (exit == kExitDone)
        run.console.out << run.configPath << ": no problems, " << loaded.config->listeners.size()
                        << " listeners, " << loaded.config->adapters.size() << " adapters, "
                        << loaded.config->routes.size() << " routes\n";
    return exit;
}

int show(const Run& run) {
    const auto config = run.config();
    if (!config) return kExitConfig;
    run.console.out << config::show(*config);
    return kExitDone;
}

}  // namespace

Carry setupConfigCheck(CLI::App&, Run& run) {
    return [&run] { return run.end(check(run)); };
}

Carry setupConfigShow(CLI::App& command, Run& run) {
    command.footer("Prints TOML, with --json too: it can be read back.");
    return [&run] { return show(run); };
}

Carry setupConfigExample(CLI::App&, Run& run) {
    return [&run]() -> int {
        run.console.out << config::example();
        return kExitDone;
    };
}

}  // namespace postern::cli
