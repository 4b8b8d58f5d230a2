#pragma once
// Files whose names are the next number in their folder: MH's messages, the entries of a chat's log. The
// number tells their order and proves nothing. Thread rule: pure.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/file.h"

namespace postern::adapters {

// Readers keep numbers in an int, and print nine digits.
inline constexpr std::int64_t kLargestNumber = 999'999'999;

// 0 when the name is no such number: ".mh_sequences", ",12" (removed by nmh), "007".
std::int64_t runningNumber(std::string_view name);

// All of a folder, the smallest first.
Result<std::vector<std::int64_t>> runningNumbers(const Folder& folder);

// For SpoolAdapter::nextName(). NoSpace when the numbers are used up.
Result<std::string> nextRunningNumber(const Folder& folder, const std::string& last);

}  // namespace postern::adapters
