#include "base/time_zone.h"

#include <algorithm>
#include <cstdint>
#include <utility>

#include "base/file.h"
#include "base/places.h"

namespace postern {

using std::chrono::days;
using std::chrono::seconds;
using std::chrono::sys_days;

namespace {

const char* zoneFolder() {
    return placeFor("/usr/share/zoneinfo");
}

constexpr std::size_t kLargestFile = 1 << 20;
constexpr seconds kFurthest{26 * 3600};  // RFC 9636 3.2 allows no offset beyond it

// Reads a rule from its left end.
class RuleReader {
  public:
    explicit RuleReader(std::string_view text) : rest_(text) {}

    bool done() const { return rest_.empty(); }
    bool take(char wanted) {
        if (rest_.empty() || rest_.front() != wanted) return false;
        rest_.remove_prefix(1);
        return true;
    }
    // "CET" or "<+03>"; what it is does not matter here.
    bool name() {
        const bool quoted = take('<');
        const auto isPart = [&](char c) {
            const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
            return letter || (quoted && ((c >= '0' && c <= '9') || c == '+' || c == '-'));
        };
        std::size_t length = 0;
        while (length < rest_.size() && isPart(rest_[length])) ++length;
        rest_.remove_prefix(length);
        return length >= 3 && (!quoted || take('>'));
    }
    std::optional<int> number(int least, int most) {
        int value = 0;
        std::size_t length = 0;
        while (length < rest_.size() && length < 3 && rest_[length] >= '0' && rest_[length] <= '9')
            value = value * 10 + (rest_[length++] - '0');
        if (length == 0 || value < least || value > most) return std::nullopt;
        rest_.remove_prefix(length);
        return value;
    }
    // "[+-]hh[:mm[:ss]]"; the hours go up to 167 (RFC 9636 3.3.1).
    std::optional<seconds> time(int mostHours) {
        const bool negative = take('-');
        if (!negative) take('+');
        const auto hours = number(0, mostHours);
        if (!hours) return std::nullopt;
        seconds value{*hours * 3600};
        for (const int unit : {60, 1}) {
            if (!take(':')) break;
            const auto part = number(0, 59);
            if (!part) return std::nullopt;
            value += seconds(*part * unit);
        }
        return negative ? -value : value;
    }
    std::optional<ZoneDay> day();

  private:
    std::string_view rest_;
};

std::optional<ZoneDay> RuleReader::day() {
    ZoneDay day;
    std::optional<int> number;
    if (take('M')) {
        const auto month = this->number(1, 12);
        const auto week = month && take('.') ? this->number(1, 5) : std::nullopt;
        number = week && take('.') ? this->number(0, 6) : std::nullopt;
        if (!number) return std::nullopt;
        day.month = *month;
        day.week = *week;
        day.weekday = *number;
    } else {
        const bool julian = take('J');
        day.kind = julian ? ZoneDay::Kind::JulianDay : ZoneDay::Kind::DayOfYear;
        number = this->number(julian ? 1 : 0, 365);
        if (!number) return std::nullopt;
        day.day = *number;
    }
    if (!take('/')) return day;
    const auto time = this->time(167);
    if (!time) return std::nullopt;
    day.time = *time;
    return day;
}

sys_days dateOf(const ZoneDay& day, std::chrono::year year) {
    using namespace std::chrono;
    const sys_days newYear = year / January / 1;
    if (day.kind == ZoneDay::Kind::DayOfYear) return newYear + days(day.day);
    if (day.kind == ZoneDay::Kind::JulianDay)
        return newYear + days(day.day - 1 + (year.is_leap() && day.day >= 60 ? 1 : 0));
    const auto month = year / std::chrono::month(static_cast<unsigned>(day.month));
    const weekday wanted(static_cast<unsigned>(day.weekday));
    if (day.week == 5) return sys_days(month / wanted[last]);
    return sys_days(month / wanted[static_cast<unsigned>(day.week)]);
}

// Big-endian numbers of a zone file; beyond its end everything is zero and `ok` is lost.
class Bytes {
  public:
    explicit Bytes(std::string_view bytes) : rest_(bytes) {}
    bool ok() const { return ok_; }
    std::string_view rest() const { return rest_; }
    std::string_view take(std::size_t count) {
        if (count > rest_.size()) {
            ok_ = false;
            rest_ = {};
            return {};
        }
        const std::string_view taken = rest_.substr(0, count);
        rest_.remove_prefix(count);
        return taken;
    }
    std::int64_t number(std::size_t width) {
        std::uint64_t value = 0;
        const std::string_view bytes = take(width);
        for (const char byte : bytes) value = value << 8 | static_cast<unsigned char>(byte);
        return width == 4 ? static_cast<std::int32_t>(static_cast<std::uint32_t>(value))
                          : static_cast<std::int64_t>(value);
    }

