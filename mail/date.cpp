#include <array>

#include "base/text.h"
#include "mail/header.h"

namespace postern::mail {
namespace {

using std::chrono::minutes;

struct Parts {
    int day = 0, month = 0, year = -1;
    int hour = 0, minute = 0, second = 0;
    bool hasTime = false;
    minutes offset{0};
};

// Comments out, commas and dashes between words to blanks; a dash in front of a number stays a sign.
std::vector<std::string> words(std::string_view text) {
    std::vector<std::string> out;
    std::string word;
    int comments = 0;
    const auto end = [&] {
        if (!word.empty()) out.push_back(std::move(word));
        word.clear();
    };
    for (const char c : text.substr(0, 200)) {
        if (c == '(') ++comments;
        if (comments == 0 && std::string_view(" \t\r\n,").find(c) == std::string_view::npos &&
            !(c == '-' && !word.empty() && word.find(':') == std::string::npos))
            word += c;
        else
            end();
        if (c == ')' && comments > 0) --comments;
    }
    end();
    return out;
}

int monthOf(std::string_view word) {
    static constexpr std::array<std::string_view, 12> kMonths{"jan", "feb", "mar", "apr", "may", "jun",
                                                              "jul", "aug", "sep", "oct", "nov", "dec"};
    for (std::size_t i = 0; i < kMonths.size(); ++i)
        if (equalsIgnoreCase(word.substr(0, 3), kMonths[i])) return static_cast<int>(i) + 1;
    return 0;
}

bool setTime(Parts& parts, std::string_view word) {
    const auto fields = split(word, ':');
    if (fields.size() < 2 || fields.size() > 3) return false;
    std::array<int, 3> numbers{};
    for (std::size_t i = 0; i < fields.size(); ++i) {
        const auto number = parseInt(fields[i].substr(0, fields[i].find('.')));
        if (!number || *number < 0 || *number > 60) return false;
        numbers[i] = static_cast<int>(*number);
    }
    if (numbers[0] > 23 || numbers[1] > 59) return false;
    parts.hour = numbers[0];
    parts.minute = numbers[1];
    parts.second = std::min(numbers[2], 59);  // a leap second is the one before it here
    parts.hasTime = true;
    return true;
}

// "+0530", "-7", "-07", "+05:30" (KB Q192054). Offsets that exist nowhere count as unknown: UTC (KB Q178094).
minutes numericOffset(std::string_view word) {
    std::string digits;
    for (const char c : word.substr(1))
        if (c != ':') digits += c;
    const auto number = parseInt(digits);
    if (!number || *number < 0 || digits.size() > 4) return minutes(0);
    const std::int64_t hours = digits.size() <= 2 ? *number : *number / 100;
    const std::int64_t rest = digits.size() <= 2 ? 0 : *number % 100;
    if (rest > 59) return minutes(0);
    const minutes offset((hours * 60 + rest) * (word.front() == '-' ? -1 : 1));
    const bool exists = offset >= minutes(-12 * 60) && offset <= minutes(14 * 60) && rest % 15 == 0;
    return exists ? offset : minutes(0);
}

minutes namedOffset(std::string_view word) {
    struct Zone {
        std::string_view name;
        int hours;
    };
    static constexpr std::array<Zone, 8> kZones{{{"EST", -5},
                                                 {"EDT", -4},
                                                 {"CST", -6},
                                                 {"CDT", -5},
                                                 {"MST", -7},
                                                 {"MDT", -6},
                                                 {"PST", -8},
                                                 {"PDT", -7}}};
    for (const Zone& zone : kZones)
        if (equalsIgnoreCase(word, zone.name)) return minutes(zone.hours * 60);
    return minutes(0);  // RFC 5322 4.3: unknown names count as -0000
}

bool setYear(Parts& parts, std::string_view word, std::int64_t number) {
    if (word.size() == 2) number += number < 50 ? 2000 : 1900;
    if (number < 1970 || number > 2199) return false;
    parts.year = static_cast<int>(number);
    return true;
}

bool setNumber(Parts& parts, std::string_view word) {
    const auto number = parseInt(word);
    if (!number || *number < 0) return false;
    if (parts.day == 0 && *number <= 31 && word.size() <= 2) {
        parts.day = static_cast<int>(*number);
        return true;
    }
    return parts.year < 0 && setYear(parts, word, *number);
}

bool setWord(Parts& parts, std::string_view word) {
    const char c = word.front();
    if (word.find(':') != std::string_view::npos && c != '+' && c != '-')
        return !parts.hasTime && setTime(parts, word);
    if (c == '+' || c == '-') {
        parts.offset = numericOffset(word);
        return parts.hasTime;
    }
    if (c >= '0' && c <= '9') return setNumber(parts, word);
    if (const int month = parts.month == 0 ? monthOf(word) : 0; month != 0)
        parts.month = month;
    else if (parts.hasTime)
        parts.offset = namedOffset(word);
    return true;  // a day of the week, in whatever language
}

}  // namespace

std::optional<WallTime> parseDate(std::string_view rawValue) {
    using namespace std::chrono;
    Parts parts;
    for (const std::string& word : words(rawValue))
        if (!setWord(parts, word)) return std::nullopt;
    const year_month_day date(year(parts.year), month(static_cast<unsigned>(parts.month)),
                              day(static_cast<unsigned>(parts.day)));
    if (parts.year < 0 || !parts.hasTime || !date.ok()) return std::nullopt;
    return WallTime(sys_days(date)) + hours(parts.hour) + minutes(parts.minute) + seconds(parts.second) -
           parts.offset;
}

}  // namespace postern::mail
