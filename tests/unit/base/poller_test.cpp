#include "base/poller.h"

#include <chrono>
#include <fcntl.h>
#include <sys/socket.h>
#include <thread>
#include <unistd.h>

#include <gtest/gtest.h>

namespace postern {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr milliseconds kLong(60'000);
constexpr milliseconds kNow(0);

class PollerTest : public testing::Test {
  protected:
    void SetUp() override {
        auto made = Poller::create();
        ASSERT_TRUE(made.ok()) << made.error().text;
        poller = std::move(made).value();
        ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair), 0);
    }
    void TearDown() override {
        for (const int handle : pair)
            if (handle >= 0) ::close(handle);
    }
    void closeOther() {
        ::close(pair[1]);
        pair[1] = -1;
    }
    void fill() {  // until the other side takes no more
        const std::string block(65536, 'x');
        while (::write(pair[0], block.data(), block.size()) > 0) {
        }
    }
    void drain(int handle) {
        char block[65536];
        while (::read(handle, block, sizeof block) > 0) {
        }
    }

    std::unique_ptr<Poller> poller;
    int pair[2] = {-1, -1};
};

TEST_F(PollerTest, NothingHappensIsAnEmptyListAtTheDeadline) {
    ASSERT_TRUE(poller->add(pair[0], 7, true, false).ok());
    const auto start = steady_clock::now();
    EXPECT_TRUE(poller->wait(milliseconds(20)).empty());
    EXPECT_GE(steady_clock::now() - start, milliseconds(19));
}

TEST_F(PollerTest, ReadableStaysUntilRead) {
    ASSERT_TRUE(poller->add(pair[0], 7, true, false).ok());
    ASSERT_EQ(::write(pair[1], "x", 1), 1);
    for (int i = 0; i < 2; ++i) {
        const auto& ready = poller->wait(kLong);
        ASSERT_EQ(ready.size(), 1u);
        EXPECT_EQ(ready[0].token, 7u);
        EXPECT_TRUE(ready[0].readable);
        EXPECT_FALSE(ready[0].writable);
    }
    drain(pair[0]);
    EXPECT_TRUE(poller->wait(kNow).empty());
}

TEST_F(PollerTest, WritableComesBackWhenTheOtherSideReads) {
    ASSERT_TRUE(poller->add(pair[0], 7, false, true).ok());
    ASSERT_EQ(poller->wait(kLong).size(), 1u);
    fill();
    EXPECT_TRUE(poller->wait(kNow).empty());
    drain(pair[1]);
    const auto& ready = poller->wait(kLong);
    ASSERT_EQ(ready.size(), 1u);
    EXPECT_TRUE(ready[0].writable);
    EXPECT_FALSE(ready[0].readable);
}

TEST_F(PollerTest, ChangeSaysWhatIsWantedFromNowOn) {
    ASSERT_TRUE(poller->add(pair[0], 7, true, false).ok());
    ASSERT_EQ(::write(pair[1], "x", 1), 1);
    ASSERT_TRUE(poller->change(pair[0], 8, false, false).ok());
    EXPECT_TRUE(poller->wait(kNow).empty()) << "back-pressure: what is not wanted is not reported";
    ASSERT_TRUE(poller->change(pair[0], 9, true, true).ok());
    const auto& ready = poller->wait(kLong);
    ASSERT_EQ(ready.size(), 1u);
    EXPECT_EQ(ready[0].token, 9u);
    EXPECT_TRUE(ready[0].readable);
    EXPECT_TRUE(ready[0].writable);
}

TEST_F(PollerTest, ARemovedHandleIsNotReportedAndMayComeBack) {
    ASSERT_TRUE(poller->add(pair[0], 7, true, false).ok());
    ASSERT_EQ(::write(pair[1], "x", 1), 1);
    poller->remove(pair[0]);
    EXPECT_TRUE(poller->wait(kNow).empty());
    EXPECT_FALSE(poller->change(pair[0], 7, true, false).ok());
    ASSERT_TRUE(poller->add(pair[0], 10, true, false).ok());
    ASSERT_EQ(poller->wait(kLong).size(), 1u);
}

TEST_F(PollerTest, AddingTwiceIsAnError) {
    ASSERT_TRUE(poller->add(pair[0], 7, true, false).ok());
    EXPECT_EQ(poller->add(pair[0], 8, true, false).error().code, Errc::Exists);
}

TEST_F(PollerTest, AHangUpIsReadable) {
    ASSERT_TRUE(poller->add(pair[0], 7, true, false).ok());
    closeOther();
    const auto& ready = poller->wait(kLong);
    ASSERT_EQ(ready.size(), 1u);
    EXPECT_TRUE(ready[0].readable) << "reading tells that the other side is gone";
}

TEST_F(PollerTest, WakeFromAnotherThreadEndsAWait) {
    const auto start = steady_clock::now();
    std::jthread other([&] { poller->wake(); });
    EXPECT_TRUE(poller->wait(kLong).empty());
    EXPECT_LT(steady_clock::now() - start, kLong);
}

TEST_F(PollerTest, AWakeBeforeTheWaitIsNotLostAndManyAreOne) {
    for (int i = 0; i < 1000; ++i) poller->wake();
    auto start = steady_clock::now();
    EXPECT_TRUE(poller->wait(kLong).empty());
    EXPECT_LT(steady_clock::now() - start, kLong);
    start = steady_clock::now();
    EXPECT_TRUE(poller->wait(milliseconds(20)).empty());
    EXPECT_GE(steady_clock::now() - start, milliseconds(19)) << "the wakes before were used up";
}

TEST_F(PollerTest, ManyHandlesAreAllReportedInTheEnd) {
    std::vector<int> handles;
    for (int i = 0; i < 300; ++i) {  // more than one batch
        int pipes[2];
        ASSERT_EQ(::pipe2(pipes, O_CLOEXEC), 0);
        handles.push_back(pipes[0]);
        handles.push_back(pipes[1]);
        ASSERT_TRUE(poller->add(pipes[0], static_cast<std::uint64_t>(i) + 1, true, false).ok());
        ASSERT_EQ(::write(pipes[1], "x", 1), 1);
    }
    std::size_t seen = 0;
    while (seen < 300) {
        const auto ready = poller->wait(kLong);
        ASSERT_FALSE(ready.empty());
        for (const auto& event : ready) {
            poller->remove(handles[(event.token - 1) * 2]);
            ++seen;
        }
    }
    EXPECT_TRUE(poller->wait(kNow).empty());
    for (const int handle : handles) ::close(handle);
}

}  // namespace
}  // namespace postern
