// The wall clock is set back: mail whose time was given by the clock that was ahead must not wait for it.

#include "queue/set_back.h"

#include "tests/unit/queue/fixture.h"

namespace postern::queue {
namespace {

constexpr Millis kHour{3'600'000};

class SetBackTest : public QueueTest {
  protected:
    int dueNow(int most = 100) { return dueAfterSetBack(*store_, "maildir", clock_.now(), most).value(); }
    void putOff(Millis by) {
        Settlement settlement = settlementOf(claimOne(), Settlement::Kind::Deferred);
        settlement.due = clock_.now() + by;
        EXPECT_EQ(queue_->settle(std::span(&settlement, 1))->size(), 1u);
    }
};

TEST_F(SetBackTest, MailOfAClockThatWasAheadIsDueAtOnce) {
    postMany(3);
    clock_.jumpWall(-kHour);
    EXPECT_TRUE(queue_->claim("maildir", 3)->empty());
    EXPECT_EQ(dueAfterSetBack(*store_, "ccmail", clock_.now(), 100).value(), 0) << "another adapter's";
    EXPECT_EQ(dueNow(2), 2);
    EXPECT_EQ(dueNow(2), 1);
    EXPECT_EQ(dueNow(), 0);
    EXPECT_EQ(queue_->claim("maildir", 3)->size(), 3u);
}

TEST_F(SetBackTest, WhatWasPutOffByThatClockIsTriedAgain) {
    post();
    clock_.jumpWall(kHour);
    putOff(Millis(60'000));
    sql("UPDATE item SET deaths = 1");
    clock_.jumpWall(-kHour);
    EXPECT_EQ(dueNow(), 1) << "suspects too";
    EXPECT_EQ(claimOne().attempts, 2);
}

// Its claim's end was recorded by the clock of now; when it is due, by the other.
TEST_F(SetBackTest, WhatAnotherProcessHadInItsHandsIsDueToo) {
    clock_.jumpWall(kHour);
    const ItemId item = post();
    force(item, State::Claimed, 1, "another");
    clock_.jumpWall(-kHour);
    EXPECT_TRUE(queue_->takeLapsed("maildir", true, 1).ok());
    ASSERT_EQ(state(item), State::Ready);
    EXPECT_EQ(dueNow(), 1);
}

TEST_F(SetBackTest, WhatWasPutOffByTheSameClockWaits) {
    post();
    putOff(kHour);
    EXPECT_EQ(dueNow(), 0);
    clock_.advance(Millis(1));
    EXPECT_EQ(dueNow(), 0);
    EXPECT_TRUE(queue_->claim("maildir", 1)->empty());
}

TEST_F(SetBackTest, OnlyAClockThatIsSetBackIsNoticed) {
    SetBack setBack;
    EXPECT_TRUE(setBack.since(clock_)) << "nobody knows what was before";
    clock_.advance(kHour);
    EXPECT_FALSE(setBack.since(clock_));
    clock_.jumpWall(kHour);
    EXPECT_FALSE(setBack.since(clock_));
    clock_.jumpWall(-kHour);
    EXPECT_TRUE(setBack.since(clock_));
    EXPECT_FALSE(setBack.since(clock_)) << "once";
    clock_.jumpWall(Millis(-900));
    EXPECT_FALSE(setBack.since(clock_)) << "clocks are corrected all the time";
}

}  // namespace
}  // namespace postern::queue
