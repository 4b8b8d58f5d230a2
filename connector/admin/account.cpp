#include "connector/admin/account.h"

#include "base/log.h"
#include "base/text.h"
#include "connector/accounts/accounts.h"

namespace postern::admin {

namespace {

using Change = std::function<Result<void>(store::WriteSession&)>;

struct Wanted {
    const char* done;  // what is told of it
    Change change;
};

Result<Wanted> addOf(const Request& request, const std::string& name, WallTime now) {
    POSTERN_LET(verifier, accounts::parseVerifier(request.field("verifier")));
    POSTERN_LET(roles, accounts::parseRoles(request.field("roles")));
    accounts::Account account{name, std::move(verifier), roles, now};
    return Wanted{"added", [account = std::move(account)](store::WriteSession& session) {
                      return accounts::addAccount(session, account);
                  }};
}

Result<Wanted> passwordOf(const Request& request, const std::string& name, WallTime now) {
    POSTERN_LET(verifier, accounts::parseVerifier(request.field("verifier")));
    return Wanted{"has a new password",
                  [name, verifier = std::move(verifier), now](store::WriteSession& session) {
                      return accounts::changeVerifier(session, name, verifier, now);
                  }};
}

Result<Wanted> wantedBy(const Request& request, WallTime now) {
    const std::string name(request.field("name"));
    const std::string_view change = request.field("change");
    if (change == "add") return addOf(request, name, now);
    if (change == "passwd") return passwordOf(request, name, now);
    if (change == "remove")
        return Wanted{"removed", [name](store::WriteSession& session) {
                          return accounts::removeAccount(session, name);
                      }};
    return fail(Errc::Invalid, "there is no change \"" + escapeLine(change, 60) + "\" of accounts");
}

}  // namespace

Result<void> account(const ServiceView& view, const Request& request, ByteStream&, const RowSink& row) {
    POSTERN_LET(wanted, wantedBy(request, view.clock.now()));
    POSTERN_TRY(view.store.write(wanted.change));
    const std::string name(request.field("name"));
    LogLine(LogEvent::AccountChanged)
        .with("account", name)
        .with("what", wanted.done)
        .with("who", request.who.empty() ? "operator" : request.who);
    return row(Record().add("account", name).add("text", wanted.done));
}

}  // namespace postern::admin
