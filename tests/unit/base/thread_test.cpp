#include "base/thread.h"

#include <pthread.h>
#include <thread>

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

}  // namespace
}  // namespace postern
