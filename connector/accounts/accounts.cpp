#include "connector/accounts/accounts.h"

#include <algorithm>

#include "base/digest.h"
#include "base/text.h"
#include "connector/accounts/saslprep.h"

namespace postern::accounts {

namespace {

struct RoleWord {
    const char* word;
    bool Roles::*member;
};
constexpr RoleWord kRoles[] = {
    {"send", &Roles::send},
    {"viewer", &Roles::viewer},
    {"operator", &Roles::operates},
    {"admin", &Roles::admin},
};

constexpr char kSecretKey[] = "account_secret";
constexpr std::string_view kService = "postern";  // who the history says did it, when nobody asked
constexpr std::string_view kScheme = "SCRAM-SHA-256$";

// One for all that a client may hear: which of both is wrong is nobody's business.
Error wrong() {
    return fail(Errc::Denied, "name or password is wrong");
}

Error unknown(std::string_view name) {
    return fail(Errc::NotFound, "there is no account \"" + escapeLine(name, 300) + "\"");
}

Account accountOf(const store::Statement& row) {
    Account account;
    account.name = row.text(0);
    account.verifier = {row.integer(1), std::string(row.text(2)), std::string(row.text(3)),
                        std::string(row.text(4))};
    if (const auto roles = parseRoles(row.text(5)); roles.ok()) account.roles = *roles;
    account.changed = fromMillis(row.integer(6));
    return account;
}

Result<std::string> readSecret(store::Session& session) {
    auto row = session.query("SELECT value FROM store WHERE key = ?1", kSecretKey);
    std::string text = row.next() ? std::string(row.text(0)) : std::string();
    POSTERN_TRY(row.finish());
    return text;
}

}  // namespace

Result<Roles> parseRoles(std::string_view words) {
    Roles roles;
    std::string spaced(words);
    std::replace(spaced.begin(), spaced.end(), ',', ' ');
    for (const std::string_view word : split(spaced, ' ')) {
        if (word.empty()) continue;
        const auto* found = std::find_if(std::begin(kRoles), std::end(kRoles),
                                         [&](const RoleWord& each) { return word == each.word; });
        if (found == std::end(kRoles))
            return fail(Errc::Invalid, "there is no role \"" + escapeLine(word, 60) +
                                           "\": use send, viewer, operator or admin");
        roles.*(found->member) = true;
    }
    if (roles == Roles{}) return fail(Errc::Invalid, "name a role: send, viewer, operator or admin");
    return roles;
}

std::string rolesText(const Roles& roles) {
    std::string text;
    for (const RoleWord& each : kRoles)
        if (roles.*(each.member)) text += (text.empty() ? "" : " ") + std::string(each.word);
    return text;
}

namespace {

// A name that could be taken for another's: in the history, in the chat, in the name of a mail's folder.
Result<void> checkNewName(store::WriteSession& session, const std::string& name) {
    if (equalsIgnoreCase(name, kService))
        return fail(Errc::Invalid, "\"" + name + "\" is what the service calls itself: take another name");
    if (name.starts_with('#'))
        return fail(Errc::Invalid, "a name that begins with # is a channel's of the chat: leave it out");
    auto row = session.query("SELECT name FROM account WHERE name = ?1 COLLATE NOCASE AND name <> ?1", name);
    const std::string alike(row.next() ? row.text(0) : std::string_view());
    POSTERN_TRY(row.finish());
    if (alike.empty()) return {};
    return fail(Errc::Exists, "there is an account \"" + escapeLine(alike, 300) +
                                  "\" already, which differs by capital letters alone");
}

}  // namespace

Result<void> addAccount(store::WriteSession& session, const Account& account) {
    POSTERN_LET(name, prepareName(account.name));
    POSTERN_TRY(checkNewName(session, name));
    const Verifier& verifier = account.verifier;
    POSTERN_LET(
        added,
        session.run("INSERT INTO account (name, iterations, salt, stored_key, server_key, roles, "
                    "changed_ms) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT DO NOTHING",
                    name, verifier.iterations, store::Blob{verifier.salt}, store::Blob{verifier.storedKey},
                    store::Blob{verifier.serverKey}, rolesText(account.roles), toMillis(account.changed)));
    if (added == 0) {
        return fail(Errc::Exists, "there is an account \"" + escapeLine(name, 300) +
                                      "\" already; passwd gives it another password");
    }
    return {};
}

Result<void> changeVerifier(store::WriteSession& session, std::string_view name, const Verifier& verifier,
                            WallTime now) {
    POSTERN_LET(prepared, prepareName(name));
    POSTERN_LET(changed,
                session.run("UPDATE account SET iterations = ?2, salt = ?3, stored_key = ?4, "
                            "server_key = ?5, changed_ms = ?6 WHERE name = ?1",
                            prepared, verifier.iterations, store::Blob{verifier.salt},
                            store::Blob{verifier.storedKey}, store::Blob{verifier.serverKey}, toMillis(now)));
    if (changed == 0) return unknown(prepared);
    return {};
}

Result<void> removeAccount(store::WriteSession& session, std::string_view name) {
    POSTERN_LET(prepared, prepareName(name));
    POSTERN_LET(removed, session.run("DELETE FROM account WHERE name = ?1", prepared));
    if (removed == 0) return unknown(prepared);
    return {};
}

Result<Account> findAccount(store::ReadSession& session, std::string_view name) {
    POSTERN_LET(prepared, prepareName(name));
    auto row = session.query(
        "SELECT name, iterations, salt, stored_key, server_key, roles, changed_ms "
        "FROM account WHERE name = ?1",
        prepared);
    const bool found = row.next();
    Account account = found ? accountOf(row) : Account{};
    POSTERN_TRY(row.finish());
    if (!found) return unknown(prepared);
    return account;
}

Result<std::vector<Account>> listAccounts(store::ReadSession& session) {
    std::vector<Account> accounts;
    auto row = session.query(
        "SELECT name, iterations, salt, stored_key, server_key, roles, changed_ms FROM account ORDER BY "
        "name");
    while (row.next()) accounts.push_back(accountOf(row));
    POSTERN_TRY(row.finish());
    return accounts;
}

std::string verifierText(const Verifier& verifier) {
    return std::string(kScheme) + std::to_string(verifier.iterations) + ":" + base64Encode(verifier.salt) +
           "$" + base64Encode(verifier.storedKey) + ":" + base64Encode(verifier.serverKey);
}

Result<Verifier> parseVerifier(std::string_view text) {
    const Error refused = fail(Errc::Invalid, "this is no SCRAM-SHA-256 verifier");
    if (!text.starts_with(kScheme)) return refused;
    const auto halves = split(text.substr(kScheme.size()), '$');
    if (halves.size() != 2) return refused;
    const auto costs = split(halves[0], ':'), keys = split(halves[1], ':');
    if (costs.size() != 2 || keys.size() != 2) return refused;
    const auto iterations = parseInt(costs[0]);
    auto salt = base64Decode(costs[1]), stored = base64Decode(keys[0]), server = base64Decode(keys[1]);
    if (!iterations || *iterations < kLeastIterations || *iterations > kMostIterations) return refused;
    if (!salt || salt->size() < 16 || salt->size() > 64) return refused;
    if (!stored || stored->size() != kSha256Bytes || !server || server->size() != kSha256Bytes)
        return refused;
    return Verifier{*iterations, std::move(*salt), std::move(*stored), std::move(*server)};
}

Result<Directory> Directory::open(store::Store& store) {
    std::string secret;
    POSTERN_TRY(store.read([&](store::ReadSession& session) -> Result<void> {
        POSTERN_LET(text, readSecret(session));
        secret = std::move(text);
        return {};
    }));
    if (!secret.empty()) return Directory(store, std::move(secret));
    const std::string fresh = base64Encode(secretBytes(kSha256Bytes));
    const auto kept = store.write([&](store::WriteSession& session) -> Result<void> {
        POSTERN_TRY(session.run("INSERT INTO store (key, value) VALUES (?1, ?2) ON CONFLICT DO NOTHING",
                                kSecretKey, fresh));
        POSTERN_LET(text, readSecret(session));
        secret = std::move(text);
        return {};
    });
    if (!kept.ok()) return kept.error();
    return Directory(store, std::move(secret));
}

Result<Account> Directory::find(std::string_view name) const {
    Account account;
    POSTERN_TRY(store_->read([&](store::ReadSession& session) -> Result<void> {
        POSTERN_LET(found, findAccount(session, name));
        account = std::move(found);
        return {};
    }));
    return account;
}

Result<Candidate> Directory::candidate(const std::string& preparedName) const {
    const auto account = find(preparedName);
    if (account.ok()) return Candidate{true, account->verifier};
    if (account.error().code != Errc::NotFound) return account.error();
    return Candidate{false, decoyVerifier(secret_, preparedName)};
}

Result<Login> Directory::logOn(std::string_view name, std::string_view password) const {
    const auto account = find(name);
    // Invalid: a name that nobody can have.
    if (!account.ok() && account.error().code != Errc::NotFound && account.error().code != Errc::Invalid)
        return account.error();
    const bool fits = matches(account.ok() ? account->verifier : decoyVerifier(secret_, name), password);
    if (!fits || !account.ok()) return wrong();
    return Login{account->name, account->roles};
}

Result<Login> Directory::login(const std::string& preparedName) const {
    const auto account = find(preparedName);
    if (!account.ok()) return account.error().code == Errc::NotFound ? wrong() : account.error();
    return Login{account->name, account->roles};
}

}  // namespace postern::accounts
