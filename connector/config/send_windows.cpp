#include "connector/config/send_windows.h"

#include <algorithm>
#include <array>
#include <cstdio>

#include "base/text.h"

namespace postern::config {

using std::chrono::days;
using std::chrono::floor;
using std::chrono::minutes;

namespace {

constexpr std::array<std::string_view, 7> kDays = {"sun", "mon", "tue", "wed", "thu", "fri", "sat"};
constexpr unsigned kEveryDay = 0x7f;
constexpr int kMinutesOfDay = 24 * 60;

std::optional<unsigned> dayOf(std::string_view text) {
    for (unsigned day = 0; day < kDays.size(); ++day)
        if (equalsIgnoreCase(text, kDays[day])) return day;
    return std::nullopt;
}

// "Mon-Fri", "Fri-Mon" or "Sat".
std::optional<unsigned> daysOf(std::string_view text) {
    const auto dash = text.find('-');
    const auto first = dayOf(text.substr(0, dash));
    const auto last = dash == std::string_view::npos ? first : dayOf(text.substr(dash + 1));
    if (!first || !last) return std::nullopt;
    unsigned found = 0;
    for (unsigned day = *first;; day = (day + 1) % 7) {
        found |= 1u << day;
        if (day == *last) return found;
    }
}

std::optional<int> minuteOf(std::string_view text) {
    const auto colon = text.find(':');
    if (colon == std::string_view::npos || text.size() - colon != 3 || colon == 0 || colon > 2)
        return std::nullopt;
    const auto hour = parseInt(text.substr(0, colon));
    const auto minute = parseInt(text.substr(colon + 1));
    if (!hour || !minute || *hour < 0 || *minute < 0 || *minute > 59) return std::nullopt;
    const std::int64_t all = *hour * 60 + *minute;
    if (all > kMinutesOfDay) return std::nullopt;
    return static_cast<int>(all);
}

// What the clock on the wall shows.
struct WallClock {
    unsigned day;
    int minute;
};
WallClock wallClock(WallTime local) {
    const auto midnight = floor<days>(local);
    return {std::chrono::weekday(midnight).c_encoding(),
            static_cast<int>(floor<minutes>(local - midnight).count())};
}

bool covers(const SendWindow& window, const WallClock& clock) {
    const auto on = [&](unsigned day) { return (window.days >> day & 1u) != 0; };
    if (window.begin < window.end)
        return on(clock.day) && clock.minute >= window.begin && clock.minute < window.end;
    return (on(clock.day) && clock.minute >= window.begin) ||
           (on((clock.day + 6) % 7) && clock.minute < window.end);
}

}  // namespace

Result<SendWindow> parseSendWindow(std::string_view text) {
    const Error none = fail(Errc::Invalid,
                            "must be \"Mon-Fri 08:00-18:00\", \"Sat,Sun 22:00-06:00\" or "
                            "\"00:00-04:00\", not \"" +
                                escapeLine(text, 100) + "\"");
    std::vector<std::string_view> words;
    for (const std::string_view word : split(text, ' '))
        if (!word.empty()) words.push_back(word);
    if (words.empty() || words.size() > 2) return none;
    SendWindow window;
    window.days = words.size() == 1 ? kEveryDay : 0;
    if (words.size() == 2) {
        for (const std::string_view part : split(words[0], ',')) {
            const auto found = daysOf(part);
            if (!found) return none;
            window.days |= *found;
        }
    }
    const std::string_view hours = words.back();
    const auto dash = hours.find('-');
    const auto begin = minuteOf(hours.substr(0, dash));
    const auto end = dash == std::string_view::npos ? std::nullopt : minuteOf(hours.substr(dash + 1));
    if (!begin || !end || *begin == kMinutesOfDay) return none;
    if (*begin == *end)
        return fail(Errc::Invalid, "\"" + escapeLine(text, 100) +
                                       "\" begins and ends at the same time; a whole day is 00:00-24:00");
    window.begin = *begin;
    window.end = *end;
    return window;
}

bool SendWindows::open(WallTime time) const {
    if (windows_.empty()) return true;
    const WallClock clock = wallClock(zone_.local(time));
    return std::any_of(windows_.begin(), windows_.end(),
                       [&](const SendWindow& window) { return covers(window, clock); });
}

// Where the state can turn to open around that local midnight (as if UTC): a window's beginning, midnight
// itself, and a jump of the clock.
void SendWindows::addOpenings(WallTime midnight, std::vector<WallTime>& into) const {
    // The offset differs by the side of a jump on which the moment lies: both are tried.
    const auto before = zone_.offsetAt(midnight - days(1));
    const auto after = zone_.offsetAt(midnight + days(2));
    const auto add = [&](minutes local) {
        into.push_back(midnight + local - before);
        if (after != before) into.push_back(midnight + local - after);
    };
    add(minutes(0));
    for (const SendWindow& window : windows_) add(minutes(window.begin));
    if (before == after) return;
    WallTime low = midnight - days(1), high = midnight + days(2);
    while (high - low > Millis(1)) {
        const WallTime middle = low + (high - low) / 2;
        (zone_.offsetAt(middle) == before ? low : high) = middle;
    }
    into.push_back(high);
}

std::optional<WallTime> SendWindows::opens(WallTime time) const {
    if (open(time)) return time;
    const WallTime today = floor<days>(zone_.local(time));
    std::vector<WallTime> candidates;
    for (int day = 0; day <= 15; ++day) addOpenings(today + days(day), candidates);
    std::sort(candidates.begin(), candidates.end());
    const auto found = std::find_if(candidates.begin(), candidates.end(),
                                    [&](WallTime at) { return at > time && open(at); });
    return found == candidates.end() ? std::nullopt : std::optional(*found);
}

std::string SendWindows::text(WallTime time) const {
    const CivilTime c = civilUtc(zone_.local(time));
    char text[48];
    std::snprintf(text, sizeof text, "%04d-%02d-%02d %02d:%02d ", c.year, c.month, c.day, c.hour, c.minute);
    return text + zone_.name();
}

}  // namespace postern::config
