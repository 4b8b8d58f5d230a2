// postern adapter kinds, list, test.

#include <CLI/CLI.hpp>

#include "adapters/registry.h"
#include "base/file.h"
#include "base/owners_rights.h"
#include "connector/admin/waits.h"
#include "connector/cli/backend.h"
#include "connector/cli/folder_look.h"
#include "connector/cli/look.h"
#include "connector/cli/verbs.h"
#include "connector/config/load.h"
#include "connector/config/unknown.h"
#include "connector/config/words.h"
#include "queue/operate.h"

namespace postern::cli {

namespace {

const char* typeName(adapters::SettingType type) {
    using adapters::SettingType;
    switch (type) {
        case SettingType::Text: return "text";
        case SettingType::Path: return "path";
        case SettingType::Boolean: return "boolean";
        case SettingType::Integer: return "integer";
        case SettingType::Size: return "size";
        case SettingType::Duration: return "duration";
        case SettingType::List: return "list";
        case SettingType::Choice: break;
    }
    return "choice";
}

std::string choicesOf(const adapters::Setting& setting) {
    std::string all;
    for (const char* choice : setting.choices) all += (all.empty() ? "" : ",") + std::string(choice);
    return all;
}

Result<int> kinds(const Run& run) {
    config::load(
        run.configPath);  // brings the kinds of its adapter_folder; what is wrong with it is not asked
    Output output(run.console, run.form());
    if (run.form() == Form::Table) output.hide("kind");
    for (const adapters::Kind* each : adapters::kinds()) {
        const adapters::Kind& kind = *each;
        output.heading(std::string(kind.name) + ": " + kind.summary);
        for (const adapters::Setting& setting : kind.settings) {
            const bool required = setting.fallback == nullptr;
            POSTERN_TRY(
                output.row(admin::Record()
                               .add("kind", kind.name)
                               .add("setting", setting.key)
                               .add("value", typeName(setting.type))
                               .add("required", required)
                               .add("default", required ? admin::Value() : admin::Value(setting.fallback))
                               .add("choices", choicesOf(setting))
                               .add("help", setting.help)));
        }
    }
    return int{kExitDone};
}

// As the service found it when it opened it, where that was this folder or host; the adapters made here have
// opened nothing.
std::string deliversTo(const adapters::Adapter& made, const std::vector<queue::AdapterState>& states,
                       const std::string& name) {
    const std::string text = made.describe();
    for (const queue::AdapterState& state : states) {
        if (state.adapter != name) continue;
        if (state.suspended) return text;  // "waits" says the rest
        if (state.reason.starts_with(text)) return state.reason;
    }
    return text + "; the service has not opened it";
}

Result<int> listAdapters(const Run& run) {
    const auto config = run.config();
    if (!config) return int{kExitConfig};
    POSTERN_LET(made, makeLookAdapters(*config));
    const auto reader = openReader(*config);  // before the first start there is none
    admin::Waits waits;
    std::vector<queue::AdapterState> states;
    if (reader.ok()) {
        POSTERN_LET(stored, queue::readAdapterStates((*reader)->session()));
        states = std::move(stored);
        POSTERN_LET(found, admin::Waits::read((*reader)->session(), *config, run.console.clock.now()));
        waits = std::move(found);
    }
    Output output(run.console, run.form());
    output.whenEmpty("No adapter is configured.");
    for (const char* name : {"waits_until", "suspended_by", "suspended_since", "suspended_until"})
        output.hide(name);
    for (const config::Adapter& each : config->adapters) {
        std::int64_t routes = 0;
        for (const config::Route& route : config->routes)
            if (route.adapter == each.name && route.use != config::RouteUse::Replies) ++routes;
        const admin::Wait wait = reader.ok() ? waits.ofAdapter(each.name) : admin::Wait{};
        const queue::AdapterHold* hold = waits.holdOf(each.name);
        POSTERN_TRY(output.row(
            admin::Record()
                .add("adapter", each.name)
                .add("kind", each.kind)
                .add("watchers", each.watchers)
                .add("batch", each.batch)
                .add("on_doubt", config::wordOf(each.onDoubt))
                .add("routes", routes)
                .add("delivers", deliversTo(*made[each.name], states, each.name))
                .add("place", config::placeText(each.place))
                .add("waits", wait.text)
                .add("waits_until", wait.until)
                .add("suspended_by", hold != nullptr ? hold->who : "")
                .add("suspended_since", hold != nullptr ? std::optional(hold->since) : std::nullopt)
                .add("suspended_until", hold != nullptr ? hold->until : std::nullopt)));
    }
    return int{kExitDone};
}

// Nothing is opened, so that nothing is made that would be of another user than the service's.
Result<int> testBeforeTheFirstStart(const Run& run, const config::Config& config, const std::string& name) {
    if (!name.empty() && config::adapterNamed(config, name) == nullptr)
        return config::noAdapter(config, name);
    POSTERN_LET(made, makeLookAdapters(config));
    Output output(run.console, run.form());
    const FolderLook look(config);
    bool allUsable = true;
    for (const config::Adapter& each : config.adapters) {
        if (!name.empty() && each.name != name) continue;
        const std::string found = look.at(each);
        allUsable = allUsable && found.empty();
        POSTERN_TRY(output.row(admin::Record()
                                   .add("adapter", each.name)
                                   .add("ok", found.empty())
                                   .add("text", found.empty() ? made[each.name]->describe() : found)));
    }
    output.finish();
    run.complain(
        "the service was not started yet: only looked whether the folders can work; the start opens "
        "them and asks hosts and programs");
    return int{allUsable ? kExitDone : kExitUnavailable};
}

Result<int> testAdapters(const Run& run, const std::string& name) {
    const auto config = run.config();
    if (!config) return int{kExitConfig};
    auto opened = Backend::open(*config, run.console.clock);
    const bool sees = !opened.ok() && (opened.error().code == Errc::Unavailable || isAdministrator());
    // It is there from the first start on.
    if (sees && !pathExists(joinPath(config->store, "store.id")))
        return testBeforeTheFirstStart(run, *config, name);
    POSTERN_LET(backend, std::move(opened));
    admin::Request request;
    request.verb = "adapter.test";
    request.who = userName();
    request.fields["name"] = name;
    Output output(run.console, run.form());
    bool allUsable = true;
    admin::NoBytes none;
    POSTERN_TRY(backend->call(request, none, [&](const admin::Record& record) {
        const admin::Value* usable = record.find("ok");
        allUsable = allUsable && usable != nullptr && usable->number != 0;
        return output.row(record);
    }));
    return int{allUsable ? kExitDone : kExitUnavailable};
}

}  // namespace

Carry setupAdapterKinds(CLI::App&, Run& run) {
    return [&run] { return run.end(kinds(run)); };
}

Carry setupAdapterList(CLI::App&, Run& run) {
    return [&run] { return run.end(listAdapters(run)); };
}

Carry setupAdapterTest(CLI::App& command, Run& run) {
    const auto name = std::make_shared<std::string>();
    command.add_option("NAME", *name, "The adapter; default: all");
    return [&run, name] { return run.end(testAdapters(run, *name)); };
}

}  // namespace postern::cli
