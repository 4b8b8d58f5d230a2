// A disk whose every sync takes POSTERN_SYNC_MILLIS longer; preloaded by overload.py.

#include <chrono>
#include <cstdlib>
#include <dlfcn.h>
#include <thread>
#include <unistd.h>

namespace {

int delayed(const char* name, int file) {
    static const char* const millis = std::getenv("POSTERN_SYNC_MILLIS");
    std::this_thread::sleep_for(std::chrono::milliseconds(millis != nullptr ? std::atoi(millis) : 0));
    return reinterpret_cast<int (*)(int)>(dlsym(RTLD_NEXT, name))(file);
}

}  // namespace

extern "C" int fsync(int file) {
    return delayed("fsync", file);
}

extern "C" int fdatasync(int file) {
    return delayed("fdatasync", file);
}

extern "C" int syncfs(int file) noexcept {
    return delayed("syncfs", file);
}
