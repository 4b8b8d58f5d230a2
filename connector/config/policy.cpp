#include "connector/config/policy.h"

#include <iterator>

#include "base/text.h"
#include "connector/config/keys.h"

namespace postern::config {

namespace {

constexpr std::int64_t kMostPerTime = 1'000'000;
constexpr std::int64_t kShortest = 10, kLongest = 30LL * 24 * 3'600'000;  // as retry_first and retry_longest
constexpr std::int64_t kOldest = 365LL * 24 * 3'600'000;                  // as maximum_age

std::vector<std::string_view> wordsOf(std::string_view text) {
    std::vector<std::string_view> words;
    for (const std::string_view word : split(text, ' '))
        if (!word.empty()) words.push_back(word);
    return words;
}

Error unknownClass(std::string_view word) {
    std::vector<std::string_view> names;
    std::string list;
    for (const adapters::Cause cause : adapters::kAllCauses) {
        names.push_back(adapters::causeName(cause));
        list += std::string(names.back()) + ", ";
    }
    return fail(Errc::Invalid, "knows no class \"" + escapeLine(word, 40) + "\", only " + list + "*" +
                                   didYouMean(word, names));
}

}  // namespace

Result<RetryRule> parseRetryRule(std::string_view text) {
    const std::vector<std::string_view> words = wordsOf(text);
    if (words.size() < 3 || words.size() > 4)
        return fail(Errc::Invalid, "must be \"CLASS FIRST LONGEST [AGE]\", such as \"full 10m 4h\", not \"" +
                                       escapeLine(text, 100) + "\"");
    RetryRule rule;
    if (words[0] != "*") {
        for (const adapters::Cause cause : adapters::kAllCauses)
            if (words[0] == adapters::causeName(cause)) rule.cause = cause;
        if (!rule.cause) return unknownClass(words[0]);
    }
    std::vector<Millis> times;
    for (std::size_t i = 1; i < words.size(); ++i) {
        const auto millis = parseDurationMillis(words[i]);
        const std::int64_t most = i == 3 ? kOldest : kLongest;
        if (!millis || *millis < kShortest || *millis > most)
            return fail(Errc::Invalid, "needs a time from " + formatDurationMillis(kShortest) + " to " +
                                           formatDurationMillis(most) + ", such as \"10m\", not \"" +
                                           escapeLine(words[i], 40) + "\"");
        times.emplace_back(*millis);
    }
    rule.first = times[0];
    rule.longest = times[1];
    if (times.size() == 3) rule.age = times[2];
    if (rule.first > rule.longest)
        return fail(Errc::Invalid,
                    "\"" + escapeLine(text, 100) + "\" waits longer at first than at the longest");
    return rule;
}

Result<Rate> parseRate(std::string_view text) {
    const auto slash = text.find('/');
    const auto count = parseInt(trim(text.substr(0, slash)));
    const auto per =
        slash == std::string_view::npos ? std::nullopt : parseDurationMillis(trim(text.substr(slash + 1)));
    if (!count || *count < 1 || *count > kMostPerTime || !per || *per < 1 || *per > kLongest)
        return fail(Errc::Invalid,
                    "must be a number and a time, such as \"100/1m\", not \"" + escapeLine(text, 100) + "\"");
    return Rate{static_cast<int>(*count), Millis(*per)};
}

const RetryRule* ruleFor(const Policy& policy, adapters::Cause cause) {
    for (const RetryRule& rule : policy.rules)
        if (!rule.cause || *rule.cause == cause) return &rule;
    return nullptr;
}

}  // namespace postern::config
