#pragma once
// How much more memory this process holds than when it was asked first. KiB.

#include <algorithm>

#include "tests/kit/platform.h"
#ifdef _WIN32
#include <psapi.h>
#else
#include <fstream>
#include <string>
#endif

namespace postern::tests {

class MemoryGrowth {
  public:
    MemoryGrowth() {
#ifndef _WIN32
        // The system forgets its high mark, where it lets us.
        if (std::ofstream("/proc/self/clear_refs") << "5") {
        }
#endif
        before_ = peak_ = now();
    }
    // Windows never forgets its high mark, so it has to be asked while there is something to see.
    void look() {
        peak_ = std::max(peak_, highMark());
    }
    long most() {
        look();
        return peak_ - before_;
    }

  private:
#ifdef _WIN32
    static long now() {
        PROCESS_MEMORY_COUNTERS counters{};
        ::K32GetProcessMemoryInfo(::GetCurrentProcess(), &counters, sizeof counters);
        return static_cast<long>(counters.WorkingSetSize / 1024);
    }
    static long highMark() {
        return now();
    }
#else
    static long field(const std::string& name) {
        std::ifstream status("/proc/self/status");
        for (std::string line; std::getline(status, line);)
            if (line.starts_with(name)) return std::stol(line.substr(name.size()));
        return -1;
    }
    static long now() {
        return field("VmRSS:");
    }
    static long highMark() {
        return field("VmHWM:");
    }
#endif
    long before_ = 0, peak_ = 0;
};

}  // namespace postern::tests
