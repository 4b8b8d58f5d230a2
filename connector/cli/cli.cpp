#include "connector/cli/cli.h"

#include <algorithm>
#include <map>
#include <optional>
#include <ostream>

#include <CLI/CLI.hpp>

#include "base/log.h"
#include "connector/cli/verbs.h"
#include "connector/config/keys.h"
#include "connector/config/load.h"
#include "connector/version.h"

namespace postern::cli {

namespace {

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

// Builds the whole grammar from the list of verbs.
class Grammar {
  public:
    explicit Grammar(Run& run)
        : app_("Operates Postern, the gateway from Internet mail to legacy mail systems.", "postern") {
        app_.fallthrough();  // --json and --config are taken in any place
        app_.require_subcommand(1);
        app_.set_version_flag("--version", std::string("postern ") + kVersion);
        app_.add_option("--config", run.configPath, "The configuration file")
            ->option_text("FILE")
            ->take_last();
        app_.add_flag("--json", run.json, "Print one JSON object a line");
        app_.footer("Exit statuses and forms of output: postern --help");  // for every command below
        for (const VerbGroup& group : verbGroups()) groupNamed(group);
        for (const Verb& verb : verbs()) {
            CLI::App* parent = verb.group[0] == '\0' ? &app_ : groups_[verb.group];
            CLI::App* command = parent->add_subcommand(verb.name, verb.summary);
            carries_[command] = verb.setup(*command, run);
        }
        app_.footer(exitList());
    }

    CLI::App& app() { return app_; }

    // What the command line asked for. REQUIRES: it was parsed.
    const Carry* chosen() const {
        for (const auto& [command, carry] : carries_)
            if (command->parsed()) return &carry;
        return nullptr;
    }

  private:
    void groupNamed(const VerbGroup& group) {
        CLI::App* command = app_.add_subcommand(group.name, group.summary);
        command->require_subcommand(1);
        groups_[group.name] = command;
    }
    CLI::App app_;
    std::map<std::string, CLI::App*> groups_;
    std::map<CLI::App*, Carry> carries_;
};

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

int parseAndCarry(const std::vector<std::string>& arguments, Run& run) {
    Grammar grammar(run);
    try {
        grammar.app().parse(std::vector<std::string>(arguments.rbegin(), arguments.rend()));
    } catch (const CLI::ParseError& error) {
        if (error.get_exit_code() == 0) return grammar.app().exit(error, run.console.out, run.console.err);
        run.complain(strangeWord(grammar.app(), arguments).value_or(error.what()) + " (see postern --help)");
        return kExitUsage;
    }
    const Carry* carry = grammar.chosen();
    return carry != nullptr ? (*carry)() : kExitUsage;
}

}  // namespace

int runCli(const std::vector<std::string>& arguments, Console& console) {
    Run run{console, config::defaultPath()};
    setLogLevel(Severity::Error);  // what the rooms below log is for services; the user gets answers
    try {
        return parseAndCarry(arguments, run);
    } catch (const std::exception& error) {
        run.complain(std::string("unexpected fault: ") + error.what());
        return kExitSoftware;
    }
}

}  // namespace postern::cli
