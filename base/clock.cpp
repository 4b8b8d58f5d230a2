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

namespace {

// Takes exactly `digits` digits off the front.
std::optional<int> takeNumber(std::string_view& text, std::size_t digits, int most) {
    int value = 0;
    if (text.size() < digits) return std::nullopt;
    for (const char c : text.substr(0, digits)) {
        if (c < '0' || c > '9') return std::nullopt;
        value = value * 10 + (c - '0');
    }
    text.remove_prefix(digits);
    return value <= most ? std::optional(value) : std::nullopt;
}

bool takeOne(std::string_view& text, std::string_view any) {
    if (text.empty() || any.find(text.front()) == std::string_view::npos) return false;
    text.remove_prefix(1);
    return true;
}

// "hh:mm[:ss]" in seconds.
std::optional<int> takeClock(std::string_view& text) {
    const auto hour = takeNumber(text, 2, 23);
    const auto minute = hour && takeOne(text, ":") ? takeNumber(text, 2, 59) : std::nullopt;
    if (!minute) return std::nullopt;
    const auto second = takeOne(text, ":") ? takeNumber(text, 2, 59) : std::optional(0);
    if (!second) return std::nullopt;
    return *hour * 3600 + *minute * 60 + *second;
}

}  // namespace

std::optional<WallTime> parseTime(std::string_view text) {
    const auto year = takeNumber(text, 4, 9999);
    const auto month = year && takeOne(text, "-") ? takeNumber(text, 2, 12) : std::nullopt;
    const auto day = month && takeOne(text, "-") ? takeNumber(text, 2, 31) : std::nullopt;
    if (!day) return std::nullopt;
    const std::chrono::year_month_day date{std::chrono::year(*year),
                                           std::chrono::month(static_cast<unsigned>(*month)),
                                           std::chrono::day(static_cast<unsigned>(*day))};
    if (!date.ok()) return std::nullopt;
    WallTime time = std::chrono::sys_days(date);
    if (text.empty()) return time;
    const auto clock = takeOne(text, "T ") ? takeClock(text) : std::nullopt;
    if (!clock) return std::nullopt;
    time += std::chrono::seconds(*clock);
    if (takeOne(text, "Z")) return text.empty() ? std::optional(time) : std::nullopt;
    if (text.empty()) return time;
    const bool west = text.front() == '-';
    const auto offset = takeOne(text, "+-") ? takeClock(text) : std::nullopt;
    if (!offset || !text.empty()) return std::nullopt;
    return west ? time + std::chrono::seconds(*offset) : time - std::chrono::seconds(*offset);
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
