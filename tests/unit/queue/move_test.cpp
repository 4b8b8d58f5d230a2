#include "queue/move.h"

#include <gmock/gmock.h>

#include "tests/unit/queue/fixture.h"

namespace postern::queue {
namespace {

class MoveTest : public QueueTest {
  protected:
    // One item for each recipient, called FAX-<address> there.
    static Result<std::vector<NewItem>> oneEach(const std::vector<RecipientRow>& recipients,
                                                WallTime received) {
        std::vector<NewItem> items;
        for (const RecipientRow& recipient : recipients) {
            NewItem item;
            item.expires = received + std::chrono::hours(1);
            item.recipients.push_back(recipient);
            item.recipients.back().legacy = "FAX-" + recipient.address;
            items.push_back(std::move(item));
        }
        return items;
    }
    MoveOrder orderOf(ItemId item, const std::string& adapter = "fax") {
        MoveOrder order;
        order.item = item;
        order.adapter = adapter;
        order.who = "anna";
        order.reason = "the line is down";
        return order;
    }
    Moved move(const MoveOrder& order) {
        Moved moved;
        inWrite([&](store::WriteSession& session) -> Result<void> {
            POSTERN_LET(done, moveItem(session, order, oneEach, clock_.now()));
            moved = std::move(done);
            return {};
        });
        return moved;
    }
};

TEST_F(MoveTest, AWaitingItemEndsAndItsRecipientsStandInNewOnes) {
    const ItemId old = post(2);
    sql("UPDATE recipient SET notify = 'never', original = 'rfc822;x', reported = 'delayed'");
    const Moved moved = move(orderOf(old));
    ASSERT_EQ(moved.items.size(), 2u) << moved.text;
    EXPECT_EQ(moved.text, "moved to adapter fax as items 2, 3");
    EXPECT_EQ(state(old), State::Deleted);
    EXPECT_EQ(row(old).reason, "moved to adapter fax as items 2, 3, the line is down");
    for (const RecipientRow& recipient : recipients(old)) EXPECT_EQ(recipient.outcome, "deleted");
    const ItemRow made = row(moved.items[0]);
    EXPECT_EQ(made.state, State::Ready);
    EXPECT_EQ(made.adapter, "fax");
    EXPECT_EQ(made.group, "from-1-1");
    EXPECT_EQ(made.attempts, 0);
    EXPECT_EQ(made.expires, row(old).expires) << "it lives as long as it would have";
    const RecipientRow recipient = recipients(moved.items[0]).at(0);
    EXPECT_EQ(recipient.legacy, "FAX-user1@example.org");
    EXPECT_EQ(recipient.notify, "never");
    EXPECT_EQ(recipient.original, "rfc822;x");
    EXPECT_EQ(number("SELECT count(*) FROM recipient WHERE reported = 'delayed'"), 4);
    EXPECT_EQ(history(old).back().what, "moved");
    EXPECT_EQ(history(old).back().who, "anna");
    EXPECT_EQ(history(moved.items[1]).back().what, "moved");
    EXPECT_EQ(history(moved.items[1]).back().detail, "from adapter maildir, item 1, the line is down");
    // Once moved, never again.
    const std::string before = everything(old);
    EXPECT_TRUE(move(orderOf(old)).items.empty());
    EXPECT_EQ(everything(old), before);
}

TEST_F(MoveTest, OnlyWhatNobodyHoldsAndNobodyHasIsMoved) {
    for (const State from : kAllStates) {
        const ItemId item = post();
        force(item, from);
        if (from == State::Failed) sql("UPDATE recipient SET outcome = 'failed' WHERE outcome = 'pending'");
        const std::string before = everything(item);
        const Moved moved = move(orderOf(item));
        const bool takes = from == State::Ready || from == State::Held || from == State::Failed;
        EXPECT_EQ(!moved.items.empty(), takes) << stateName(from) << ": " << moved.text;
        if (takes) continue;
        EXPECT_EQ(everything(item), before) << stateName(from);
    }
    EXPECT_EQ(move(orderOf(ItemId{4711})).text, "there is no such item");
}

TEST_F(MoveTest, ARecipientThatHasTheMailKeepsItAndGetsNoSecond) {
    const ItemId item = post(2);
    sql("UPDATE recipient SET outcome = 'exported' WHERE ordinal = 1");
    const Moved moved = move(orderOf(item));
    ASSERT_EQ(moved.items.size(), 1u);
    EXPECT_EQ(recipients(moved.items[0]).at(0).address, "user2@example.org");
    EXPECT_EQ(recipients(item).at(0).outcome, "exported");
}

TEST_F(MoveTest, AnItemThatWasClaimedSinceStays) {
    const ItemId item = post();
    const Claim claim = claimOne();
    ASSERT_TRUE(queue_->giveBack(std::span(&claim, 1)).ok());
    MoveOrder order = orderOf(item);
    order.epoch = Epoch{claim.epoch.value - 1};
    EXPECT_TRUE(move(order).items.empty());
    EXPECT_EQ(state(item), State::Ready);
    order.epoch = claim.epoch;
    operate(Verb::Hold, {item});
    EXPECT_TRUE(move(order).items.empty()) << "a person holds it";
    operate(Verb::Release, {item});
    EXPECT_FALSE(move(order).items.empty());
}

TEST_F(MoveTest, Q177862_mail_never_goes_back_the_way_it_came) {
    const ItemId item = post();
    sql("UPDATE message SET source = 'adapter/fax'");
    EXPECT_EQ(move(orderOf(item)).text, "came in by adapter fax and does not go back there");
    EXPECT_EQ(state(item), State::Ready);
    EXPECT_FALSE(move(orderOf(item, "print")).items.empty());
}

TEST_F(MoveTest, TheSameAdapterMayGetItAgainAsANewItem) {
    const ItemId item = post(1, "fax");
    const Moved once = move(orderOf(item));
    ASSERT_EQ(once.items.size(), 1u);
    const Moved twice = move(orderOf(once.items[0]));
    ASSERT_EQ(twice.items.size(), 1u);
    EXPECT_EQ(row(twice.items[0]).group, "from-2-1");
}

TEST_F(MoveTest, AFailedRegroupingChangesNothing) {
    const ItemId item = post();
    const std::string before = everything(item);
    for (const bool error : {true, false}) {
        const auto done = store_->write([&](store::WriteSession& session) -> Result<void> {
            const auto none = [&](const std::vector<RecipientRow>&,
                                  WallTime) -> Result<std::vector<NewItem>> {
                if (error) return fail(Errc::Unavailable, "no such adapter");
                return std::vector<NewItem>{};
            };
            POSTERN_LET(moved, moveItem(session, orderOf(item), none, clock_.now()));
            EXPECT_TRUE(moved.items.empty());
            EXPECT_EQ(moved.text, "no such adapter");
            return {};
        });
        EXPECT_EQ(done.ok(), error) << "a refusal is an answer, lost recipients are a fault";
        EXPECT_EQ(everything(item), before);
    }
    EXPECT_EQ(number("SELECT count(*) FROM item"), 1);
}

TEST_F(MoveTest, APersonsMoveGivesASecondLife) {
    const ItemId item = post();
    clock_.advance(std::chrono::hours(24 * 10));
    MoveOrder order = orderOf(item);
    order.atLeast = kSecondLife;
    EXPECT_EQ(row(move(order).items.at(0)).expires, clock_.now() + kSecondLife);
}

}  // namespace
}  // namespace postern::queue
