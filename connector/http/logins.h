#pragma once
// Who is logged on to the web page: random tokens in memory, gone with the process. Thread rule: any thread.

#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/sync.h"
#include "connector/accounts/accounts.h"
#include "connector/admin/role.h"

namespace postern::http {

struct Person {
    std::string name;
    std::optional<admin::Role> role;  // none: may send mail, and do nothing here
};

class Logins {
  public:
    // REQUIRES: both outlive us.
    Logins(const accounts::Directory& directory, Clock& clock) : directory_(directory), clock_(clock) {}

    // A token to come back with. Denied for a wrong name or password, Busy while too many were wrong lately.
    // `from` is the client's address for the log, which is told of each that is refused; of those that are
    // Busy once a minute, and how many.
    Result<std::string> logOn(std::string_view name, std::string_view password, std::string_view from);
    // The same without a token, for programs that say their password each time (RFC 7617).
    Result<Person> check(std::string_view name, std::string_view password, std::string_view from);
    // Who came with that token; asked of the directory each time, so that a changed account counts at once.
    std::optional<Person> find(std::string_view token);
    void logOff(std::string_view token);

  private:
    struct Session {
        std::string name;
        SteadyTime seen;
    };
    bool tooManyWrong() EXCLUDES(mutex_);
    void noteBarred(std::string_view name, std::string_view from) EXCLUDES(mutex_);
    void dropOld() REQUIRES(mutex_);

    const accounts::Directory& directory_;
    Clock& clock_;
    Mutex mutex_;
    std::map<std::string, Session, std::less<>> sessions_ GUARDED_BY(mutex_);
    int wrong_ GUARDED_BY(mutex_) = 0;
    SteadyTime wrongSince_ GUARDED_BY(mutex_);
    std::int64_t barred_ GUARDED_BY(mutex_) = 0;  // refused unseen, and not in the log yet
    std::optional<SteadyTime> barredTold_ GUARDED_BY(mutex_);
};

}  // namespace postern::http
