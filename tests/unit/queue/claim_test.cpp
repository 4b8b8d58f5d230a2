#include <atomic>
#include <mutex>
#include <set>
#include <thread>

#include <gmock/gmock.h>

#include "queue/claim_sql.h"
#include "tests/unit/queue/fixture.h"

namespace postern::queue {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

using ClaimTest = QueueTest;

TEST_F(ClaimTest, TakesTheOldestDueOfTheAdapterUpToTheLimit) {
    postMany(5);
    post(1, "ccmail");
    sql("UPDATE item SET due_ms = due_ms - 1000 WHERE id = 4");
    sql("UPDATE item SET due_ms = due_ms + 1000 WHERE id = 1");
    const auto claims = queue_->claim("maildir", 3);
    ASSERT_TRUE(claims.ok()) << claims.error().text;
    EXPECT_THAT(idsOf(*claims), ElementsAre(2, 3, 4)) << "4 is due first, then 2 and 3; sorted by id";
    EXPECT_THAT(idsOf(*queue_->claim("maildir", 3)), ElementsAre(5)) << "1 is not due yet";
    clock_.advance(Millis(1000));
    EXPECT_THAT(idsOf(*queue_->claim("maildir", 3)), ElementsAre(1));
    EXPECT_THAT(idsOf(*queue_->claim("maildir", 3)), IsEmpty());
    EXPECT_THAT(idsOf(*queue_->claim("ccmail", 3)), ElementsAre(6));
    EXPECT_THAT(idsOf(*queue_->claim("ccmail", 0)), IsEmpty());
}

TEST_F(ClaimTest, CarriesWhatAWatcherNeeds) {
    const ItemId item = post(3);
    sql("UPDATE recipient SET outcome = 'exported' WHERE ordinal = 2");
    const Claim claim = claimOne();
    const ItemRow stored = row(item);
    EXPECT_EQ(claim.item, item);
    EXPECT_EQ(claim.epoch, Epoch{1});
    EXPECT_EQ(claim.message, stored.message);
    EXPECT_EQ(claim.adapter, "maildir");
    EXPECT_EQ(claim.group, "1");
    EXPECT_EQ(claim.attempts, 1);
    EXPECT_EQ(claim.expires, stored.expires);
    EXPECT_EQ(claim.leaseUntil, clock_.now() + queue_->options().lease);
    ASSERT_EQ(claim.recipients.size(), 2u) << "only the unresolved ones";
    EXPECT_EQ(claim.recipients[0].ordinal, 1);
    EXPECT_EQ(claim.recipients[1].ordinal, 3);
    EXPECT_EQ(claim.recipients[1].address, "user3@example.org");
    EXPECT_EQ(claim.recipients[1].legacy, "USER3");
    EXPECT_EQ(stored.state, State::Claimed);
    EXPECT_EQ(stored.owner, "us");
    EXPECT_EQ(stored.attempts, 1) << "counted before the message is read";
}

TEST_F(ClaimTest, EachClaimRaisesTheEpoch) {
    post();
    for (int round = 1; round <= 3; ++round) {
        const Claim claim = claimOne();
        EXPECT_EQ(claim.epoch, Epoch{round});
        EXPECT_EQ(claim.attempts, round);
        Settlement later = settlementOf(claim, Settlement::Kind::Deferred);
        later.due = clock_.now();
        ASSERT_EQ(queue_->settle(std::span(&later, 1))->size(), 1u);
    }
}

TEST_F(ClaimTest, GivingBackDoesNotCountTheAttempt) {
    const ItemId item = post();
    const Claim claim = claimOne();
    ASSERT_TRUE(queue_->giveBack(std::span(&claim, 1)).ok());
    EXPECT_EQ(state(item), State::Ready);
    EXPECT_EQ(row(item).attempts, 0);
    EXPECT_EQ(claimOne().attempts, 1) << "due at once";
}

TEST_F(ClaimTest, RenewingExtendsOnlyTheLeasesThatAreOurs) {
    postMany(2);
    const std::vector<Claim> claims = *queue_->claim("maildir", 2);
    clock_.advance(Millis(50'000));
    force(claims[0].item, State::Claimed, 2, "another");
    const std::string others = everything(claims[0].item);
    const auto renewed = queue_->renew(claims);
    ASSERT_TRUE(renewed.ok());
    EXPECT_THAT(*renewed, ElementsAre(claims[1].item));
    EXPECT_EQ(row(claims[1].item).leaseUntil, clock_.now() + queue_->options().lease);
    EXPECT_EQ(everything(claims[0].item), others);
}

TEST_F(ClaimTest, MarkingWritesTheEvidenceAndTheEpochThatStagedIt) {
    const ItemId item = post();
    const Claim claim = claimOne();
    clock_.advance(Millis(30'000));
    const Queue::Mark mark = markOf(claim);
    EXPECT_THAT(*queue_->markPublishing(std::span(&mark, 1)), ElementsAre(item));
    const ItemRow marked = row(item);
    EXPECT_EQ(marked.state, State::Publishing);
    EXPECT_EQ(marked.evidence, mark.evidence);
    EXPECT_EQ(marked.leaseUntil, clock_.now() + queue_->options().lease);
    EXPECT_EQ(number("SELECT staged_epoch FROM item"), claim.epoch.value);
}

TEST_F(ClaimTest, MarkingWithoutEvidenceIsRefused) {
    const ItemId item = post();
    Queue::Mark mark = markOf(claimOne());
    mark.evidence.clear();
    const auto refused = queue_->markPublishing(std::span(&mark, 1));
    ASSERT_FALSE(refused.ok());
    EXPECT_EQ(refused.error().code, Errc::Invalid);
    EXPECT_EQ(state(item), State::Claimed);
}

TEST_F(ClaimTest, SuspectsAreClaimedAlone) {
    postMany(5);
    sql("UPDATE item SET deaths = 1, due_ms = due_ms - 1 WHERE id IN (2, 3)");
    EXPECT_THAT(idsOf(*queue_->claim("maildir", 10)), ElementsAre(2));
    EXPECT_THAT(idsOf(*queue_->claim("maildir", 10)), ElementsAre(3)) << "another watcher need not wait";
    EXPECT_THAT(idsOf(*queue_->claim("maildir", 10)), ElementsAre(1, 4, 5));
}

// Two that have killed before, in the hands of one process, would die together each time until both are set
// aside, the innocent with the guilty.
TEST_F(ClaimTest, OneItemOfTwoDeathsIsInHandWhateverItsAdapter) {
    postMany(3, "maildir");
    postMany(1, "ccmail");
    sql("UPDATE item SET deaths = 2, due_ms = due_ms - 1 WHERE id <> 3");
    sql("UPDATE item SET deaths = 1 WHERE id = 3");
    const auto first = queue_->claim("maildir", 10);
    EXPECT_THAT(idsOf(*first), ElementsAre(1));
    EXPECT_THAT(idsOf(*queue_->claim("ccmail", 10)), IsEmpty());
    EXPECT_EQ(*queue_->nextDue("ccmail"), std::nullopt) << "nothing to wake for";
    EXPECT_THAT(idsOf(*queue_->claim("maildir", 10)), ElementsAre(3)) << "one death is no reason to wait";
    EXPECT_THAT(idsOf(*queue_->claim("maildir", 10)), IsEmpty());
    ASSERT_TRUE(queue_->giveBack(*first).ok());
    EXPECT_THAT(idsOf(*queue_->claim("ccmail", 10)), ElementsAre(4));
    Queue next = queueOf("next");
    EXPECT_EQ(next.claim("maildir", 10)->size(), 1u) << "what a dead process had is in nobody's hands";
}

TEST_F(ClaimTest, AStalledSuspectStopsNoOtherForLongerThanItsLease) {
    postMany(2);
    sql("UPDATE item SET deaths = 2");
    ASSERT_EQ(queue_->claim("maildir", 10)->size(), 1u);
    EXPECT_EQ(queue_->claim("maildir", 10)->size(), 0u);
    clock_.advance(queue_->options().lease);
    EXPECT_EQ(queue_->claim("maildir", 10)->size(), 1u);
}

// Whoever has been due for longer goes first, so neither kind waits for the other for ever.
TEST_F(ClaimTest, SuspectsAndOthersTakeTheirTurnByDueTime) {
    postMany(4);
    sql("UPDATE item SET deaths = 1 WHERE id IN (1, 4)");
    sql("UPDATE item SET due_ms = due_ms - 1000 + id");
    EXPECT_THAT(idsOf(*queue_->claim("maildir", 1)), ElementsAre(1)) << "the oldest is a suspect";
    EXPECT_THAT(idsOf(*queue_->claim("maildir", 1)), ElementsAre(2)) << "then an ordinary one is";
    EXPECT_THAT(idsOf(*queue_->claim("maildir", 1)), ElementsAre(3));
    EXPECT_THAT(idsOf(*queue_->claim("maildir", 1)), ElementsAre(4));
    EXPECT_THAT(idsOf(*queue_->claim("maildir", 1)), IsEmpty());
}

TEST_F(ClaimTest, ASuspectThatIsNotDueIsNotClaimed) {
    postMany(1);
    sql("UPDATE item SET deaths = 1, due_ms = due_ms + 1");
    EXPECT_THAT(idsOf(*queue_->claim("maildir", 1)), IsEmpty());
    clock_.advance(Millis(1));
    EXPECT_THAT(idsOf(*queue_->claim("maildir", 1)), ElementsAre(1));
}

TEST_F(ClaimTest, NextDueIsTheEarliestReadyItem) {
    EXPECT_EQ(*queue_->nextDue("maildir"), std::nullopt);
    postMany(3);
    sql("UPDATE item SET due_ms = due_ms + 5000 + id");
    EXPECT_EQ(*queue_->nextDue("maildir"), clock_.now() + Millis(5001));
    sql("UPDATE item SET deaths = 1, due_ms = due_ms - 100 WHERE id = 3");
    EXPECT_EQ(*queue_->nextDue("maildir"), clock_.now() + Millis(4903)) << "suspects count too";
    EXPECT_EQ(*queue_->nextDue("ccmail"), std::nullopt);
    force(ItemId{3}, State::Held);
    EXPECT_EQ(*queue_->nextDue("maildir"), clock_.now() + Millis(5001));
}

// Q184524: two threads take the same notification just after the connector begins to process the queue. Here
// 24 do, and nothing tells them apart.
TEST_F(ClaimTest, Q184524_claim_race_takes_each_item_once) {
    constexpr int kItems = 3000, kThreads = 24;
    postMany(kItems);
    std::mutex mutex;
    std::vector<std::int64_t> taken;
    std::atomic<int> errors{0};
    {
        std::vector<std::jthread> threads;
        for (int i = 0; i < kThreads; ++i) {
            threads.emplace_back([&, i] {
                Queue queue = queueOf("worker" + std::to_string(i));
                for (;;) {
                    const auto claims = queue.claim("maildir", 7);
                    if (!claims.ok()) ++errors;
                    if (!claims.ok() || claims->empty()) return;
                    const std::lock_guard lock(mutex);
                    for (const Claim& claim : *claims) taken.push_back(claim.item.value);
                }
            });
        }
    }
    const std::set<std::int64_t> distinct(taken.begin(), taken.end());
    EXPECT_EQ(errors, 0);
    EXPECT_EQ(taken.size(), static_cast<std::size_t>(kItems)) << "some were taken twice or never";
    EXPECT_EQ(distinct.size(), static_cast<std::size_t>(kItems));
    EXPECT_EQ(number("SELECT count(*) FROM item WHERE state <> 'claimed' OR epoch <> 1 OR attempts <> 1"), 0);
}

TEST_F(ClaimTest, TheClaimWalksItsIndexAndNothingElse) {
    static const std::string explained = std::string("EXPLAIN QUERY PLAN ") + kClaimOrdinary;
    static const std::string suspect = std::string("EXPLAIN QUERY PLAN ") + kClaimSuspect;
    static const std::string turn = std::string("EXPLAIN QUERY PLAN ") + kSuspectsTurn;
    const struct {
        const std::string& sql;
        const char* index;
    } plans[] = {
        {explained, "item_ready"}, {suspect, "item_suspect"}, {turn, "item_ready"}, {turn, "item_suspect"}};
    for (const auto& wanted : plans) {
        std::string plan;
        inWrite([&](store::WriteSession& session) -> Result<void> {
            store::Statement rows = session.query(wanted.sql.c_str());
            while (rows.next()) plan += std::string(rows.text(3)) + "\n";
            return rows.finish();
        });
        // What is in our hands is few: at most a batch for each watcher.
        const std::string inHand = "SCAN item USING INDEX item_held_by";
        if (const auto at = plan.find(inHand); at != std::string::npos) plan.erase(at, inHand.size());
        EXPECT_THAT(plan, testing::HasSubstr(std::string("INDEX ") + wanted.index + " (adapter=?")) << plan;
        EXPECT_THAT(plan, testing::Not(testing::HasSubstr("TEMP B-TREE"))) << plan;
        EXPECT_THAT(plan, testing::Not(testing::HasSubstr("SCAN item"))) << plan;
    }
}

// A list of three words behind IN, in a CHECK as well, is a table made and filled at each statement: with it
// a mail cost the writer twice as much.
TEST_F(ClaimTest, WhatEachMailRunsMakesNoTableOfItsOwn) {
    for (const char* sql :
         {"EXPLAIN INSERT INTO message (received_ms, sender, source, client, helo, protocol, header_id, "
          "subject,"
          " size, eight_bit, ret) VALUES (1, '', 'x', '', '', '', '', '', 0, 0, '')",
          "EXPLAIN INSERT INTO item (message_id, adapter, grp, due_ms, expires_ms) VALUES (1, 'x', 'x', 1, "
          "1)",
          "EXPLAIN INSERT INTO recipient (item_id, ordinal, address, legacy) VALUES (1, 1, 'x', '')",
          "EXPLAIN UPDATE item SET state = 'publishing', evidence = 'x', staged_epoch = 1 WHERE id = 1",
          "EXPLAIN UPDATE item SET state = 'exported', owner = NULL, lease_ms = NULL, settled_ms = 1 WHERE "
          "id = 1",
          "EXPLAIN UPDATE OR FAIL recipient SET outcome = 'exported' WHERE item_id = 1 AND outcome = "
          "'pending'"}) {
        inWrite([&](store::WriteSession& session) -> Result<void> {
            store::Statement steps = session.query(sql);
            while (steps.next()) EXPECT_NE(steps.text(1), "OpenEphemeral") << sql;
            return steps.finish();
        });
    }
}

TEST(RetryDelay, DoublesUpToTheLongestWithJitterOfAnEighth) {
    RetryPolicy policy;
    policy.first = Millis(60'000);
    policy.longest = Millis(3'600'000);
    const struct {
        int attempts;
        double jitter;
        std::int64_t wanted;
    } rows[] = {{0, 0, 60'000},    {1, 0, 60'000},    {2, 0, 120'000},      {3, 0, 240'000},
                {6, 0, 1'920'000}, {7, 0, 3'600'000}, {1000, 0, 3'600'000}, {1, 1, 67'500},
                {1, 0.5, 63'750},  {7, 1, 4'050'000}, {1, -3, 60'000},      {1, 7, 67'500}};
    for (const auto& row : rows) {
        EXPECT_EQ(retryDelay(policy, row.attempts, row.jitter).count(), row.wanted)
            << "attempts " << row.attempts << ", jitter " << row.jitter;
    }
    policy.longest = Millis::max();
    EXPECT_EQ(retryDelay(policy, 1000, 0), Millis::max()) << "no overflow";
    policy.first = Millis(0);
    policy.longest = Millis(0);
    EXPECT_EQ(retryDelay(policy, 5, 1).count(), 0);
}

}  // namespace
}  // namespace postern::queue
