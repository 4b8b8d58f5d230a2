#include "base/thread.h"

#include <cstdlib>
#include <malloc.h>
#include <pthread.h>

namespace postern {

void nameThisThread(const std::string& name) {
    ::pthread_setname_np(::pthread_self(), name.substr(0, 15).c_str());
}

void returnFreeMemory() {
#ifdef __GLIBC__
    ::malloc_trim(0);
#endif
}

}  // namespace postern
