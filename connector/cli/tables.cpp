// postern route list, address export, address import, config defaults: the rules of the way as they stand.

#include "connector/routing/tables.h"

#include <ostream>

#include <CLI/CLI.hpp>

#include "adapters/registry.h"
#include "base/file.h"
#include "base/rewrite_file.h"
#include "base/text.h"
#include "connector/cli/reload.h"
#include "connector/cli/verbs.h"
#include "connector/config/keys.h"
#include "connector/config/words.h"

namespace postern::cli {

namespace {

constexpr std::size_t kTableLimit = 256 << 20;

Result<void> tellStep(Output& output, const char* step, const std::string& name, const std::string& recipient,
                      const std::string& to, const std::string& legacy, std::string_view use,
                      const config::Place& place) {
    return output.row(admin::Record()
                          .add("step", step)
                          .add("name", name)
                          .add("recipient", recipient)
                          .add("to", to)
                          .add("legacy", legacy)
                          .add("use", use)
                          .add("place", config::placeText(place)));
}

// In the order in which they are asked.
Result<int> listRoutes(const Run& run) {
    const auto config = run.config();
    if (!config) return int{kExitConfig};
    Output output(run.console, run.form());
    output.whenEmpty("No route is configured: all mail is refused.");
    for (const config::Rule& rule : config->rules)
        POSTERN_TRY(tellStep(output, "rule", rule.name, rule.recipient, rule.adapter, "",
                             config::wordOf(rule.action), rule.place));
    for (const config::Table& table : config->tables)
        POSTERN_TRY(
            tellStep(output, "table", table.name, table.file, table.adapter, "", "both", table.place));
    for (const config::Route& route : config->routes)
        POSTERN_TRY(tellStep(output, "route", "", route.pattern, route.adapter, route.legacy,
                             config::wordOf(route.use), route.place));
    return int{kExitDone};
}

struct TableWanted {
    std::string file, table;
    bool dryRun = false;
};

// The one of that name, or the only one.
Result<std::size_t> tableNamed(const config::Config& config, const std::string& name) {
    std::string names;
    for (std::size_t i = 0; i < config.tables.size(); ++i) {
        if (config.tables[i].name == name || (name.empty() && config.tables.size() == 1)) return i;
        names += (i == 0 ? "" : ", ") + config.tables[i].name;
    }
    if (config.tables.empty()) return fail(Errc::NotFound, "no [[table]] is configured");
    return fail(Errc::NotFound, name.empty()
                                    ? "say --table, one of " + names
                                    : "there is no table \"" + escapeLine(name, 100) + "\", only " + names);
}

Result<int> exportTable(const Run& run, const TableWanted& wanted) {
    const auto config = run.config();
    if (!config) return int{kExitConfig};
    POSTERN_LET(index, tableNamed(*config, wanted.table));
    POSTERN_LET(text, readFile(config->tables[index].file, kTableLimit));
    run.console.out << text << std::flush;
    if (!run.console.out) return fail(Errc::Io, "the output could not be written");
    return int{kExitDone};
}

std::size_t entriesOf(const routing::Tables& tables, const std::string& name) {
    for (const routing::NamedTable& table : tables.tables)
        if (table.name == name) return table.table->size();
    return 0;
}

// Checked whole, as the service reads it, before it takes the old file's place.
Result<int> importTable(const Run& run, const TableWanted& wanted) {
    const auto config = run.config();
    if (!config) return int{kExitConfig};
    POSTERN_LET(index, tableNamed(*config, wanted.table));
    POSTERN_LET(text, readFile(wanted.file, kTableLimit));
    const config::Table& table = config->tables[index];
    const std::size_t before = entriesOf(routing::readTables(*config), table.name);
    config::Config with = *config;
    with.tables[index].file = wanted.file;
    const routing::Tables tables = routing::readTables(with);
    for (const config::Problem& problem : tables.problems)
        run.complain(config::placeText(problem.place) + ": " + problem.text);
    for (const config::Problem& warning : tables.warnings)
        run.complain("warning: " + config::placeText(warning.place) + ": " + warning.text);
    if (!tables.problems.empty()) {
        run.complain("nothing was changed");
        return int{kExitData};
    }
    if (!wanted.dryRun) POSTERN_TRY(rewriteFile(table.file, text));
    Output output(run.console, run.form());
    POSTERN_TRY(output.row(admin::Record()
                               .add("table", table.name)
                               .add("file", table.file)
                               .add("entries", static_cast<std::int64_t>(entriesOf(tables, table.name)))
                               .add("before", static_cast<std::int64_t>(before))
                               .add("done", !wanted.dryRun)));
    if (wanted.dryRun) return int{kExitDone};
    // What there is to say of the table was said when it was checked.
    return reloadService(run, *config, output, [](const admin::Record&) { return Result<void>(); });
}

Result<void> tellKey(Output& output, const std::string& section, const adapters::Setting& setting) {
    const bool required = setting.fallback == nullptr;
    return output.row(admin::Record()
                          .add("section", section)
                          .add("key", setting.key)
                          .add("default", required ? admin::Value() : admin::Value(setting.fallback))
                          .add("required", required)
                          .add("help", setting.help));
}

Result<int> defaults(const Run& run) {
    Output output(run.console, run.form());
    for (const config::Key& key : config::keys()) POSTERN_TRY(tellKey(output, key.section, key.setting));
    for (const adapters::Kind* kind : adapters::kinds())
        for (const adapters::Setting& setting : kind->settings)
            POSTERN_TRY(tellKey(output, "adapter, kind " + std::string(kind->name), setting));
    return int{kExitDone};
}

void addTable(CLI::App& command, TableWanted& wanted) {
    command.add_option("--table", wanted.table, "The [[table]]; default: the only one")->option_text("NAME");
}

}  // namespace

Carry setupRouteList(CLI::App& command, Run& run) {
    command.footer("Rules are asked first, then tables, then routes; the first that fits decides.");
    return [&run] { return run.end(listRoutes(run)); };
}

Carry setupAddressExport(CLI::App& command, Run& run) {
    const auto wanted = std::make_shared<TableWanted>();
    addTable(command, *wanted);
    return [&run, wanted] { return run.end(exportTable(run, *wanted)); };
}

Carry setupAddressImport(CLI::App& command, Run& run) {
    const auto wanted = std::make_shared<TableWanted>();
    command.add_option("FILE", wanted->file, "Lines of internet address,legacy name")->required();
    addTable(command, *wanted);
    command.add_flag("--dry-run", wanted->dryRun, "Check it, and change nothing");
    command.footer(
        "Takes the place of the table's whole file when all of it is right; a running service reads\n"
        "it at once.");
    return [&run, wanted] { return run.end(importTable(run, *wanted)); };
}

Carry setupConfigDefaults(CLI::App&, Run& run) {
    return [&run] { return run.end(defaults(run)); };
}

}  // namespace postern::cli
