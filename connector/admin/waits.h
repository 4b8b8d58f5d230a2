#pragma once
// Why an item waits and until when, in one place for everything that shows it. From the store and the
// configuration alone, so that it is the same with the service up and down.
//
// Thread rule: immutable once read; any thread.

#include <map>
#include <optional>
#include <string>

#include "connector/config/config.h"
#include "queue/hold.h"
#include "queue/item.h"
#include "queue/operate.h"
#include "store/database.h"

namespace postern::admin {

struct Wait {
    std::string text;               // empty: it does not wait
    std::optional<WallTime> until;  // when that is over or looked at again, where that is known
};

class Waits {
  public:
    // REQUIRES: `config` outlives the result.
    static Result<Waits> read(store::ReadSession& session, const config::Config& config, WallTime now);

    // What keeps every item of that adapter: not configured, suspended by a person, unhealthy, outside its
    // send windows, in this order; the first that holds.
    Wait ofAdapter(const std::string& adapter) const;
    // The oldest item of it that it was asked about and could not tell of; the others go on.
    Wait unansweredOf(const std::string& adapter) const;
    // The adapter's reason for what is ready; else its due time and last error, the rate, or the state's own.
    Wait ofItem(const queue::ItemRow& item) const;

    const queue::AdapterHold* holdOf(const std::string& adapter) const;      // null: none
    const queue::AdapterState* unhealthy(const std::string& adapter) const;  // null: it is healthy

  private:
    Wait ofReady(const queue::ItemRow& item) const;
    const config::Config* config_ = nullptr;
    WallTime now_;
    std::map<std::string, queue::AdapterHold> holds_;
    std::map<std::string, queue::AdapterState> states_;
    std::map<std::string, Wait> unanswered_;
};

// "suspended by anna until 2026-11-23T08:00:00Z: new disk".
std::string holdText(const queue::AdapterHold& hold);

}  // namespace postern::admin
