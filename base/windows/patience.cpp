#include "base/windows/patience.h"

#include <algorithm>
#include <atomic>

#include "base/text.h"

namespace postern::windows {
namespace {

constexpr DWORD kLongestPause = 250;
std::atomic<std::int64_t> mostMillis{3000};

}  // namespace

bool isInUse(DWORD number) {
    return number == ERROR_SHARING_VIOLATION || number == ERROR_LOCK_VIOLATION ||
           number == ERROR_DELETE_PENDING || number == ERROR_USER_MAPPED_FILE;
}

DWORD patiently(const std::function<DWORD()>& call) {
    std::int64_t left = mostMillis;
    for (DWORD pause = 1;; pause = std::min(2 * pause, kLongestPause)) {
        const DWORD number = call();
        if (!isInUse(number) || left <= 0) return number;
        ::Sleep(pause);
        left -= pause;
    }
}

Error fileError(DWORD number, std::string_view context) {
    Error error = systemError(static_cast<int>(number), context);
    if (isInUse(number))
        error.text +=
            ", and for " + formatDurationMillis(mostMillis) +
            " it stayed so (a virus scanner, an indexer, a backup, a program that reads it?): leave "
            "the folder out there";
    return error;
}

std::chrono::milliseconds setPatience(std::chrono::milliseconds most) {
    return std::chrono::milliseconds(mostMillis.exchange(most.count()));
}

}  // namespace postern::windows
