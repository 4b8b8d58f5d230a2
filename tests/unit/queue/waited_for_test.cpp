// What mail waits for is there: it is due, and nothing else of it changes.

#include "queue/waited_for.h"

#include "tests/unit/queue/fixture.h"

namespace postern::queue {
namespace {

constexpr Millis kHour{3'600'000};
constexpr const char* kAway = "ann is not in the chat now";

class WaitedForTest : public QueueTest {
  protected:
    ItemId putOff(const std::string& reason) {
        const ItemId item = post();
        Settlement settlement = settlementOf(claimOne(), Settlement::Kind::Deferred);
        settlement.due = clock_.now() + kHour;
        settlement.reason = reason;
        EXPECT_EQ(queue_->settle(std::span(&settlement, 1))->size(), 1u);
        return item;
    }
    Result<std::size_t> come(const std::function<Result<void>()>& goOn = [] { return Result<void>(); }) {
        return dueForReason(*store_, "maildir", kAway, "ann is in the chat", clock_.now(), goOn);
    }
};

TEST_F(WaitedForTest, OnlyWhatWaitsForItIsDue) {
    const ItemId hers = putOff("Ann is not in the chat now");
    putOff("joann is not in the chat now");
    const ItemId suspect = putOff(kAway);
    sql("UPDATE item SET deaths = 1 WHERE id = 3");
    const ItemId held = putOff(kAway);
    force(held, State::Held);
    EXPECT_EQ(come().value(), 2u);
    EXPECT_EQ(come().value(), 0u) << "it is due already";
    EXPECT_EQ(state(held), State::Held);
    EXPECT_EQ(row(hers).due, clock_.now());
    EXPECT_EQ(row(suspect).due, clock_.now());
    EXPECT_EQ(number("SELECT count(*) FROM item WHERE state = 'ready'"), 3) << "joann's waits";
}

// Who comes daily and leaves again does not keep it for ever.
TEST_F(WaitedForTest, ItGrowsNoYoungerAndItsHistorySaysWhy) {
    const ItemId item = putOff(kAway);
    const ItemRow before = row(item);
    clock_.advance(before.expires - clock_.now() - kHour);
    sql("UPDATE item SET due_ms = expires_ms");
    const auto past = history(item).size();
    EXPECT_EQ(come().value(), 1u);
    const ItemRow after = row(item);
    EXPECT_EQ(after.expires, before.expires);
    EXPECT_EQ(after.attempts, before.attempts);
    EXPECT_EQ(after.reason, before.reason);
    ASSERT_EQ(history(item).size(), past + 1);
    const HistoryRow last = history(item).back();
    EXPECT_EQ(last.who + " " + last.what + " " + last.detail, "postern retry ann is in the chat");
}

// However much waits: a stop waits for no more than one portion.
TEST_F(WaitedForTest, ItEndsWhenItIsTold) {
    constexpr int kMails = 250;
    for (int i = 0; i < kMails; ++i) putOff(kAway);
    int asked = 0;
    const auto stop = [&](int after) {
        return [&asked, after]() -> Result<void> {
            if (asked++ < after) return {};
            return fail(Errc::Stopped, "enough");
        };
    };
    EXPECT_EQ(come(stop(10)).error().code, Errc::Stopped);
    EXPECT_EQ(asked, 11) << "while it looks";
    asked = 0;
    EXPECT_EQ(come(stop(kMails + 1)).error().code, Errc::Stopped);
    EXPECT_EQ(come().value(), kMails - 100u) << "one portion was written";
}

}  // namespace
}  // namespace postern::queue
