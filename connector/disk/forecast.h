#pragma once
// How long free space will last, from how it went so far. Robust against single large steps and against what
// goes up and down: of all pairs of looks within a time, the median of what was lost between them.
//
// Thread rule: one thread at a time. A few kilobytes; a look costs a fraction of a millisecond.

#include <cstdint>
#include <deque>
#include <string>
#include <vector>

#include "base/clock.h"

namespace postern::disk {

struct Outlook {
    enum class Kind { Unknown, Steady, Filling };
    Kind kind = Kind::Unknown;
    Millis left{0};                 // Filling: until the space is gone
    std::int64_t bytesPerHour = 0;  // lost; of the faster of the last hour and the last day
};
// "not known yet", "not filling", "3d4h at 12 MiB an hour".
std::string outlookText(const Outlook& outlook);

class Forecast {
  public:
    // What was free at that time. Times never go back; what comes within a minute of the last is left out.
    void note(SteadyTime at, std::int64_t freeBytes);

    // Until `spare` bytes, of those free now, are gone. Unknown for the first quarter of an hour.
    Outlook outlook(std::int64_t spare) const;

  private:
    struct Look {
        SteadyTime at;
        std::int64_t freeBytes;
    };
    static void thin(std::deque<Look>& looks, SteadyTime now, Millis window);

    std::deque<Look> hour_, day_;  // a look a minute; one each twenty
};

}  // namespace postern::disk
