#pragma once
// How much memory this process had at most. Thread rule: any thread.

#include <cstdint>

#ifdef _WIN32
#include <winsock2.h>
// After it.
#include <windows.h>
// After the system's own types.
#include <psapi.h>
#else
#include <sys/resource.h>
#endif

namespace postern::tests {

inline std::int64_t peakBytes() {
#ifdef _WIN32
    PROCESS_MEMORY_COUNTERS counters{};
    if (::K32GetProcessMemoryInfo(::GetCurrentProcess(), &counters, sizeof counters) == 0) return 0;
    return static_cast<std::int64_t>(counters.PeakWorkingSetSize);
#else
    rusage usage{};
    ::getrusage(RUSAGE_SELF, &usage);
    return static_cast<std::int64_t>(usage.ru_maxrss) * 1024;
#endif
}

}  // namespace postern::tests
