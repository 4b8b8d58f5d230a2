#include "base/clock.h"

#include <array>
#include <cstdio>

namespace postern {

namespace {

class SystemClock final : public Clock {
  public:
    WallTime now() const override { return std::chrono::floor<Millis>(std::chrono::system_clock::now()); }
    SteadyTime steady() const override { return std::chrono::steady_clock::now(); }
};

constexpr std::array<const char*, 7> kDays = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
constexpr std::array<const char*, 12> kMonths = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                 "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

}  // namespace

Clock& Clock::system() {
    static SystemClock clock;
    return clock;
}

CivilTime civilUtc(WallTime time) {
    const auto day = std::chrono::floor<std::chrono::days>(time);
    const std::chrono::year_month_day date(day);
    const std::chrono::hh_mm_ss clock(std::chrono::floor<std::chrono::seconds>(time - day));
    return CivilTime{static_cast<int>(date.year()),
                     static_cast<int>(static_cast<unsigned>(date.month())),
                     static_cast<int>(static_cast<unsigned>(date.day())),
                     static_cast<int>(clock.hours().count()),
                     static_cast<int>(clock.minutes().count()),
                     static_cast<int>(clock.seconds().count()),
                     static_cast<int>(std::chrono::weekday(day).c_encoding())};
}

std::string formatUtc(WallTime time) {
    const CivilTime c = civilUtc(time);
    char text[48];
    std::snprintf(text, sizeof text, "%04d-%02d-%02dT%02d:%02d:%02dZ", c.year, c.month, c.day, c.hour,
                  c.minute, c.second);
    return text;
}

std::string formatRfc5322(WallTime time) {
    const CivilTime c = civilUtc(time);
    char text[64];
    std::snprintf(text, sizeof text, "%s, %d %s %04d %02d:%02d:%02d +0000",
                  kDays[static_cast<std::size_t>(c.weekday)], c.day,
                  kMonths[static_cast<std::size_t>(c.month - 1)], c.year, c.hour, c.minute, c.second);
    return text;
}

}  // namespace postern
