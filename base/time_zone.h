#pragma once
// Local time of a place, from the system's zone files (TZif, RFC 9636) or a rule as POSIX writes it in TZ.
// The C library's functions know one zone for the whole process; this is a value.
//
// Thread rule: immutable once made; any thread.

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"

namespace postern {

// When daylight-saving time begins or ends: "M3.5.0/2" is the last Sunday of March at 02:00.
struct ZoneDay {
    enum class Kind { MonthWeekDay, JulianDay, DayOfYear } kind = Kind::MonthWeekDay;
    int month = 1, week = 1, weekday = 0;  // MonthWeekDay; week 5 is the last, weekday 0 is Sunday
    int day = 0;                           // JulianDay 1..365 without 29 February, DayOfYear 0..365
    std::chrono::seconds time{7200};       // after local midnight; may be negative or beyond the day
};

// What holds every year: "CET-1CEST,M3.5.0,M10.5.0/3".
struct ZoneRule {
    std::chrono::seconds standard{0};  // added to UTC
    std::chrono::seconds summer{0};
    bool saves = false;  // false: the standard offset all year
    ZoneDay begin, end;
};
// Invalid: says what is not understood. Offsets come out as added to UTC, the opposite of their writing.
Result<ZoneRule> parseZoneRule(std::string_view text);
std::chrono::seconds offsetAt(const ZoneRule& rule, WallTime time);

class TimeZone {
  public:
    TimeZone() = default;  // UTC

    // `bytes` of a zone file of version 2 or later. Corrupt when they are none.
    static Result<TimeZone> parse(std::string name, std::string_view bytes);
    static Result<TimeZone> fromRule(std::string name, std::string_view rule);
    // "Europe/Berlin", from the system's files; "UTC" needs none. NotFound when there is no such zone or no
    // zone files are installed, Invalid for what can not be a zone's name.
    static Result<TimeZone> load(const std::string& name);

    const std::string& name() const { return name_; }
    std::chrono::seconds offsetAt(WallTime time) const;  // added to UTC then
    // The clock on the wall there, as if it were UTC: for civilUtc().
    WallTime local(WallTime time) const { return time + offsetAt(time); }

  private:
    struct Change {
        WallTime at;
        std::chrono::seconds offset;  // from then on
    };
    std::string name_ = "UTC";
    std::chrono::seconds first_{0};  // before the first change
    std::vector<Change> changes_;    // ascending
    std::optional<ZoneRule> rule_;   // after the last change
};

}  // namespace postern
