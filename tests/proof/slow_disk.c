/* A disk whose every sync takes POSTERN_SYNC_MILLIS longer; preloaded by overload.py. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdlib.h>
#include <time.h>

typedef int (*Sync)(int);

static void take_time(void) {
    static long millis = -1;
    if (millis < 0) {
        const char* text = getenv("POSTERN_SYNC_MILLIS");
        millis = text ? strtol(text, NULL, 10) : 0;
    }
    const struct timespec pause = {millis / 1000, millis % 1000 * 1000000L};
    nanosleep(&pause, NULL);
}

static int delayed(const char* name, int file) {
    take_time();
    errno = 0;
    const Sync real = (Sync)dlsym(RTLD_NEXT, name);
    return real(file);
}

int fsync(int file) {
    return delayed("fsync", file);
}

int fdatasync(int file) {
    return delayed("fdatasync", file);
}

int syncfs(int file) {
    return delayed("syncfs", file);
}
