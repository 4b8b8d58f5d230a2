#pragma once
// What an adapter's policy keys mean: back-off by class of error, send windows, rate. Pure parsers; load.cpp
// says where a problem stands. docs/RETRY.md is the same for people.

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "adapters/outcome.h"
#include "base/clock.h"
#include "connector/config/send_windows.h"

namespace postern::config {

struct RetryRule {
    std::optional<adapters::Cause> cause;  // nothing: every class
    Millis first{0}, longest{0};
    std::optional<Millis> age;  // fails when older, however long the adapter's own maximum age is
};
// "full 10m 4h", "connection 30s 5m 2d", "* 1m 1h". Invalid: says what is wrong.
Result<RetryRule> parseRetryRule(std::string_view text);

// At most `count` items begin in any `per`.
struct Rate {
    int count = 0;
    Millis per{0};
};
// "100/1m". Invalid: says what is wrong.
Result<Rate> parseRate(std::string_view text);

struct Policy {
    std::vector<RetryRule> rules;  // the first that fits
    SendWindows windows;
    std::optional<Rate> rate;
};

// The first rule that fits; null when none does.
const RetryRule* ruleFor(const Policy& policy, adapters::Cause cause);

}  // namespace postern::config
