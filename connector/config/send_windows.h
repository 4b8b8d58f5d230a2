#pragma once
// When an adapter may export: days and hours on the clock of a place. A moment is inside when the wall clock
// there shows a time of a window, so a window inside the hour that spring skips does not open that day, and
// one inside the hour that autumn has twice opens twice.
//
// Thread rule: immutable once made; any thread.

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/time_zone.h"

namespace postern::config {

struct SendWindow {
    unsigned days = 0;             // bit 0 is Sunday: the days on which it begins
    int begin = 0, end = 24 * 60;  // minutes after midnight; end <= begin: it ends on the next day
};
// "Mon-Fri 08:00-18:00", "Sat,Sun 22:00-06:00", "00:00-04:00" (every day); English names, any case. Invalid:
// says what is wrong.
Result<SendWindow> parseSendWindow(std::string_view text);

class SendWindows {
  public:
    SendWindows() = default;  // always open
    SendWindows(std::vector<SendWindow> windows, TimeZone zone)
        : windows_(std::move(windows)), zone_(std::move(zone)) {}

    bool open(WallTime time) const;
    // The first moment from `time` on that is inside; `time` itself when it is. Nothing when none comes
    // within two weeks.
    std::optional<WallTime> opens(WallTime time) const;
    // For people: "2026-11-23 08:00 Europe/Berlin".
    std::string text(WallTime time) const;

  private:
    void addOpenings(WallTime midnight, std::vector<WallTime>& into) const;
    std::vector<SendWindow> windows_;
    TimeZone zone_;
};

}  // namespace postern::config
