#pragma once
// Logging on, away from the event loop: a password costs milliseconds of work, a name a read of the store.
// One thread does it, in turn, for as many sessions as may wait; more hear "try again later".
//
// Thread rule: any thread.

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "base/result.h"
#include "connector/accounts/accounts.h"
#include "connector/accounts/scram.h"

namespace postern::intake {

// One question of an AUTH exchange (RFC 4954).
struct LogOnStep {
    enum class Kind { Password, ScramFirst, ScramLast };
    Kind kind = Kind::Password;
    std::string name, password;                         // Password
    std::string message;                                // Scram...: what the client said
    std::shared_ptr<accounts::ScramServer> exchange{};  // ScramLast: from the answer to ScramFirst
};

struct LogOnAnswer {
    // Denied: the password, the name, or what its account may do. Invalid: what the client said breaks the
    // rules of its mechanism. All others are temporary.
    std::optional<Error> error{};
    std::string name{};     // whose account it is or was to be
    std::string message{};  // Scram...: what is said to the client
    std::shared_ptr<accounts::ScramServer> exchange{};
};

// Tells the log of a log-on that failed, and of a proof that was right; of an exchange that only began it
// says nothing. To be called with each answer of a Door, whatever has become of the session: who reads the
// log to keep guessers out misses none that hangs up behind its guess.
void noteLogOn(const std::string& client, const LogOnAnswer& answer);

class LogOnDesk {
  public:
    using Done = std::function<void(const LogOnAnswer&)>;

    // REQUIRES: the store behind `directory` outlives the desk.
    explicit LogOnDesk(accounts::Directory directory);
    ~LogOnDesk();  // what still waits is answered with Stopped

    // `done` is called exactly once, on the desk's thread, or on the caller's when too many wait (Busy).
    void ask(LogOnStep step, Done done);

  private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace postern::intake
