#include "base/thread.h"

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
        constexpr int kNice = 15;
        const auto self = static_cast<id_t>(::gettid());  // for the kernel a thread is a process
        return ::getpriority(PRIO_PROCESS, self) < kNice && ::setpriority(PRIO_PROCESS, self, kNice) == 0;
    }();
    (void)done;
}

void returnFreeMemory() {
#ifdef __GLIBC__
    ::malloc_trim(0);
#endif
}

}  // namespace postern
