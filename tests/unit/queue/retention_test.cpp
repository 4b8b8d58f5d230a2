#include <gmock/gmock.h>

#include "tests/unit/queue/fixture.h"

namespace postern::queue {
namespace {

class RetentionTest : public QueueTest {
  protected:
    std::int64_t purge(WallTime before, int most = 100) {
        std::int64_t gone = 0;
        inWrite([&](store::WriteSession& session) -> Result<void> {
            POSTERN_LET(count, purgeSettled(session, before, most, files_));
            gone = count;
            return {};
        });
        return gone;
    }
    std::vector<std::string> files_;
};

TEST_F(RetentionTest, OnlyFinalItemsSettledBeforeTheLimitGo) {
    for (const State from : kAllStates) force(post(), from);
    const WallTime now = clock_.now();
    EXPECT_EQ(purge(now), 0) << "settled at the limit is not before it";
    EXPECT_EQ(purge(now + Millis(1)), 3);
    for (const State from : kAllStates) {
        Filter filter;
        filter.states = {from};
        int left = 0;
        inRead([&](store::ReadSession& session) {
            return listItems(session, filter, [&](const ItemRow&) { return ++left > 0; });
        });
        EXPECT_EQ(left, isFinal(from) ? 0 : 1) << stateName(from);
    }
    EXPECT_EQ(number("SELECT count(*) FROM message"), 5);
    EXPECT_EQ(number("SELECT count(*) FROM body"), 5);
    EXPECT_EQ(number("SELECT count(*) FROM recipient"), 5);
    EXPECT_EQ(number("SELECT count(DISTINCT item_id) FROM history"), 5) << "history goes with its item";
}

TEST_F(RetentionTest, AMessageStaysAsLongAsOneOfItsItemsNeedsIt) {
    const MessageId mail = message();
    std::vector<NewItem> items(2);
    items[0].group = "1";
    items[1].group = "2";
    for (NewItem& item : items) {
        item.adapter = "maildir";
        item.recipients.push_back({0, "user@example.org", "USER", "pending", ""});
    }
    inWrite([&](store::WriteSession& session) -> Result<void> {
        POSTERN_LET(ids, enqueue(session, mail, items, clock_.now()));
        return {};
    });
    const WallTime later = clock_.now() + Millis(1000);
    for (const State other : {State::Ready, State::Claimed, State::Publishing, State::Held, State::InDoubt}) {
        force(ItemId{1}, State::Exported);
        force(ItemId{2}, other);
        EXPECT_EQ(purge(later), 0) << "the other item is " << stateName(other);
    }
    force(ItemId{2}, State::Failed);
    sql("UPDATE item SET settled_ms = settled_ms + 5000 WHERE id = 2");
    EXPECT_EQ(purge(later), 0) << "the other one was settled too recently";
    EXPECT_EQ(purge(later + Millis(5000)), 1);
    EXPECT_EQ(number("SELECT count(*) FROM item"), 0);
}

TEST_F(RetentionTest, GoesInSmallBatchesAndPastThoseThatMustStay) {
    postMany(10);
    const MessageId stays = message();
    std::vector<NewItem> items(2);
    for (std::size_t i = 0; i < 2; ++i) {
        items[i].adapter = "maildir";
        items[i].group = std::to_string(i);
        items[i].recipients.push_back({0, "user@example.org", "USER", "pending", ""});
    }
    inWrite([&](store::WriteSession& session) -> Result<void> {
        POSTERN_LET(ids, enqueue(session, stays, items, clock_.now()));
        return {};
    });
    for (int id = 1; id <= 11; ++id) force(ItemId{id}, State::Exported);
    sql("UPDATE item SET settled_ms = 1 WHERE id = 11");  // first in line, but its sister still waits
    const WallTime later = clock_.now() + Millis(1);
    EXPECT_EQ(purge(later, 4), 4);
    EXPECT_EQ(purge(later, 4), 4);
    EXPECT_EQ(purge(later, 4), 2);
    EXPECT_EQ(purge(later, 4), 0);
    EXPECT_EQ(number("SELECT count(*) FROM item"), 2);
}

TEST_F(RetentionTest, IdsAreNeverUsedAgain) {
    const ItemId item = post();
    const MessageId mail = row(item).message;
    force(item, State::Exported);
    ASSERT_EQ(purge(clock_.now() + Millis(1)), 1);
    const ItemId next = post();
    EXPECT_GT(next, item) << "file names derive from ids (I2)";
    EXPECT_GT(row(next).message, mail);
}

}  // namespace
}  // namespace postern::queue
