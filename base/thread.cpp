#include "base/thread.h"

#include <chrono>
#include <thread>

namespace postern {

void workInSlices() {
    using std::chrono::steady_clock;
    constexpr auto kSlice = std::chrono::microseconds(250), kPause = 8 * kSlice;
    static thread_local steady_clock::time_point begun = steady_clock::now();
    if (steady_clock::now() - begun < kSlice) return;
    std::this_thread::sleep_for(kPause);
    begun = steady_clock::now();
}

}  // namespace postern