  private:
    std::string_view rest_;
    bool ok_ = true;
};

struct Counts {
    std::size_t utc = 0, standard = 0, leaps = 0, times = 0, types = 0, letters = 0;
};

std::optional<Counts> readHeader(Bytes& bytes) {
    if (bytes.take(4) != "TZif") return std::nullopt;
    const std::string_view version = bytes.take(16);
    if (version.empty() || version.front() < '2') return std::nullopt;
    Counts counts;
    for (std::size_t* count :
         {&counts.utc, &counts.standard, &counts.leaps, &counts.times, &counts.types, &counts.letters}) {
        const std::int64_t value = bytes.number(4);
        if (value < 0 || value > static_cast<std::int64_t>(kLargestFile)) return std::nullopt;
        *count = static_cast<std::size_t>(value);
    }
    if (!bytes.ok() || counts.types == 0) return std::nullopt;
    return counts;
}

std::size_t blockSize(const Counts& counts, std::size_t width) {
    return counts.times * (width + 1) + counts.types * 6 + counts.letters + counts.leaps * (width + 4) +
           counts.standard + counts.utc;
}

Error damaged(const std::string& name) {
    return fail(Errc::Corrupt, "the time zone file of " + name + " is damaged or of an old version");
}

}  // namespace

Result<ZoneRule> parseZoneRule(std::string_view text) {
    const Error none = fail(Errc::Invalid, "\"" + std::string(text) + "\" is no rule of a time zone");
    RuleReader reader(text);
    ZoneRule rule;
    if (!reader.name()) return none;
    const auto standard = reader.time(24);
    if (!standard) return none;
    rule.standard = rule.summer = -*standard;
    if (reader.done()) return rule;
    if (!reader.name()) return none;
    rule.saves = true;
    rule.summer = rule.standard + std::chrono::hours(1);
    if (!reader.take(',')) {
        const auto summer = reader.time(24);
        if (!summer || !reader.take(',')) return none;
        rule.summer = -*summer;
    }
    const auto begin = reader.day();
    const auto end = begin && reader.take(',') ? reader.day() : std::nullopt;
    if (!end || !reader.done()) return none;
    rule.begin = *begin;
    rule.end = *end;
    return rule;
}

seconds offsetAt(const ZoneRule& rule, WallTime time) {
    if (!rule.saves) return rule.standard;
    const auto date = std::chrono::floor<days>(time + rule.standard);
    const auto year = std::chrono::year_month_day(date).year();
    const WallTime begin = dateOf(rule.begin, year) + rule.begin.time - rule.standard;
    const WallTime end = dateOf(rule.end, year) + rule.end.time - rule.summer;
    // South of the equator summer lasts over the new year.
    const bool summer = begin < end ? time >= begin && time < end : time >= begin || time < end;
    return summer ? rule.summer : rule.standard;
}

Result<TimeZone> TimeZone::fromRule(std::string name, std::string_view text) {
    POSTERN_LET(rule, parseZoneRule(text));
    TimeZone zone;
    zone.name_ = std::move(name);
    zone.first_ = rule.standard;
    zone.rule_ = rule;
    return zone;
}

Result<TimeZone> TimeZone::parse(std::string name, std::string_view text) {
    Bytes bytes(text);
    // The first block has times of 32 bits, for old readers.
    const auto old = readHeader(bytes);
    if (!old) return damaged(name);
    bytes.take(blockSize(*old, 4));
    const auto counts = readHeader(bytes);
    if (!counts || blockSize(*counts, 8) > bytes.rest().size()) return damaged(name);
    TimeZone zone;
    for (std::size_t i = 0; i < counts->times; ++i) {
        // Beyond what milliseconds can say, as "the beginning of all time" is written.
        const std::int64_t at = std::clamp<std::int64_t>(bytes.number(8), -(1LL << 50), 1LL << 50);
        zone.changes_.push_back({fromMillis(at * 1000), {}});
    }
    const std::string_view indexes = bytes.take(counts->times);
    std::vector<seconds> types;
    for (std::size_t i = 0; i < counts->types; ++i) {
        types.emplace_back(bytes.number(4));
        bytes.take(2);
        if (types.back() > kFurthest || types.back() < -kFurthest) return damaged(name);
    }
    for (std::size_t i = 0; i < counts->times; ++i) {
        const auto index = static_cast<unsigned char>(indexes[i]);
        if (index >= types.size()) return damaged(name);
        zone.changes_[i].offset = types[index];
        if (i > 0 && zone.changes_[i].at <= zone.changes_[i - 1].at) return damaged(name);
    }
    zone.first_ = types.front();
    bytes.take(counts->letters + counts->leaps * 12 + counts->standard + counts->utc);
    const std::string_view footer = bytes.rest();
    const auto end = footer.starts_with('\n') ? footer.find('\n', 1) : std::string_view::npos;
    if (end == std::string_view::npos) return damaged(name);
    if (end > 1) {
        const auto rule = parseZoneRule(footer.substr(1, end - 1));
        if (!rule.ok()) return damaged(name);
        zone.rule_ = *rule;
    }
    zone.name_ = std::move(name);
    return zone;
}

Result<TimeZone> TimeZone::load(const std::string& name) {
    if (name == "UTC" || name == "Etc/UTC") return TimeZone();
    const bool plain = !name.empty() && std::all_of(name.begin(), name.end(), [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '/' ||
               c == '_' || c == '-' || c == '+';
    });
    if (!plain || name.front() == '/' || name.back() == '/')
        return fail(Errc::Invalid, "must be the name of a time zone, such as Europe/Berlin");
    const auto bytes = readFile(joinPath(zoneFolder(), name), kLargestFile);
    if (!bytes.ok()) {
        const bool installed = pathExists(joinPath(zoneFolder(), "Europe/Berlin"));
        return fail(Errc::NotFound, installed ? "there is no time zone of that name on this machine"
                                              : "there are no time zones in " + std::string(zoneFolder()) +
                                                    ": install the package tzdata, on Windows Postern");
    }
    return parse(name, *bytes);
}

seconds TimeZone::offsetAt(WallTime time) const {
    const auto after = std::upper_bound(changes_.begin(), changes_.end(), time,
                                        [](WallTime at, const Change& change) { return at < change.at; });
    if (after == changes_.end() && rule_) return postern::offsetAt(*rule_, time);
    return after == changes_.begin() ? first_ : std::prev(after)->offset;
}

}  // namespace postern
