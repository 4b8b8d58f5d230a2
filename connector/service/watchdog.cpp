#include "connector/service/watchdog.h"

#include <algorithm>
#include <utility>

#include "base/log.h"

namespace postern::service {

namespace {
constexpr Millis kInterval{10'000};
}

Watchdog::Watchdog(const Clock& clock, std::optional<Millis> limit, std::function<Service::Life()> look,
                   std::function<void()> feed)
    : clock_(clock),
      watched_(limit.has_value()),
      interval_(limit ? std::min(*limit / 4, kInterval) : kInterval),
      look_(std::move(look)),
      feed_(std::move(feed)) {}

void Watchdog::look() {
    const SteadyTime now = clock_.steady();
    if (next_ && now < *next_) return;
    next_ = now + interval_;
    const Service::Life life = look_();
    if (watched_ && !life.stuck) feed_();
    if (!life.missing.empty() && life.missing != said_)
        LogLine(LogEvent::ServiceStuck)
            .with("who", life.missing)
            .with("restart", life.stuck ? "needed" : "would not help");
    said_ = life.missing;
}

}  // namespace postern::service
