#include "base/thread.h"

#include <algorithm>
#include <chrono>
#include <ctime>
#include <pthread.h>
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

std::chrono::nanoseconds ownTime() {
    timespec used{};
    EXPECT_EQ(::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &used), 0);
    return std::chrono::seconds(used.tv_sec) + std::chrono::nanoseconds(used.tv_nsec);
}

TEST(Thread, WorkInSlicesLeavesMostOfTheProcessor) {
    const auto begun = std::chrono::steady_clock::now();
    const auto usedBefore = ownTime();
    while (ownTime() - usedBefore < std::chrono::milliseconds(5)) workInSlices();
    // Twenty slices with a sleep behind each; a busy machine only makes it longer.
    EXPECT_GE(std::chrono::steady_clock::now() - begun, std::chrono::milliseconds(15));
}

}  // namespace
}  // namespace postern
