#include "base/thread.h"

#include <algorithm>
#include <cstdlib>
#include <malloc.h>
#include <pthread.h>
#include <sys/resource.h>
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

void returnFreeMemory() {
#ifdef __GLIBC__
    ::malloc_trim(0);
#endif
}

}  // namespace postern
