#include "base/thread.h"

#include <algorithm>
#include <pthread.h>
#include <sched.h>
#include <sys/resource.h>
#include <thread>
#include <unistd.h>

#include <gtest/gtest.h>

namespace postern {
namespace {

std::string shownName(const std::string& wanted) {
    std::string shown;
    std::jthread([&] {
        nameThisThread(wanted);
        char text[16] = {};
        ::pthread_getname_np(::pthread_self(), text, sizeof text);
        shown = text;
    }).join();
    return shown;
}

TEST(Thread, NamesAreCutNotRefused) {
    EXPECT_EQ(shownName("writer"), "writer");
    EXPECT_EQ(shownName("watcher-museum-12"), "watcher-museum-");
}

int niceness() {
    return ::getpriority(PRIO_PROCESS, static_cast<id_t>(::gettid()));
}

TEST(Thread, GivingWayIsOfOneThreadAndOnce) {
    const int before = niceness();
    int first = 0, second = 0;
    std::jthread([&] {
        giveWay();
        first = niceness();
        giveWay();
        second = niceness();
    }).join();
    EXPECT_EQ(first, std::min(19, before + 15));
    EXPECT_EQ(second, first);
    EXPECT_EQ(niceness(), before) << "the others go on as they were";
}

TEST(Thread, GivingWayToAllIsOfOneThread) {
    const int before = ::sched_getscheduler(0);
    int other = -1;
    std::jthread([&] {
        giveWayToAll();
        other = ::sched_getscheduler(0);
    }).join();
    EXPECT_EQ(other, SCHED_IDLE);
    EXPECT_EQ(::sched_getscheduler(0), before) << "the others go on as they were";
}

}  // namespace
}  // namespace postern
