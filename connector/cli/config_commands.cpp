// postern config check, show, example.

#include <ostream>

#include <CLI/CLI.hpp>

#include "adapters/registry.h"
#include "base/file.h"
#include "base/secret_file.h"
#include "base/text.h"
#include "connector/admin/trouble.h"
#include "connector/cli/backend.h"
#include "connector/cli/folder_look.h"
#include "connector/cli/verbs.h"
#include "connector/config/example.h"
#include "connector/config/keys.h"
#include "connector/config/load.h"
#include "connector/reports/check.h"
#include "connector/routing/tables.h"
#include "net/tls_context.h"

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

// What only the router and its tables' files know. Makes the adapters as the service does; that touches no
// disk.
void checkWithRouter(config::Loaded& loaded) {
    const config::Config& config = *loaded.config;
    routing::Tables tables = routing::readTables(config);
    loaded.problems = std::move(tables.problems);
    loaded.warnings.insert(loaded.warnings.end(), tables.warnings.begin(), tables.warnings.end());
    std::vector<std::unique_ptr<adapters::Adapter>> adapters;
    std::vector<routing::Target> targets;
    for (const config::Adapter& each : config.adapters) {
        auto made =
            adapters::kindNamed(each.kind)->make({each.name, config.hostname, "check", {}}, each.settings);
        if (!made.ok()) {
            loaded.problems.push_back({each.place, "adapter \"" + each.name + "\": " + made.error().text});
            return;
        }
        adapters.push_back(std::move(made).value());
        targets.push_back(routing::targetFor(each, *adapters.back()));
    }
    config::Findings findings;
    const routing::Router router(config.routes, std::move(targets), config.rules, std::move(tables.tables));
    reports::checkReports(config, router, findings);
    for (config::Problem& problem : findings.problems) loaded.problems.push_back(std::move(problem));
    for (config::Problem& warning : findings.warnings) loaded.warnings.push_back(std::move(warning));
}

// Without it no mail of that adapter goes out: a mistake, also where only this user may not read it.
void checkPassword(const config::Adapter& adapter, config::Loaded& loaded) {
    constexpr const char* kKey = "password_file";
    const std::string& path = adapter.settings.text(kKey);
    if (path.empty()) return;
    if (const auto secret = readSecret(path); !secret.ok())
        loaded.problems.push_back(
            {adapter.place, "adapter \"" + adapter.name + "\": " + kKey + ": " + secret.error().text});
}

// A certificate's key is often the service's user's alone: that is no mistake, only not checked.
void checkCertificate(const config::Place& place, const net::TlsFiles& files, WallTime now,
                      config::Loaded& loaded) {
    const auto made = net::TlsContext::make(files, now);
    if (!made.ok() && made.error().code == Errc::Denied) {
        loaded.warnings.push_back({place, "not checked: " + made.error().text});
    } else if (!made.ok()) {
        loaded.problems.push_back({place, made.error().text});
    } else {
        for (const std::string& text : (*made)->warnings()) loaded.warnings.push_back({place, text});
    }
}

// Before the first start there is no store, and so no account.
void checkAccounts(config::Loaded& loaded) {
    const config::Config& config = *loaded.config;
    if (!config.chat.on()) return;
    const auto reader = openReader(config);
    auto text = reader.ok() ? admin::nobodyForChat(config, (*reader)->session())
                            : Result<std::string>(reader.error());
    if (!text.ok() && text.error().code == Errc::Unavailable && !pathExists(config.store))
        text = admin::nobodyText(config, true);
    if (!text.ok()) text = "not checked: whether anybody may enter the chat: " + text.error().text;
    if (!text->empty()) loaded.warnings.push_back({config.chat.place, *text});
}

// What the service would meet at its start.
void checkFiles(config::Loaded& loaded, WallTime now) {
    for (const config::Listener& listener : loaded.config->listeners) {
        const std::string folder = parentPath(listener.socketPath);
        if (!listener.socketPath.empty() && !pathExists(folder))
            loaded.warnings.push_back({listener.place, "there is no folder " + folder + " for the socket"});
        if (listener.tls != config::Tls::Off)
            checkCertificate(
                listener.place,
                {listener.certificate, listener.key, listener.clientCa, !listener.clientCertificates.empty()},
                now, loaded);
    }
    const config::Chat& chat = loaded.config->chat;
    if (!chat.tls.address.empty())
        checkCertificate(chat.place, {chat.certificate, chat.key, {}, false}, now, loaded);
    for (const config::Adapter& adapter : loaded.config->adapters) checkPassword(adapter, loaded);
    for (const config::Pickup& pickup : loaded.config->pickups)
        if (!pathExists(pickup.folder))
            loaded.warnings.push_back({pickup.place, "there is no folder " + pickup.folder + ": make it"});
}

// Folders that can not work.
void checkFolders(config::Loaded& loaded) {
    const config::Config& config = *loaded.config;
    const FolderLook look(config);
    const auto warn = [&](const config::Place& place, const std::string& what, const std::string& found) {
        if (!found.empty()) loaded.warnings.push_back({place, what + found});
    };
    warn({config.file, 1, 1}, "the store: ", look.atStore());
    for (const config::Adapter& adapter : config.adapters)
        warn(adapter.place, "adapter \"" + adapter.name + "\": ", look.at(adapter));
}

std::string counted(std::size_t count, const std::string& what) {
    return std::to_string(count) + " " + what + (count == 1 ? "" : "s");
}

Result<int> check(const Run& run) {
    config::Loaded loaded = config::load(run.configPath);
    if (loaded.config) checkWithRouter(loaded);
    if (loaded.config) checkFiles(loaded, run.console.clock.now());
    if (loaded.config) checkFolders(loaded);
    if (loaded.config) checkAccounts(loaded);
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
        run.console.out << run.configPath << ": no problems, "
                        << counted(loaded.config->listeners.size(), "listener") << ", "
                        << counted(loaded.config->adapters.size(), "adapter") << ", "
                        << counted(loaded.config->tables.size(), "table") << ", "
                        << counted(loaded.config->routes.size(), "route") << "\n";
    return exit;
}

int show(const Run& run) {
    const auto config = run.config();
    if (!config) return kExitConfig;
    run.console.out << config::show(*config);
    return kExitDone;
}

// The kinds from outside are those of the configuration's folder; what is wrong with it is not asked.
Result<int> printExample(const Run& run, const std::string& name) {
    if (name.empty()) {
        run.console.out << config::example();
        return int{kExitDone};
    }
    config::load(run.configPath);
    std::vector<std::string_view> known;
    for (const adapters::Kind* kind : adapters::kinds()) {
        known.emplace_back(kind->name);
        if (name != kind->name) continue;
        run.console.out << config::example(*kind);
        return int{kExitDone};
    }
    return fail(Errc::NotFound, "there is no adapter kind \"" + escapeLine(name, 100) + "\"" +
                                    config::didYouMean(name, known));
}

}  // namespace

Carry setupConfigCheck(CLI::App&, Run& run) {
    return [&run] { return run.end(check(run)); };
}

Carry setupConfigShow(CLI::App& command, Run& run) {
    command.footer("Prints TOML, with --json too: it can be read back.");
    return [&run] { return show(run); };
}

Carry setupConfigExample(CLI::App& command, Run& run) {
    const auto kind = std::make_shared<std::string>();
    command.add_option("--kind", *kind, "Only an adapter of this kind, with all its settings")
        ->option_text("KIND");
    command.footer("With --kind it is a file for the folder adapters.d beside the configuration.");
    return [&run, kind] { return run.end(printExample(run, *kind)); };
}

}  // namespace postern::cli
