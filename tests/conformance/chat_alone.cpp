// The chat's server alone, on a port of the loopback and with a store that goes away with it, for suites that
// speak IRC from outside (CONTRIBUTING.md). Everybody gets in without an account and makes channels, and
// nothing slows a client down.
//
//     chat_alone [--name SERVER] [--password WORD] [--port PORT]
//
// Says "listening PORT". Then it answers "account NAME PASSWORD ROLES" with "added NAME", or with
// "refused" and why. It ends when its input does.

#include <cstdio>
#include <iostream>
#include <string>

#include "base/log.h"
#include "base/service_manager.h"
#include "base/text.h"
#include "connector/chat/server.h"
#include "store/messages.h"
#include "store/store.h"
#include "tests/temp_folder.h"

namespace postern {
namespace {

struct Wishes {
    chat::Settings settings{};
    int port = 0;
};

Result<Wishes> readWords(int count, char** words) {
    Wishes wishes;
    wishes.settings.serverName = "chat.alone";
    wishes.settings.accountNeeded = false;
    wishes.settings.anyoneCreates = true;
    wishes.settings.limits.burst = 0;
    for (int i = 1; i + 1 < count; i += 2) {
        const std::string name = words[i], value = words[i + 1];
        const auto port = parseInt(value);
        if (name == "--name") {
            wishes.settings.serverName = value;
        } else if (name == "--password") {
            wishes.settings.password = value;
        } else if (name == "--port" && port && *port >= 0 && *port <= 65535) {
            wishes.port = static_cast<int>(*port);
        } else {
            return fail(Errc::Invalid, "not understood: " + name + " " + value);
        }
    }
    if (count % 2 == 0) return fail(Errc::Invalid, std::string(words[count - 1]) + " wants a value");
    return wishes;
}

Result<std::string> addAccount(store::Store& store, const std::string& line) {
    const auto words = split(line, ' ');
    if (words.size() != 4 || words[0] != "account") return fail(Errc::Invalid, "account NAME PASSWORD ROLES");
    POSTERN_LET(verifier, accounts::makeVerifier(words[2]));
    POSTERN_LET(roles, accounts::parseRoles(words[3]));
    accounts::Account account;
    account.name = words[1];
    account.verifier = verifier;
    account.roles = roles;
    account.changed = Clock::system().now();
    POSTERN_TRY(
        store.write([&](store::WriteSession& session) { return accounts::addAccount(session, account); }));
    return account.name;
}

void say(const std::string& line) {
    std::cout << line << std::endl;  // whoever asked waits for it
}

Result<void> serve(const Wishes& wishes) {
    const tests::TempFolder folder;
    store::StoreOptions options;
    options.folder = folder / "store";
    options.migrations = store::messageMigrations();
    POSTERN_LET(store, store::Store::open(std::move(options)));
    POSTERN_LET(directory, accounts::Directory::open(*store));
    chat::ChatServer server(wishes.settings, directory, Clock::system());
    chat::Place place;
    place.name = "alone";
    place.at.host = "127.0.0.1";
    place.at.port = wishes.port;
    POSTERN_TRY(server.start({place}));
    say("listening " + std::to_string(server.ports().front()));
    for (std::string line; std::getline(std::cin, line);) {
        if (line.ends_with('\r')) line.pop_back();
        const auto added = addAccount(*store, line);
        say(added.ok() ? "added " + *added : "refused " + added.error().text);
    }
    server.stop();
    return {};
}

}  // namespace
}  // namespace postern

int main(int count, char** words) {
    using namespace postern;
    ignoreBrokenPipes();
    setLogLevel(Severity::Warning);
    const auto wishes = readWords(count, words);
    const auto served = wishes.ok() ? serve(*wishes) : wishes.error();
    if (served.ok()) return 0;
    std::fprintf(stderr, "chat_alone: %s\n", served.error().text.c_str());
    return 1;
}
