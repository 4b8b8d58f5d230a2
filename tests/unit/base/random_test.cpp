#include "base/random.h"

#include <algorithm>
#include <mutex>
#include <set>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

namespace postern {
namespace {

TEST(Random, BelowStaysBelowAndReachesAll) {
    std::set<std::uint64_t> seen;
    for (int i = 0; i < 2000; ++i) {
        const std::uint64_t value = randomBelow(10);
        ASSERT_LT(value, 10u);
        seen.insert(value);
    }
    EXPECT_EQ(seen.size(), 10u);
    for (int i = 0; i < 10; ++i) EXPECT_EQ(randomBelow(1), 0u);
    EXPECT_LT(randomBelow(~std::uint64_t{0}), ~std::uint64_t{0});
}

TEST(Random, NamesHaveOnlyLettersAndDigits) {
    const std::string name = randomName(2000);
    EXPECT_EQ(name.size(), 2000u);
    EXPECT_TRUE(std::all_of(name.begin(), name.end(), [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
    })) << name;
    EXPECT_EQ(randomName(0), "");
}

TEST(Random, NamesOfManyThreadsDiffer) {
    std::mutex mutex;
    std::set<std::string> names;
    {
        std::vector<std::jthread> threads;
        for (int t = 0; t < 4; ++t)
            threads.emplace_back([&] {
                for (int i = 0; i < 500; ++i) {
                    const std::string name = randomName(12) + std::to_string(randomBelow(1));
                    const std::lock_guard<std::mutex> lock(mutex);
                    names.insert(name);
                }
            });
    }
    EXPECT_EQ(names.size(), 2000u);
}

}  // namespace
}  // namespace postern
