#pragma once
// Logging on, away from the event loops: a password costs milliseconds of work, a name a read of the store.
// One thread does it, in turn, for as many sessions as may wait; more hear "try again later".
//
// Thread rule: any thread.

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "base/result.h"
#include "connector/accounts/accounts.h"
#include "connector/accounts/scram.h"

namespace postern::accounts {

// One question of an exchange: a password, or one of a SCRAM client's two messages.
struct LogOnQuestion {
    enum class Kind { Password, ScramFirst, ScramLast };
    Kind kind = Kind::Password;
    std::string name{}, password{};           // Password
    std::string message{};                    // Scram...: what the client said
    std::shared_ptr<ScramServer> exchange{};  // ScramLast: from the answer to ScramFirst
};

struct LogOnReply {
    // Denied: the password or the name. Invalid: what the client said breaks the rules of its mechanism.
    // All others are temporary.
    std::optional<Error> error{};
    std::string name{};     // whose account it is or was to be
    Roles roles{};          // Password, ScramLast
    std::string message{};  // Scram...: what is said to the client
    std::shared_ptr<ScramServer> exchange{};
};

class LogOnDesk {
  public:
    using Done = std::function<void(LogOnReply)>;

    // REQUIRES: the store behind `directory` outlives the desk.
    LogOnDesk(Directory directory, std::size_t mostWaiting);
    ~LogOnDesk();  // what still waits is answered with Stopped

    // `done` is called exactly once, on the desk's thread, or on the caller's when too many wait (Busy).
    void ask(LogOnQuestion question, Done done);

  private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace postern::accounts
