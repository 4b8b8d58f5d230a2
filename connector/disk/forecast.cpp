#include "connector/disk/forecast.h"

#include <algorithm>
#include <optional>

#include "base/text.h"

namespace postern::disk {

namespace {

constexpr Millis kHour{3'600'000}, kDay{24 * 3'600'000};
constexpr Millis kEveryMinute{60'000}, kEveryTwenty{20 * 60'000};
constexpr Millis kLeastOfHour{15 * 60'000}, kLeastOfDay{3 * 3'600'000};  // below it nothing can be said
// Less than this within the time that was looked at is the breathing of the log and of temporary files.
constexpr double kBreathing = 16 << 20;
constexpr Millis kForEver{365LL * 24 * 3'600'000};

// The median of the slopes of all pairs (Theil and Sen), in bytes lost per hour; nothing before enough was
// seen.
template <class Looks>
std::optional<double> lossOf(const Looks& looks, Millis least) {
    if (looks.empty() || looks.back().at - looks.front().at < least) return std::nullopt;
    std::vector<double> slopes;
    slopes.reserve(looks.size() * looks.size() / 2);
    for (std::size_t i = 0; i < looks.size(); ++i)
        for (std::size_t j = i + 1; j < looks.size(); ++j) {
            const auto hours = std::chrono::duration<double, std::ratio<3600>>(looks[j].at - looks[i].at);
            slopes.push_back(static_cast<double>(looks[i].freeBytes - looks[j].freeBytes) / hours.count());
        }
    const auto middle = slopes.begin() + static_cast<std::ptrdiff_t>(slopes.size() / 2);
    std::nth_element(slopes.begin(), middle, slopes.end());
    const auto seen = std::chrono::duration<double, std::ratio<3600>>(looks.back().at - looks.front().at);
    return *middle * seen.count() < kBreathing ? 0.0 : *middle;
}

}  // namespace

std::string outlookText(const Outlook& outlook) {
    switch (outlook.kind) {
        case Outlook::Kind::Unknown: return "not known yet";
        case Outlook::Kind::Steady: return "not filling";
        case Outlook::Kind::Filling: break;
    }
    // To the minute: more would be made up.
    const Millis minutes = outlook.left / 60'000 * 60'000;
    return (minutes.count() == 0 ? "less than 1m" : formatDurationMillis(minutes.count())) + " at " +
           formatSize(outlook.bytesPerHour) + " an hour";
}

void Forecast::thin(std::deque<Look>& looks, SteadyTime now, Millis window) {
    while (!looks.empty() && now - looks.front().at > window) looks.pop_front();
}

void Forecast::note(SteadyTime at, std::int64_t freeBytes) {
    if (hour_.empty() || at - hour_.back().at >= kEveryMinute) hour_.push_back({at, freeBytes});
    if (day_.empty() || at - day_.back().at >= kEveryTwenty) day_.push_back({at, freeBytes});
    thin(hour_, at, kHour);
    thin(day_, at, kDay);
}

Outlook Forecast::outlook(std::int64_t spare) const {
    const auto hour = lossOf(hour_, kLeastOfHour);
    const auto day = lossOf(day_, kLeastOfDay);
    Outlook outlook;
    if (!hour) return outlook;
    const double loss = std::max(*hour, day.value_or(0));
    const double hours = std::max(0.0, static_cast<double>(spare)) / std::max(loss, 1.0);
    const double longest = std::chrono::duration<double, std::ratio<3600>>(kForEver).count();
    if (loss <= 0 || hours > longest) {
        outlook.kind = Outlook::Kind::Steady;
        return outlook;
    }
    outlook.kind = Outlook::Kind::Filling;
    outlook.left = Millis(static_cast<std::int64_t>(hours * 3'600'000));
    outlook.bytesPerHour = static_cast<std::int64_t>(loss);
    return outlook;
}

}  // namespace postern::disk
