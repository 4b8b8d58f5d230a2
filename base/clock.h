#pragma once
// Time, injectable. Wall time is stored (UTC, milliseconds since 1970); monotonic time measures waits.

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace postern {

using Millis = std::chrono::milliseconds;
using WallTime = std::chrono::sys_time<Millis>;
using SteadyTime = std::chrono::steady_clock::time_point;

inline std::int64_t toMillis(WallTime time) {
    return time.time_since_epoch().count();
}
inline WallTime fromMillis(std::int64_t millis) {
    return WallTime(Millis(millis));
}

// Thread rule: both functions may be called from any thread.
class Clock {
  public:
    virtual ~Clock() = default;
    virtual WallTime now() const = 0;
    virtual SteadyTime steady() const = 0;

    static Clock& system();  // the real one; lives for the whole program
};

// "2026-11-20T14:03:07Z" (RFC 3339, UTC, seconds).
std::string formatUtc(WallTime time);

// "2026-11-23T08:00:00Z", "2026-11-23 08:00+01:00", "2026-11-23 08:00", "2026-11-23": UTC where no offset
// stands.
std::optional<WallTime> parseTime(std::string_view text);

// "Fri, 20 Nov 2026 14:03:07 +0000" (RFC 5322 section 3.3), always UTC, never locale-dependent.
std::string formatRfc5322(WallTime time);

// A civil date and time in UTC, as legacy formats need it.
struct CivilTime {
    int year, month, day, hour, minute, second;
    int weekday;  // 0 = Sunday
};
CivilTime civilUtc(WallTime time);

}  // namespace postern
