#include "connector/cli/grammar.h"

#include <algorithm>
#include <map>
#include <ostream>

#include <CLI/CLI.hpp>

#include "connector/config/keys.h"
#include "connector/version.h"

namespace postern::cli {

namespace {

constexpr const char* kMore = "Exit statuses and forms of output: postern --help";

std::string exitList() {
    std::string text = "Exit status:\n";
#define POSTERN_EXIT_LINE(name, number, meaning) \
    text += "  " + std::string(number < 10 ? " " : "") + std::to_string(number) + "  " + meaning + "\n";
    POSTERN_EXITS(POSTERN_EXIT_LINE)
#undef POSTERN_EXIT_LINE
    return text +
           "\nOutput: a table on a terminal; tab-separated in a pipe, without a header, the columns in the\n"
           "order of the names in --json; sizes in bytes and times in UTC there.\n";
}

// A word where a command's name is wanted, and is none; the parser itself says only that one is missing.
std::optional<std::string> strangeWord(const CLI::App& app, const std::vector<std::string>& arguments) {
    const CLI::App* at = &app;
    for (std::size_t i = 0; i < arguments.size(); ++i) {
        const std::string& word = arguments[i];
        if (word == "--config") ++i;
        if (word.starts_with("-")) continue;
        // Groups of options are commands without a name to the parser.
        const auto commands =
            at->get_subcommands([](const CLI::App* each) { return !each->get_name().empty(); });
        if (commands.empty()) return std::nullopt;
        std::vector<std::string> names;
        for (const CLI::App* command : commands) names.push_back(command->get_name());
        const auto found = std::find(names.begin(), names.end(), word);
        if (found == names.end())
            return "there is no command \"" + word + "\"" +
                   config::didYouMean(word, std::vector<std::string_view>(names.begin(), names.end()));
        at = commands[static_cast<std::size_t>(found - names.begin())];
    }
    return std::nullopt;
}

manual::Option optionFacts(const CLI::Option& option) {
    manual::Option facts;
    facts.argument = option.get_positional();
    facts.name = facts.argument ? option.get_name(true) : "--" + option.get_lnames().front();
    facts.help = option.get_description();
    facts.required = option.get_required();
    facts.repeats = option.get_items_expected_max() > 1;
    facts.group = facts.argument ? "Arguments" : option.get_group();
    if (!facts.argument && option.get_items_expected_max() > 0) {
        const std::string text =
            option.get_option_text().empty() ? option.get_type_name() : option.get_option_text();
        facts.value = text.substr(0, text.find(" ..."));
    }
    return facts;
}

std::string inOneLine(std::string text) {
    std::replace(text.begin(), text.end(), '\n', ' ');
    return text;
}

manual::Command commandFacts(const CLI::App& app) {
    manual::Command facts{app.get_name(), app.get_description(), {}, {}, {}};
    if (app.get_footer() != kMore) facts.footer = inOneLine(app.get_footer());
    const auto addOptions = [&](const CLI::App& of, const std::string& group) {
        for (const CLI::Option* option : of.get_options()) {
            facts.options.push_back(optionFacts(*option));
            if (!group.empty()) facts.options.back().group = group;
        }
    };
    addOptions(app, "");
    for (const CLI::App* each : app.get_subcommands([](const CLI::App*) { return true; })) {
        if (each->get_name().empty()) {
            addOptions(*each, each->get_group());
        } else if (!each->get_group().empty()) {
            facts.commands.push_back(commandFacts(*each));
        }
    }
    return facts;
}

}  // namespace

struct Grammar::Impl {
    explicit Impl(Run& of) : run(of) {}
    Run& run;
    CLI::App app{"Operates Postern, the gateway from Internet mail to legacy mail systems.", "postern"};
    std::map<std::string, CLI::App*> groups;
    std::map<CLI::App*, Carry> carries;
};

Grammar::Grammar(Run& run) : impl_(std::make_unique<Impl>(run)) {
    CLI::App& app = impl_->app;
    app.fallthrough();  // --json and --config are taken in any place
    app.require_subcommand(1);
    app.allow_windows_style_options(false);  // "/folder/file" is a path on every system
    app.set_version_flag("--version", std::string("postern ") + kVersion);
    app.add_option("--config", run.configPath, "The configuration file")->option_text("FILE")->take_last();
    app.add_flag("--json", run.json, "Print one JSON object a line");
    app.footer(kMore);  // for every command below
    for (const VerbGroup& group : verbGroups()) {
        CLI::App* command = app.add_subcommand(group.name, group.summary);
        command->require_subcommand(1);
        impl_->groups[group.name] = command;
    }
    for (const Verb& verb : verbs()) {
        CLI::App* parent = verb.group[0] == '\0' ? &app : impl_->groups[verb.group];
        CLI::App* command = parent->add_subcommand(verb.name, verb.summary);
        if (verb.forPrograms) command->group("");
        impl_->carries[command] = verb.setup(*command, run);
    }
    app.footer(exitList());
}

Grammar::~Grammar() = default;

std::optional<int> Grammar::parse(const std::vector<std::string>& arguments) {
    const Run& run = impl_->run;
    try {
        impl_->app.parse(std::vector<std::string>(arguments.rbegin(), arguments.rend()));
    } catch (const CLI::ParseError& error) {
        if (error.get_exit_code() == 0) return impl_->app.exit(error, run.console.out, run.console.err);
        run.complain(strangeWord(impl_->app, arguments).value_or(error.what()) + " (see postern --help)");
        return kExitUsage;
    }
    return std::nullopt;
}

const Carry& Grammar::chosen() const {
    static const Carry kNone = [] { return int{kExitUsage}; };
    for (const auto& [command, carry] : impl_->carries)
        if (command->parsed()) return carry;
    return kNone;  // not reached: one is required
}

manual::Command Grammar::facts() const {
    manual::Command facts = commandFacts(impl_->app);
    facts.name = "postern";
    facts.footer.clear();  // the exit statuses, which have a list of their own
    return facts;
}

}  // namespace postern::cli
