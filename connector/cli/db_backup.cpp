// postern db backup, restore, vacuum: the store as a whole. A backup is made beside a service that runs, by
// ourselves and from the disk: the service need not be able to write where the operator wants the file.

#include <CLI/CLI.hpp>

#include "base/file.h"
#include "base/library_error.h"
#include "base/owners_rights.h"
#include "base/peer.h"
#include "base/text.h"
#include "connector/cli/backend.h"
#include "connector/cli/bar.h"
#include "connector/cli/verbs.h"
#include "queue/restored.h"
#include "store/backup.h"

namespace postern::cli {

namespace {

store::Progress progressOf(Bar& bar) {
    return [&bar](std::string_view what, std::int64_t done, std::int64_t of) {
        bar.begin(what);
        bar.at(done, of);
    };
}

admin::Record figuresOf(const store::BackupFigures& figures, const std::string& file) {
    return admin::Record()
        .add("type", "backup")
        .add("file", file)
        .add("bytes", admin::Value::size(figures.bytes))
        .add("at", figures.at)
        .add("store", figures.id)
        .add("messages", figures.messages)
        .add("items", figures.items);
}

Result<int> backUp(const Run& run, const std::string& file) {
    const auto config = run.config();
    if (!config) return int{kExitConfig};
    POSTERN_LET(path, absolutePath(file));
    POSTERN_TRY(openReader(*config));  // says what is wrong with the store, if anything
    Bar bar(run, "copying");
    const auto made = store::backUp(config->store, allMigrations(), path, run.console.clock.now(),
                                    queue::forgetMessage, progressOf(bar));
    bar.hide();
    if (!made.ok() && made.error().code == Errc::Exists) {
        run.complain(made.error().text);
        return int{kExitCantCreate};
    }
    if (!made.ok()) return made.error();
    Output output(run.console, run.form());
    POSTERN_TRY(output.details(figuresOf(*made, path)));
    output.finish();
    for (const MessageId id : made->lost)
        run.complain("message m" + std::to_string(id.value) +
                     " has lost its body in the store, and so has none in the backup");
    return int{made->lost.empty() ? kExitDone : kExitData};
}

struct Restore {
    std::string file;
    bool force = false, dryRun = false;
};

Result<void> checkNoService(const config::Config& config) {
    const auto client = admin::ControlClient::connect(config.controlSocket);
    if (client.ok()) return fail(Errc::Busy, "the service runs: stop it first");
    return {};
}

// A folder made new has the owner of the one around it, and that may be nobody's choice.
Result<void> warnOfOwner(const Run& run, const std::string& folder) {
    POSTERN_LET(owner, fileOwner(folder));
    if (owner == effectiveUser())
        run.complain("the store belongs to " + owner +
                     " now; where the service runs as another user, give it " +
                     "to that one before the start: " + handOverCommand(folder));
    return {};
}

Result<int> restore(const Run& run, const Restore& wanted) {
    const auto config = run.config();
    if (!config) return int{kExitConfig};
    POSTERN_LET(path, absolutePath(wanted.file));
    POSTERN_TRY(checkNoService(*config));
    const bool fresh = !pathExists(config->store);
    // Root's restore makes files of the store's owner.
    if (!fresh && !isAdministrator()) POSTERN_TRY(checkStoreOwner(*config));
    Bar bar(run, "checking");
    queue::Restored marked;
    store::RestoreOptions options;
    options.folder = config->store;
    options.migrations = allMigrations();
    options.inlineBodyLimit = config->inlineBody;
    options.force = wanted.force;
    options.dryRun = wanted.dryRun;
    options.now = run.console.clock.now();
    options.progress = progressOf(bar);
    options.mark = [&](store::WriteSession& session, const store::BackupFigures& figures) -> Result<void> {
        POSTERN_LET(done, queue::markRestored(session, figures.at, userName(), options.now));
        marked = done;
        return {};
    };
    const auto restored = store::restore(path, options);
    bar.hide();
    if (!restored.ok() && restored.error().code == Errc::Exists) {
        run.complain(restored.error().text);
        return int{kExitCantCreate};
    }
    if (!restored.ok()) return restored.error();
    Output output(run.console, run.form());
    admin::Record record = figuresOf(restored->backup, path);
    record.fields.front().second = "restored";
    record.add("folder", config->store)
        .add("held", marked.held)
        .add("publishing", marked.publishing)
        .add("in_doubt", marked.inDoubt)
        .add("aside", restored->aside)
        .add("done", !wanted.dryRun);
    POSTERN_TRY(output.details(record));
    output.finish();
    if (fresh && !wanted.dryRun && isAdministrator()) POSTERN_TRY(warnOfOwner(run, config->store));
    return int{kExitDone};
}

Result<int> vacuum(const Run& run, bool dryRun) {
    const auto config = run.config();
    if (!config) return int{kExitConfig};
    if (!dryRun) POSTERN_TRY(checkNoService(*config));
    if (!dryRun && !isAdministrator()) POSTERN_TRY(checkStoreOwner(*config));
    POSTERN_LET(done,
                dryRun ? store::previewVacuum(config->store) : store::vacuum(config->store, allMigrations()));
    Output output(run.console, run.form());
    POSTERN_TRY(output.details(admin::Record()
                                   .add("type", "vacuum")
                                   .add("store", config->store)
                                   .add("before", admin::Value::size(done.before))
                                   .add("after", admin::Value::size(done.after))
                                   .add("given_back", admin::Value::size(done.before - done.after))
                                   .add("done", !dryRun)));
    return int{kExitDone};
}

}  // namespace

Carry setupDbBackup(CLI::App& command, Run& run) {
    const auto file = std::make_shared<std::string>();
    command.add_option("FILE", *file, "A new file")->required();
    command.footer(
        "All mail, its bodies too, as of one moment; with the service up or down. The file gets its name "
        "when\n"
        "it is whole and checked, and is never written over one. docs/BACKUP.md says how to go on.");
    return [&run, file] { return run.end(backUp(run, *file)); };
}

Carry setupDbRestore(CLI::App& command, Run& run) {
    const auto wanted = std::make_shared<Restore>();
    command.add_option("FILE", wanted->file, "Made by db backup")->required();
    command.add_flag("--force", wanted->force,
                     "Move a store that has mail aside, into a folder inside its own");
    command.add_flag(
        "--dry-run", wanted->dryRun,
        "Check the backup, make the store and remove it: say what would come back, change nothing");
    command.footer(
        "The service must be down. What was not settled in the backup comes back held, as it may have been\n"
        "exported since: look with queue list --state held, then queue release or queue delete.");
    return [&run, wanted] { return run.end(restore(run, *wanted)); };
}

Carry setupDbVacuum(CLI::App& command, Run& run) {
    command.footer("The service must be down; while it runs it gives large surpluses back by itself.");
    const auto dryRun = std::make_shared<bool>(false);
    command.add_flag("--dry-run", *dryRun, "Say how much would be given back at least, and change nothing");
    return [&run, dryRun] { return run.end(vacuum(run, *dryRun)); };
}

}  // namespace postern::cli
