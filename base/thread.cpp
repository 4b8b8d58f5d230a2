#include "base/thread.h"

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <malloc.h>
#include <pthread.h>
#include <sys/resource.h>
#include <thread>
#include <unistd.h>

namespace postern {

void nameThisThread(const std::string& name) {
    ::pthread_setname_np(::pthread_self(), name.substr(0, 15).c_str());
}

void giveWay() {
    static thread_local const bool done = [] {
        constexpr int kNicer = 15, kNicest = 19;
        const auto self = static_cast<id_t>(::gettid());  // for the kernel a thread is a process
        const int now = ::getpriority(PRIO_PROCESS, self);
        return ::setpriority(PRIO_PROCESS, self, std::min(now + kNicer, kNicest)) == 0;
    }();
    (void)done;
}

void workInSlices() {
    using std::chrono::steady_clock;
    constexpr auto kSlice = std::chrono::microseconds(250), kPause = 8 * kSlice;
    static thread_local steady_clock::time_point begun = steady_clock::now();
    if (steady_clock::now() - begun < kSlice) return;
    std::this_thread::sleep_for(kPause);
    begun = steady_clock::now();
}

void returnFreeMemory() {
#ifdef __GLIBC__
    ::malloc_trim(0);
#endif
}

}  // namespace postern
