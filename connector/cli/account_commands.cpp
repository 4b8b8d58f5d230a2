// postern account add, list, remove, passwd. The password is turned into a verifier here: neither the control
// socket nor the store sees it.

#include <istream>

#include <CLI/CLI.hpp>

#include "base/file.h"
#include "connector/accounts/accounts.h"
#include "connector/accounts/saslprep.h"
#include "connector/admin/control.h"
#include "connector/cli/backend.h"
#include "connector/cli/verbs.h"

namespace postern::cli {

namespace {

constexpr std::size_t kPasswordFile = 4096;  // bytes at most

struct Change {
    const char* change = "";
    std::string name;
    std::vector<std::string> roles;
    std::string passwordFile;
};

std::string firstLine(std::string text) {
    text.erase(std::min(text.find('\n'), text.size()));
    if (text.ends_with('\r')) text.pop_back();
    return text;
}

Result<std::string> askTwice(const Run& run, const std::string& name) {
    POSTERN_LET(once, run.console.askSecret("Password for " + name + ": "));
    POSTERN_TRY(accounts::preparePassword(once));
    POSTERN_LET(again, run.console.askSecret("The same again: "));
    if (once != again) return fail(Errc::Invalid, "the two passwords differ; nothing was changed");
    return once;
}

Result<std::string> password(const Run& run, const Change& wanted) {
    if (!wanted.passwordFile.empty()) {
        POSTERN_LET(text, readFile(wanted.passwordFile, kPasswordFile));
        return firstLine(std::move(text));
    }
    if (run.console.askSecret) return askTwice(run, wanted.name);
    std::string line;
    std::getline(run.console.in, line);
    if (line.empty())
        return fail(Errc::Invalid, "no password: give it as one line of standard input, or --password-file");
    return firstLine(std::move(line));
}

Result<int> change(const Run& run, const Change& wanted) {
    const auto config = run.config();
    if (!config) return int{kExitConfig};
    admin::Request request;
    request.verb = "account";
    request.who = userName();
    POSTERN_LET(name, accounts::prepareName(wanted.name));  // before anybody is asked
    request.fields = {{"change", wanted.change}, {"name", name}};
    if (wanted.change == std::string_view("add")) {
        std::string words = wanted.roles.empty() ? "send" : "";
        for (const std::string& role : wanted.roles) words += role + " ";
        POSTERN_LET(roles, accounts::parseRoles(words));
        request.fields["roles"] = accounts::rolesText(roles);
    }
    if (wanted.change != std::string_view("remove")) {
        POSTERN_LET(secret, password(run, wanted));
        POSTERN_LET(verifier, accounts::makeVerifier(secret));
        request.fields["verifier"] = accounts::verifierText(verifier);
    }
    POSTERN_LET(backend, Backend::open(*config, run.console.clock));
    Output output(run.console, run.form());
    admin::NoBytes none;
    const auto done = backend->call(request, none, output.sink());
    if (done.ok()) return int{kExitDone};
    if (done.error().code != Errc::Exists) return done.error();
    run.complain(done.error().text);
    return int{kExitData};
}

Result<int> list(const Run& run) {
    const auto config = run.config();
    if (!config) return int{kExitConfig};
    POSTERN_LET(reader, openReader(*config));
    POSTERN_LET(all, accounts::listAccounts(reader->session()));
    Output output(run.console, run.form());
    output.whenEmpty("There is no account; add one with: postern account add NAME");
    for (const accounts::Account& account : all) {
        POSTERN_TRY(output.row(admin::Record()
                                   .add("account", account.name)
                                   .add("roles", accounts::rolesText(account.roles))
                                   .add("changed", account.changed)
                                   .add("iterations", account.verifier.iterations)));
    }
    return int{kExitDone};
}

std::shared_ptr<Change> setupChange(CLI::App& command, const char* change) {
    const auto wanted = std::make_shared<Change>();
    wanted->change = change;
    command.add_option("NAME", wanted->name, "The name to log on with")->required();
    return wanted;
}

void setupPassword(CLI::App& command, Change& wanted) {
    command.add_option("--password-file", wanted.passwordFile, "Take the first line of this file")
        ->option_text("FILE");
    command.footer(
        "The password is asked for at the terminal, twice; where standard input is none, it is its first\n"
        "line. It is not taken from the command line, which other users can see. Only a SCRAM-SHA-256\n"
        "verifier is stored.");
}

}  // namespace

Carry setupAccountAdd(CLI::App& command, Run& run) {
    const auto wanted = setupChange(command, "add");
    command
        .add_option("--role", wanted->roles,
                    "What it may: send (default), viewer, operator, admin; may be repeated")
        ->option_text("ROLE");
    setupPassword(command, *wanted);
    return [&run, wanted] { return run.end(change(run, *wanted)); };
}

Carry setupAccountPasswd(CLI::App& command, Run& run) {
    const auto wanted = setupChange(command, "passwd");
    setupPassword(command, *wanted);
    return [&run, wanted] { return run.end(change(run, *wanted)); };
}

Carry setupAccountRemove(CLI::App& command, Run& run) {
    const auto wanted = setupChange(command, "remove");
    return [&run, wanted] { return run.end(change(run, *wanted)); };
}

Carry setupAccountList(CLI::App&, Run& run) {
    return [&run] { return run.end(list(run)); };
}

}  // namespace postern::cli
