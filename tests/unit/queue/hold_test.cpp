#include "queue/hold.h"

#include <atomic>
#include <thread>

#include "tests/unit/queue/fixture.h"

namespace postern::queue {
namespace {

class HoldTest : public QueueTest {
  protected:
    void hold(std::optional<WallTime> until = std::nullopt, const std::string& adapter = "maildir") {
        inWrite([&](store::WriteSession& session) {
            return holdAdapter(session, {adapter, clock_.now(), "anna", "new disk", until});
        });
    }
    std::vector<AdapterHold> holds() {
        std::vector<AdapterHold> found;
        inRead([&](store::ReadSession& session) -> Result<void> {
            POSTERN_LET(read, readHolds(session));
            found = std::move(read);
            return {};
        });
        return found;
    }
    std::size_t claimed(const std::string& adapter = "maildir") {
        return queue_->claim(adapter, 10).value().size();
    }
};

TEST_F(HoldTest, NothingOfASuspendedAdapterIsClaimed) {
    post();
    post(1, "drop");
    hold();
    EXPECT_EQ(claimed(), 0u);
    sql("UPDATE item SET deaths = 1 WHERE adapter = 'maildir'");
    EXPECT_EQ(claimed(), 0u) << "suspects neither";
    EXPECT_EQ(claimed("drop"), 1u) << "others do not notice";
    inWrite([&](store::WriteSession& session) -> Result<void> {
        POSTERN_LET(gone, releaseAdapter(session, "maildir"));
        EXPECT_TRUE(gone);
        return {};
    });
    EXPECT_EQ(claimed(), 1u);
}

TEST_F(HoldTest, ItEndsByItselfAtItsTime) {
    post();
    hold(clock_.now() + Millis(5000));
    clock_.advance(Millis(4999));
    EXPECT_EQ(claimed(), 0u);
    const auto release = [&] {
        bool gone = false;
        inWrite([&](store::WriteSession& session) -> Result<void> {
            POSTERN_LET(released, releaseExpired(session, "maildir", clock_.now()));
            gone = released;
            return {};
        });
        return gone;
    };
    EXPECT_FALSE(release());
    clock_.advance(Millis(1));
    EXPECT_EQ(claimed(), 1u);
    EXPECT_FALSE(holds().at(0).holds(clock_.now()));
    EXPECT_TRUE(release());
    EXPECT_TRUE(holds().empty());
}

TEST_F(HoldTest, TheLastWordCountsAndAnEndIsInTheFuture) {
    hold(clock_.now() + Millis(5000));
    hold();
    ASSERT_EQ(holds().size(), 1u);
    EXPECT_FALSE(holds()[0].until);
    EXPECT_EQ(holds()[0].who, "anna");
    EXPECT_EQ(holds()[0].reason, "new disk");
    for (const AdapterHold& wrong :
         {AdapterHold{"", clock_.now(), "anna", "", {}}, AdapterHold{"a", clock_.now(), "", "", {}},
          AdapterHold{"a", clock_.now(), "anna", "", clock_.now()}})
        EXPECT_FALSE(
            store_->write([&](store::WriteSession& session) { return holdAdapter(session, wrong); }).ok());
}

// However claims and the suspension meet: what is claimed after it was answered is nothing.
TEST_F(HoldTest, NoClaimBeginsOnceTheSuspensionIsAnswered) {
    for (int round = 0; round < 20; ++round) {
        postMany(40);
        std::atomic<bool> answered{false};
        std::atomic<int> late{0};
        std::vector<std::jthread> watchers;
        for (int i = 0; i < 3; ++i)
            watchers.emplace_back([&] {
                for (int n = 0; n < 10; ++n) {
                    const bool after = answered;
                    const auto claims = queue_->claim("maildir", 2);
                    if (after && claims.ok() && !claims->empty()) ++late;
                }
            });
        hold();
        answered = true;
        watchers.clear();
        EXPECT_EQ(late, 0) << round;
        inWrite([&](store::WriteSession& session) -> Result<void> {
            POSTERN_LET(gone, releaseAdapter(session, "maildir"));
            EXPECT_TRUE(gone);
            return {};
        });
    }
}

TEST_F(HoldTest, WhatEndedLatelyIsFoundForItsAdapter) {
    ItemId item;
    const Claim claim = publishing(item);
    const Settlement done = settlementOf(claim, Settlement::Kind::Exported);
    ASSERT_TRUE(queue_->settle(std::span(&done, 1)).ok());
    const auto found = [&](const std::string& adapter, Millis ago) {
        std::size_t count = 0;
        inRead([&](store::ReadSession& session) -> Result<void> {
            POSTERN_LET(ended, endedSince(session, adapter, clock_.now() - ago, 10));
            count = ended.size();
            return {};
        });
        return count;
    };
    EXPECT_EQ(found("maildir", Millis(1)), 1u);
    EXPECT_EQ(found("drop", Millis(1)), 0u);
    clock_.advance(Millis(10));
    EXPECT_EQ(found("maildir", Millis(10)), 0u);
}

}  // namespace
}  // namespace postern::queue
