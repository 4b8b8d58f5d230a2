#include "connector/config/policy.h"

#include <gtest/gtest.h>

namespace postern::config {
namespace {

using adapters::Cause;

TEST(Policy, RetryRulesAreRead) {
    const auto full = parseRetryRule("full  10m 4h");
    ASSERT_TRUE(full.ok()) << full.error().text;
    EXPECT_EQ(full->cause, Cause::Full);
    EXPECT_EQ(full->first, std::chrono::minutes(10));
    EXPECT_EQ(full->longest, std::chrono::hours(4));
    EXPECT_FALSE(full->age);
    const auto any = parseRetryRule("* 1s 1m 2d");
    ASSERT_TRUE(any.ok()) << any.error().text;
    EXPECT_FALSE(any->cause);
    EXPECT_EQ(any->age, std::chrono::hours(48));
    for (const char* text : {"", "full", "full 1m", "full 1m 1h 1d 1d", "ful 1m 1h", "full 1 2", "full 1h 1m",
                             "full 1ms 1h", "full 1m 31d", "* 1m 1h 366d"})
        EXPECT_FALSE(parseRetryRule(text).ok()) << text;
}

TEST(Policy, TheFirstRuleThatFitsDecides) {
    Policy policy;
    for (const char* text : {"full 1m 1h", "full 2m 2h", "* 3m 3h", "busy 4m 4h"})
        policy.rules.push_back(parseRetryRule(text).value());
    EXPECT_EQ(ruleFor(policy, Cause::Full)->first, std::chrono::minutes(1));
    EXPECT_EQ(ruleFor(policy, Cause::Busy)->first, std::chrono::minutes(3));
    policy.rules.resize(2);
    EXPECT_EQ(ruleFor(policy, Cause::Busy), nullptr);
}

TEST(Policy, RatesAreRead) {
    const auto rate = parseRate("100/1m");
    ASSERT_TRUE(rate.ok()) << rate.error().text;
    EXPECT_EQ(rate->count, 100);
    EXPECT_EQ(rate->per, std::chrono::minutes(1));
    EXPECT_TRUE(parseRate("1 / 500ms").ok());
    for (const char* text : {"", "100", "0/1m", "100/0s", "-1/1m", "100/m", "100/1", "1000001/1m", "1/31d"})
        EXPECT_FALSE(parseRate(text).ok()) << text;
}

TEST(Policy, EachClassHasOneName) {
    for (const Cause cause : adapters::kAllCauses)
        EXPECT_EQ(parseRetryRule(std::string(adapters::causeName(cause)) + " 1m 1h")->cause, cause);
}

}  // namespace
}  // namespace postern::config
