// postern man: the manual pages, as the build and a person ask for them.

#include <fstream>
#include <ostream>

#include <CLI/CLI.hpp>

#include "base/file.h"
#include "base/library_error.h"
#include "base/text.h"
#include "connector/cli/grammar.h"
#include "connector/cli/sendmail_arguments.h"
#include "connector/config/keys.h"
#include "connector/config/load.h"
#include "connector/manual/pages.h"

namespace postern::cli {

namespace {

struct Wanted {
    std::string page, folder;
};

manual::Option sendmailFacts(const SendmailOption& option) {
    manual::Option facts;
    const std::string form = option.form;
    const auto blank = form.find(", ") == std::string::npos ? form.find(' ') : std::string::npos;
    facts.name = form.substr(0, blank);
    facts.value = blank == std::string::npos ? "" : form.substr(blank + 1);
    facts.help = option.help;
    return facts;
}

manual::Programs programs(const Run& run) {
    Run other{run.console, run.configPath};
    manual::Programs all;
    all.postern = Grammar(other).facts();
#define POSTERN_EXIT_FACT(name, number, meaning) all.exits.emplace_back(number, meaning);
    POSTERN_EXITS(POSTERN_EXIT_FACT)
#undef POSTERN_EXIT_FACT
    for (const SendmailOption& option : sendmailOptions())
        all.sendmail.options.push_back(sendmailFacts(option));
    all.sendmail.footer = kSendmailOthers;
    for (const SendmailExit& exit : kSendmailExits) all.sendmailExits.emplace_back(exit.status, exit.meaning);
    return all;
}

// They can be made again at any time: nothing is synced.
Result<void> writePage(const std::string& path, const std::string& text) {
    std::ofstream out(libraryPath(path), std::ios::binary | std::ios::trunc);
    out << text;
    out.close();
    return out ? Result<void>() : fail(Errc::Io, path + " can not be written");
}

Result<void> writeAll(const Run& run, const std::string& folder) {
    const manual::Programs all = programs(run);
    for (const manual::Page& page : manual::pages()) {
        const std::string section = std::to_string(page.section);
        const std::string inside = joinPath(folder, "man" + section);
        POSTERN_TRY(makeFolders(inside, 0755));
        POSTERN_TRY(writePage(joinPath(inside, page.name + "." + section), manual::pageText(page, all)));
    }
    return {};
}

Result<void> listPages(const Run& run) {
    Output output(run.console, run.form());
    for (const manual::Page& page : manual::pages())
        POSTERN_TRY(output.row(admin::Record()
                                   .add("page", page.name)
                                   .add("section", page.section)
                                   .add("summary", page.summary)));
    return {};
}

Result<int> man(const Run& run, const Wanted& wanted) {
    config::load(
        run.configPath);  // brings the kinds of its adapter_folder; what is wrong with it is not asked
    if (!wanted.folder.empty()) {
        POSTERN_TRY(writeAll(run, wanted.folder));
        return int{kExitDone};
    }
    if (wanted.page.empty()) {
        POSTERN_TRY(listPages(run));
        return int{kExitDone};
    }
    if (const auto page = manual::pageNamed(wanted.page)) {
        run.console.out << manual::pageText(*page, programs(run));
        return int{kExitDone};
    }
    const std::vector<manual::Page> all = manual::pages();
    std::vector<std::string_view> names;
    for (const manual::Page& page : all) names.emplace_back(page.name);
    return fail(Errc::NotFound, "there is no page \"" + escapeLine(wanted.page, 100) + "\"" +
                                    config::didYouMean(wanted.page, names));
}

}  // namespace

Carry setupMan(CLI::App& command, Run& run) {
    const auto wanted = std::make_shared<Wanted>();
    CLI::Option* page =
        command.add_option("PAGE", wanted->page, "A page: postern.toml, or a kind of adapter");
    command
        .add_option("--all", wanted->folder, "Write all pages into folders man1, man5 and man8 of this one")
        ->option_text("FOLDER")
        ->excludes(page);
    command.footer("Prints mdoc(7), for: postern man PAGE | man -l -. Without PAGE: which pages there are.");
    return [&run, wanted] { return run.end(man(run, *wanted)); };
}

}  // namespace postern::cli
