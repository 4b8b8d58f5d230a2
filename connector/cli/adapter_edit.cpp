// postern adapter show, add, set, unset, remove: the files of the configuration, changed as a careful person
// would. The whole configuration is read with the change before it is written; then the service reads it
// again.

#include <algorithm>
#include <map>
#include <set>

#include <CLI/CLI.hpp>

#include "adapters/registry.h"
#include "base/file.h"
#include "base/rewrite_file.h"
#include "base/text.h"
#include "connector/cli/backend.h"
#include "connector/cli/reload.h"
#include "connector/cli/verbs.h"
#include "connector/config/edit.h"
#include "connector/config/keys.h"
#include "connector/config/load.h"
#include "connector/config/section.h"
#include "connector/config/tree.h"
#include "connector/config/unknown.h"
#include "queue/inspect.h"

namespace postern::cli {

namespace {

constexpr std::size_t kFileLimit = 4 << 20;

struct Edit {
    std::string name, kind;
    std::vector<std::string> words;  // key=value, or keys
    bool dryRun = false, force = false;
};

// Where an adapter's keys stand.
struct Place {
    std::string file;
    std::string table;  // "" : the file is its own
};

std::string ownFile(const Run& run, const std::string& name) {
    return joinPath(joinPath(parentPath(run.configPath), "adapters.d"), name + ".toml");
}

std::optional<Place> placeOf(const Run& run, const std::string& name) {
    if (!config::validName(name)) return std::nullopt;
    if (pathExists(ownFile(run, name))) return Place{ownFile(run, name), ""};
    const config::ParsedFile parsed = config::parseFile(run.configPath);
    const config::Node* adapters = config::childNamed(parsed.root, "adapter");
    if (adapters == nullptr || config::childNamed(*adapters, name) == nullptr) return std::nullopt;
    return Place{run.configPath, "adapter." + name};
}

const config::Node* tableOf(const config::Node& root, const Place& place, const std::string& name) {
    if (place.table.empty()) return &root;
    const config::Node* adapters = config::childNamed(root, "adapter");
    return adapters == nullptr ? nullptr : config::childNamed(*adapters, name);
}

Error noAdapter(const Run& run, const std::string& name) {
    const auto config = config::load(run.configPath).config;
    return config::noAdapter(config.value_or(config::Config{}), name);
}

// Its kind's settings and those common to all.
std::vector<const adapters::Setting*> settingsOf(const std::string& kind) {
    std::vector<const adapters::Setting*> all = config::keysOf("adapter");
    if (const adapters::Kind* found = adapters::kindNamed(kind); found != nullptr)
        for (const adapters::Setting& setting : found->settings) all.push_back(&setting);
    return all;
}

// A secret on the command line is seen by every user of the machine, and kept by the shell.
Result<void> checkSecret(const std::string& key) {
    const std::string lower = lowerAscii(key);
    const bool secret = lower.find("passw") != std::string::npos || lower.find("secret") != std::string::npos;
    if (!secret || lower.ends_with("_file")) return {};
    return fail(Errc::Invalid, "\"" + key +
                                   "\" is not taken here: write the secret into a file that only the "
                                   "service may read, and set password_file=FILE");
}

Result<std::vector<config::KeyChange>> changesFrom(const Edit& wanted, const std::string& kind) {
    std::vector<std::string> order;
    std::map<std::string, std::vector<std::string>> given;
    for (const std::string& word : wanted.words) {
        const auto equals = word.find('=');
        const std::string key = word.substr(0, equals);
        if (equals == std::string::npos || !config::validName(key))
            return fail(Errc::Invalid, "\"" + escapeLine(word, 100) + "\" is not of the form key=value");
        POSTERN_TRY(checkSecret(key));
        if (!given.contains(key)) order.push_back(key);
        given[key].push_back(word.substr(equals + 1));
    }
    std::vector<config::KeyChange> changes;
    for (const std::string& key : order) {
        adapters::SettingType type = adapters::SettingType::Text;
        for (const adapters::Setting* setting : settingsOf(kind))
            if (key == setting->key) type = setting->type;
        auto value = config::valueText(type, given[key]);
        if (!value.ok()) return value.error().within(key);
        changes.push_back({key, std::move(value).value()});
    }
    return changes;
}

// As it would be written.
std::string valueOf(const config::Node* node) {
    if (node == nullptr) return "";
    if (node->kind != config::Node::Kind::List) return node->text;
    std::string list;
    for (const config::Node& child : node->children) list += (list.empty() ? "" : ", ") + child.text;
    return "[" + list + "]";
}

Result<void> tellKey(Output& output, const Edit& wanted, const std::string& file, const std::string& key,
                     const std::string& before, const std::string& after, bool done) {
    return output.row(admin::Record()
                          .add("adapter", wanted.name)
                          .add("file", file)
                          .add("key", key)
                          .add("old", before)
                          .add("new", after)
                          .add("done", done));
}

// The difference between the two texts, key by key.
Result<void> tellDifference(Output& output, const Edit& wanted, const Place& place, const std::string& before,
                            const std::string& after, bool done) {
    const config::ParsedFile old = config::parseText(before, ""), fresh = config::parseText(after, "");
    const config::Node* was = tableOf(old.root, place, wanted.name);
    const config::Node* is = tableOf(fresh.root, place, wanted.name);
    std::set<std::string> keys;
    for (const config::Node* table : {was, is})
        if (table != nullptr)
            for (const config::Node& child : table->children) keys.insert(child.key);
    for (const std::string& key : keys) {
        const std::string one = was == nullptr ? "" : valueOf(config::childNamed(*was, key));
        const std::string other = is == nullptr ? "" : valueOf(config::childNamed(*is, key));
        if (one != other) POSTERN_TRY(tellKey(output, wanted, place.file, key, one, other, done));
    }
    return {};
}

// `text` nothing: the file goes. A new one is for the same readers as the main file: for the service.
Result<void> put(const Run& run, const std::string& file, const std::optional<std::string>& text) {
    if (!text) return removeFile(file);
    POSTERN_TRY(makeFolderLikeItsParent(parentPath(file)));
    return rewriteFile(file, *text, run.configPath);
}

// The file as it was, unless somebody has written another text since.
Result<void> takeBack(const Run& run, const std::string& file, const std::optional<std::string>& before,
                      const std::optional<std::string>& after) {
    const auto now = readFile(file, kFileLimit);
    const bool gone = !now.ok() && now.error().code == Errc::NotFound;
    if (!now.ok() && !gone) return now.error();
    if (gone ? after.has_value() : after != *now) return fail(Errc::Busy, "it was changed meanwhile");
    return put(run, file, before);
}

// The service keeps its old configuration, and so does the file: else the next start would fail on it.
int undo(const Run& run, const Reloading& reloading, const std::string& file,
         const std::optional<std::string>& before, const std::optional<std::string>& after) {
    const Result<void> undone = takeBack(run, file, before, after);
    const std::string why = "the service did not take it (" + reloading.text + "), ";
    if (undone.ok())
        run.complain(why + "so " + file + (before ? " is as it was" : " was taken away again"));
    else
        run.complain(why + "but " + file + " could not be taken back: " + undone.error().text +
                     "; mend it before the next start");
    return reloading.exit;
}

// `before`, `after` nothing: there is no file then.
Result<int> apply(const Run& run, const Edit& wanted, const Place& place,
                  const std::optional<std::string>& before, const std::optional<std::string>& after) {
    const config::Loaded loaded = config::load(run.configPath, {{place.file, after}});
    for (const config::Problem& problem : loaded.problems)
        run.complain(config::placeText(problem.place) + ": " + problem.text);
    if (!loaded.config) {
        run.complain("nothing was changed");
        return int{kExitConfig};
    }
    Output output(run.console, run.form());
    output.hide("adapter");
    output.hide("done");
    output.whenEmpty("Nothing to change.");
    std::vector<admin::Record> answers;
    Reloading reloading;
    if (!wanted.dryRun) {
        POSTERN_TRY(put(run, place.file, after));
        reloading = tellService(*loaded.config, [&](const admin::Record& record) -> Result<void> {
            answers.push_back(record);
            return {};
        });
    }
    POSTERN_TRY(tellDifference(output, wanted, place, before.value_or(""), after.value_or(""),
                               !wanted.dryRun && !reloading.refused));
    for (const admin::Record& record : answers) POSTERN_TRY(output.row(record));
    output.finish();
    if (reloading.refused) return undo(run, reloading, place.file, before, after);
    if (!reloading.text.empty()) run.complain("written, but the service did not take it: " + reloading.text);
    return int{reloading.exit};
}

Result<int> addAdapter(const Run& run, const Edit& wanted) {
    if (!config::validName(wanted.name))
        return fail(Errc::Invalid, "a name consists of letters, digits, - and _");
    if (const auto there = placeOf(run, wanted.name)) {
        run.complain("there is an adapter \"" + wanted.name + "\" already, in " + there->file);
        return int{kExitCantCreate};
    }
    POSTERN_LET(changes, changesFrom(wanted, wanted.kind));
    POSTERN_LET(kind, config::valueText(adapters::SettingType::Text, {wanted.kind}));
    std::string text = "kind = " + kind + "\n";
    for (const config::KeyChange& change : changes) text += change.key + " = " + *change.value + "\n";
    return apply(run, wanted, {ownFile(run, wanted.name), ""}, std::nullopt, text);
}

Result<int> editAdapter(const Run& run, const Edit& wanted, bool unset) {
    const auto place = placeOf(run, wanted.name);
    if (!place) return noAdapter(run, wanted.name);
    POSTERN_LET(before, readFile(place->file, kFileLimit));
    const config::ParsedFile parsed = config::parseText(before, place->file);
    const config::Node* table = tableOf(parsed.root, *place, wanted.name);
    if (table == nullptr) return fail(Errc::Invalid, place->file + " is no TOML now: mend it by hand");
    std::vector<config::KeyChange> changes;
    if (unset) {
        for (const std::string& key : wanted.words) changes.push_back({key, std::nullopt});
    } else {
        POSTERN_LET(given, changesFrom(wanted, valueOf(config::childNamed(*table, "kind"))));
        changes = std::move(given);
    }
    auto after = config::editKeys(before, place->table, changes);
    if (!after.ok()) return after.error().within(place->file);
    return apply(run, wanted, *place, before, *after);
}

// How many items wait for it; none where there is no store yet.
Result<std::int64_t> waitingItems(const Run& run, const std::string& name) {
    const auto config = config::load(run.configPath).config;
    if (!config) return std::int64_t{0};  // its problems are told when the change is tried
    const auto reader = openReader(*config);
    if (!reader.ok() && reader.error().code == Errc::Unavailable) return std::int64_t{0};
    if (!reader.ok()) return reader.error();
    POSTERN_LET(counts, queue::countItems((*reader)->session(), false));
    std::int64_t waiting = 0;
    for (const queue::StateCount& count : counts)
        if (count.adapter == name) waiting += count.count;
    return waiting;
}

Result<int> removeAdapter(const Run& run, const Edit& wanted) {
    const auto place = placeOf(run, wanted.name);
    if (!place) return noAdapter(run, wanted.name);
    POSTERN_LET(waiting, waitingItems(run, wanted.name));
    if (waiting > 0 && !wanted.force) {
        run.complain(std::to_string(waiting) + " items wait for \"" + wanted.name +
                     "\": move them first, or say --force and they wait until it is there again");
        return int{kExitData};
    }
    POSTERN_LET(before, readFile(place->file, kFileLimit));
    if (place->table.empty()) return apply(run, wanted, *place, before, std::nullopt);
    auto after = config::removeTable(before, place->table);
    if (!after.ok()) return after.error().within(place->file);
    return apply(run, wanted, *place, before, *after);
}

// Each setting with its value of now, and where it is written; defaults stand nowhere.
Result<int> showAdapter(const Run& run, const std::string& name) {
    const auto config = run.config();
    if (!config) return int{kExitConfig};
    const auto place = placeOf(run, name);
    const auto found = std::find_if(config->adapters.begin(), config->adapters.end(),
                                    [&](const config::Adapter& each) { return each.name == name; });
    if (!place || found == config->adapters.end()) return noAdapter(run, name);
    const config::ParsedFile written = config::parseFile(place->file);
    const config::Node* given = tableOf(written.root, *place, name);
    const config::ParsedFile effective = config::parseText(config::show(*found), "");
    const config::Node* adapters = config::childNamed(effective.root, "adapter");
    const config::Node* table = adapters == nullptr ? nullptr : config::childNamed(*adapters, name);
    if (table == nullptr) return fail(Errc::Internal, "an adapter shows as no table");
    Output output(run.console, run.form());
    output.hide("adapter");
    for (const adapters::Setting* setting : settingsOf(found->kind)) {
        const config::Node* own = given == nullptr ? nullptr : config::childNamed(*given, setting->key);
        POSTERN_TRY(output.row(admin::Record()
                                   .add("adapter", name)
                                   .add("setting", setting->key)
                                   .add("value", valueOf(config::childNamed(*table, setting->key)))
                                   .add("given", own != nullptr)
                                   .add("place", own == nullptr ? "" : config::placeText(own->place))));
    }
    return int{kExitDone};
}

std::shared_ptr<Edit> setupEdit(CLI::App& command) {
    const auto wanted = std::make_shared<Edit>();
    command.add_option("NAME", wanted->name, "The adapter")->required();
    command.add_flag("--dry-run", wanted->dryRun, "Say what would be changed, and change nothing");
    return wanted;
}

constexpr const char* kFooter =
    "Checked with the whole configuration before it is written; a running service reads it at once. A list\n"
    "is given by naming its key for each value. Secrets stand in files: password_file=FILE.";

}  // namespace

Carry setupAdapterShow(CLI::App& command, Run& run) {
    const auto name = std::make_shared<std::string>();
    command.add_option("NAME", *name, "The adapter")->required();
    return [&run, name] { return run.end(showAdapter(run, *name)); };
}

Carry setupAdapterAdd(CLI::App& command, Run& run) {
    const auto wanted = setupEdit(command);
    command.add_option("KIND", wanted->kind, "What it writes: see adapter kinds")->required();
    command.add_option("SETTING", wanted->words, "key=value ...");
    command.footer(kFooter);
    return [&run, wanted] { return run.end(addAdapter(run, *wanted)); };
}

Carry setupAdapterSet(CLI::App& command, Run& run) {
    const auto wanted = setupEdit(command);
    command.add_option("SETTING", wanted->words, "key=value ...")->required();
    command.footer(kFooter);
    return [&run, wanted] { return run.end(editAdapter(run, *wanted, false)); };
}

Carry setupAdapterUnset(CLI::App& command, Run& run) {
    const auto wanted = setupEdit(command);
    command.add_option("KEY", wanted->words, "Keys that get their defaults again")->required();
    command.footer(kFooter);
    return [&run, wanted] { return run.end(editAdapter(run, *wanted, true)); };
}

Carry setupAdapterRemove(CLI::App& command, Run& run) {
    const auto wanted = setupEdit(command);
    command.add_flag("--force", wanted->force, "Also when mail waits for it");
    return [&run, wanted] { return run.end(removeAdapter(run, *wanted)); };
}

}  // namespace postern::cli
