#include "base/poller.h"

#include <chrono>
#include <memory>
#include <thread>

#include <gtest/gtest.h>

#include "tests/kit/socket_pair.h"
#include "tests/kit/wait.h"

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
        ASSERT_GE(pair[0], 0);
        ASSERT_GE(pair[1], 0);
    }
    // Until the other side takes no more: what is on its way may make room once more.
    void fill() {
        const std::string block(65536, 'x');
        for (int quiet = 0; quiet < 3;) {
            while (pair.send(0, block) > 0) quiet = 0;
            const auto& ready = poller->wait(milliseconds(quiet * 20));
            quiet = ready.empty() ? quiet + 1 : 0;
        }
    }
    void drain(int end) {
        while (!pair.receive(end).empty()) {
        }
    }

    std::unique_ptr<Poller> poller;
    tests::SocketPair pair;
};

TEST_F(PollerTest, NothingHappensIsAnEmptyListAtTheDeadline) {
    ASSERT_TRUE(poller->add(pair[0], 7, true, false).ok());
    const auto start = steady_clock::now();
    EXPECT_TRUE(poller->wait(milliseconds(20)).empty());
    EXPECT_GE(steady_clock::now() - start, milliseconds(19));
}

// A caller's deadline may have passed while it had no processor.
TEST_F(PollerTest, AMomentThatHasPassedIsNotForEver) {
    EXPECT_TRUE(poller->wait(milliseconds(-1)).empty());
    EXPECT_TRUE(poller->wait(milliseconds(-5000)).empty());
}

TEST_F(PollerTest, ReadableStaysUntilRead) {
    ASSERT_TRUE(poller->add(pair[0], 7, true, false).ok());
    ASSERT_EQ(pair.send(1, "x"), 1);
    for (int i = 0; i < 2; ++i) {
        const auto& ready = poller->wait(kLong);
        ASSERT_EQ(ready.size(), 1u);
        EXPECT_EQ(ready[0].token, 7u);
        EXPECT_TRUE(ready[0].readable);
        EXPECT_FALSE(ready[0].writable);
    }
    drain(0);
    EXPECT_TRUE(poller->wait(kNow).empty());
}

TEST_F(PollerTest, WritableComesBackWhenTheOtherSideReads) {
    ASSERT_TRUE(poller->add(pair[0], 7, false, true).ok());
    ASSERT_EQ(poller->wait(kLong).size(), 1u);
    fill();
    EXPECT_TRUE(poller->wait(kNow).empty());
    ASSERT_TRUE(tests::waitFor([&] {
        drain(1);
        return !poller->wait(kNow).empty();
    }));
    const auto& ready = poller->wait(kLong);
    ASSERT_EQ(ready.size(), 1u);
    EXPECT_TRUE(ready[0].writable);
    EXPECT_FALSE(ready[0].readable);
}

TEST_F(PollerTest, ChangeSaysWhatIsWantedFromNowOn) {
    ASSERT_TRUE(poller->add(pair[0], 7, true, false).ok());
    ASSERT_EQ(pair.send(1, "x"), 1);
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
    ASSERT_EQ(pair.send(1, "x"), 1);
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
    pair.close(1);
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
    std::vector<std::unique_ptr<tests::SocketPair>> pairs;
    for (int i = 0; i < 300; ++i) {  // more than one batch
        pairs.push_back(std::make_unique<tests::SocketPair>());
        ASSERT_TRUE(poller->add((*pairs.back())[0], static_cast<std::uint64_t>(i) + 1, true, false).ok());
        ASSERT_EQ(pairs.back()->send(1, "x"), 1);
    }
    std::size_t seen = 0;
    while (seen < 300) {
        const auto ready = poller->wait(kLong);
        ASSERT_FALSE(ready.empty());
        for (const auto& event : ready) {
            poller->remove((*pairs[event.token - 1])[0]);
            ++seen;
        }
    }
    EXPECT_TRUE(poller->wait(kNow).empty());
}

// Else a client that has said its last word and does not read would keep a processor busy.
TEST_F(PollerTest, AnEndThatNobodyWaitsForIsNoEvent) {
    ASSERT_TRUE(poller->add(pair[0], 7, false, true).ok());
    fill();
    pair.endSending(1);
    const auto start = steady_clock::now();
    EXPECT_TRUE(poller->wait(milliseconds(60)).empty());
    EXPECT_GE(steady_clock::now() - start, milliseconds(59));
    ASSERT_TRUE(poller->change(pair[0], 7, true, false).ok());
    ASSERT_EQ(poller->wait(kLong).size(), 1u);
    EXPECT_TRUE(poller->wait(kLong)[0].readable);
}

}  // namespace
}  // namespace postern
