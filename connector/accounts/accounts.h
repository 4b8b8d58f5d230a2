#pragma once
// People and programs that may log on: the table `account` of the store, and what a session asks of it. Only
// SCRAM verifiers are kept (RFC 5802): no password can be read from a store.
//
// Names are compared as SASLprep leaves them, with their case. Thread rule: Directory from any thread;
// functions on sessions as their Session.

#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "connector/accounts/scram.h"
#include "store/store.h"

namespace postern::accounts {

// What an account may do.
struct Roles {
    bool send = false;      // hand in mail by SMTP and LMTP
    bool viewer = false;    // look at the queue
    bool operates = false;  // change it: "operator"
    bool admin = false;     // and accounts and configuration

    bool operator==(const Roles&) const = default;
};
// Words with blanks or commas between; Invalid for another word, or none.
Result<Roles> parseRoles(std::string_view words);
std::string rolesText(const Roles& roles);  // "send viewer"

struct Account {
    std::string name;  // prepared
    Verifier verifier;
    Roles roles;
    WallTime changed;
};

// `account.name` is prepared by the function. Exists when it is taken, or one that differs by capital letters
// of ASCII alone: the chat keeps mail for the two in one place. Invalid for "postern" and for "#...".
Result<void> addAccount(store::WriteSession& session, const Account& account);
Result<void> changeVerifier(store::WriteSession& session, std::string_view name, const Verifier& verifier,
                            WallTime now);                                        // NotFound
Result<void> removeAccount(store::WriteSession& session, std::string_view name);  // NotFound
Result<Account> findAccount(store::ReadSession& session, std::string_view name);  // NotFound
Result<std::vector<Account>> listAccounts(store::ReadSession& session);           // by name

// A verifier as one line of text, "SCRAM-SHA-256$10000:salt$stored:server" in base64, as PostgreSQL and
// others write it: for the control socket. Invalid when it is not one, or costs more than kMostIterations.
std::string verifierText(const Verifier& verifier);
Result<Verifier> parseVerifier(std::string_view text);

// Who logged on.
struct Login {
    std::string name;
    Roles roles;
};

// What sessions ask. Each call is one short read of the store.
class Directory {
  public:
    // Reads the secret behind decoys; a store that has none yet gets one. REQUIRES: the store outlives it.
    static Result<Directory> open(store::Store& store);

    // For ScramServer; an unknown name gives a decoy, no error.
    Result<Candidate> candidate(const std::string& preparedName) const;
    // PLAIN and LOGIN. Denied for a wrong password and an unknown name alike, after the same time: about
    // 2.5 ms of work in the caller's thread. Other errors are temporary.
    Result<Login> logOn(std::string_view name, std::string_view password) const;
    // After ScramServer::last(). Denied when the account is gone by now.
    Result<Login> login(const std::string& preparedName) const;

  private:
    Directory(store::Store& store, std::string secret) : store_(&store), secret_(std::move(secret)) {}
    Result<Account> find(std::string_view name) const;

    store::Store* store_;
    std::string secret_;
};

}  // namespace postern::accounts
