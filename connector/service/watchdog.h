#pragma once
// Feeds the service manager's watchdog for as long as no thread of ours is stuck, and logs who has not been
// heard of. Thread rule: one thread.

#include <functional>
#include <optional>
#include <string>

#include "base/clock.h"
#include "connector/service/service.h"

namespace postern::service {

class Watchdog {
  public:
    // `limit`: within what time the manager wants to hear; nothing: it does not watch, and we only log.
    // `feed` is called at least three times within it.
    Watchdog(const Clock& clock, std::optional<Millis> limit, std::function<Service::Life()> look,
             std::function<void()> feed);

    // To be called some times a second.
    void look();

  private:
    const Clock& clock_;
    const bool watched_;
    const Millis interval_;
    const std::function<Service::Life()> look_;
    const std::function<void()> feed_;
    std::optional<SteadyTime> next_;
    std::string said_;
};

}  // namespace postern::service
