#include "adapters/spool/running_numbers.h"

#include <algorithm>

#include "base/text.h"

namespace postern::adapters {

std::int64_t runningNumber(std::string_view name) {
    const auto number = parseInt(name);
    if (!number || *number <= 0 || *number > kLargestNumber || std::to_string(*number) != name) return 0;
    return *number;
}

Result<std::vector<std::int64_t>> runningNumbers(const Folder& folder) {
    std::vector<std::int64_t> numbers;
    POSTERN_TRY(folder.list([&](std::string_view name) {
        if (const auto number = runningNumber(name); number != 0) numbers.push_back(number);
        return true;
    }));
    std::sort(numbers.begin(), numbers.end());
    return numbers;
}

Result<std::string> nextRunningNumber(const Folder& folder, const std::string& last) {
    std::int64_t number = runningNumber(last);
    if (number == 0) {
        POSTERN_LET(numbers, runningNumbers(folder));
        number = numbers.empty() ? 0 : numbers.back();
    }
    if (number >= kLargestNumber) return fail(Errc::NoSpace, folder.path() + " has used up its numbers");
    return std::to_string(number + 1);
}

}  // namespace postern::adapters
