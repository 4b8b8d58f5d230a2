#include <gmock/gmock.h>

#include "base/log.h"
#include "tests/unit/queue/fixture.h"

namespace postern::queue {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using Kind = Settlement::Kind;

using LapseTest = QueueTest;

TEST_F(LapseTest, ALiveLeaseIsLeftAlone) {
    postMany(1);
    claimOne();
    clock_.advance(queue_->options().lease - Millis(1));
    for (const bool atStart : {false, true}) {
        const Lapsed lapsed = queue_->takeLapsed("maildir", atStart, 10).value();
        EXPECT_EQ(lapsed.backToReady, 0) << "at start: " << atStart;
    }
}

TEST_F(LapseTest, AStallOfOurOwnIsNobodysDeath) {
    const ItemId item = post();
    const Claim late = claimOne();
    clock_.advance(queue_->options().lease);
    EXPECT_EQ(queue_->takeLapsed("maildir", false, 10)->backToReady, 1);
    EXPECT_EQ(state(item), State::Ready);
    EXPECT_EQ(row(item).deaths, 0);
    EXPECT_EQ(row(item).attempts, 1) << "the attempt was begun, so it counts";
    EXPECT_EQ(history(item).back().what, "lapsed");

    // The one that stalled comes back.
    const std::string before = everything(item);
    const Queue::Mark mark = markOf(late);
    EXPECT_THAT(*queue_->markPublishing(std::span(&mark, 1)), IsEmpty());
    const Settlement settlement = settlementOf(late, Kind::Failed);
    EXPECT_THAT(*queue_->settle(std::span(&settlement, 1)), IsEmpty());
    EXPECT_THAT(*queue_->renew(std::span(&late, 1)), IsEmpty());
    EXPECT_TRUE(queue_->giveBack(std::span(&late, 1)).ok());
    EXPECT_EQ(everything(item), before);
}

// The limit may have been lowered since: deaths of the past do not make a stall one more.
TEST_F(LapseTest, AStallSetsNothingAsideWhateverTheCount) {
    const ItemId item = post();
    claimOne();
    sql("UPDATE item SET deaths = 9");
    clock_.advance(queue_->options().lease);
    EXPECT_EQ(queue_->takeLapsed("maildir", false, 10)->setAside, 0);
    EXPECT_EQ(state(item), State::Ready);
}

TEST_F(LapseTest, ADeadProcessIsCountedAtStartWhateverItsLease) {
    const ItemId item = post();
    claimOne();
    Queue next = queueOf("next");
    EXPECT_EQ(next.takeLapsed("ccmail", true, 10)->backToReady, 0) << "another adapter's";
    EXPECT_EQ(next.takeLapsed("maildir", false, 10)->backToReady, 0) << "its lease is not over";
    EXPECT_EQ(next.takeLapsed("maildir", true, 10)->backToReady, 1);
    EXPECT_EQ(state(item), State::Ready);
    EXPECT_EQ(row(item).deaths, 1);
}

TEST_F(LapseTest, TheDeathLimitSetsAnItemAside) {
    const ItemId item = post();
    std::vector<std::string> log;
    setLogSink([&](Severity, std::string_view line) { log.emplace_back(line); });
    for (int deaths = 1; deaths <= 5; ++deaths) {
        EXPECT_THAT(log, testing::Not(testing::Contains(testing::HasSubstr("item.held"))));
        Queue worker = queueOf("worker" + std::to_string(deaths));
        ASSERT_EQ(worker.claim("maildir", 10)->size(), 1u) << "deaths so far: " << deaths - 1;
        const Lapsed lapsed = queue_->takeLapsed("maildir", true, 10).value();
        EXPECT_EQ(lapsed.setAside, deaths == 5 ? 1 : 0);
        EXPECT_EQ(lapsed.backToReady, deaths == 5 ? 0 : 1);
    }
    setLogSink({});
    EXPECT_THAT(log, testing::Contains(testing::AllOf(testing::HasSubstr("item.held adapter=maildir"),
                                                      testing::HasSubstr("died 5 times"))));
    EXPECT_EQ(state(item), State::Held);
    EXPECT_EQ(row(item).reason, "its worker died 5 times while handling it");
    EXPECT_EQ(history(item).back().what, "held");
    EXPECT_THAT(*queue_->claim("maildir", 10), IsEmpty());
}

TEST_F(LapseTest, APublishingItemIsTakenOverAndTheOldHolderIsFenced) {
    ItemId item;
    const Claim late = publishing(item);
    clock_.advance(queue_->options().lease);
    Queue next = queueOf("next");
    const Lapsed lapsed = next.takeLapsed("maildir", false, 10).value();
    ASSERT_EQ(lapsed.interrupted.size(), 1u);
    const Interrupted& taken = lapsed.interrupted[0];
    EXPECT_EQ(taken.claim.item, item);
    EXPECT_EQ(taken.claim.epoch.value, late.epoch.value + 1);
    EXPECT_EQ(taken.stagedEpoch, late.epoch);
    EXPECT_EQ(taken.evidence, markOf(late).evidence);
    EXPECT_EQ(taken.claim.message, late.message);
    EXPECT_EQ(taken.claim.group, late.group);
    EXPECT_EQ(taken.claim.attempts, 1);
    EXPECT_EQ(taken.claim.deaths, 1);
    EXPECT_EQ(taken.claim.recipients.size(), 1u);
    EXPECT_EQ(row(item).state, State::Publishing) << "until the adapter was asked (I5)";
    EXPECT_EQ(row(item).owner, "next");
    EXPECT_EQ(history(item).back().what, "interrupted");

    const std::string before = everything(item);
    const Settlement settlement = settlementOf(late, Kind::Exported);
    EXPECT_THAT(*queue_->settle(std::span(&settlement, 1)), IsEmpty());
    EXPECT_THAT(*queue_->renew(std::span(&late, 1)), IsEmpty());
    EXPECT_EQ(everything(item), before);

    const Settlement found = settlementOf(taken.claim, Kind::Exported);
    EXPECT_THAT(*next.settle(std::span(&found, 1)), ElementsAre(item));
}

TEST_F(LapseTest, TheStagedEpochSurvivesRecoveriesThatCrash) {
    ItemId item;
    const Claim first = publishing(item);
    for (int crash = 1; crash <= 4; ++crash) {
        Queue recovery = queueOf("recovery" + std::to_string(crash));
        const Lapsed lapsed = recovery.takeLapsed("maildir", true, 10).value();
        ASSERT_EQ(lapsed.interrupted.size(), 1u) << "never set aside without asking, crash " << crash;
        EXPECT_EQ(lapsed.interrupted[0].stagedEpoch, first.epoch);
        EXPECT_EQ(lapsed.interrupted[0].claim.epoch.value, first.epoch.value + crash);
        EXPECT_EQ(lapsed.setAside, 0);
        EXPECT_THAT(lapsed.doubted, IsEmpty());
    }
    EXPECT_EQ(row(item).deaths, 4);
}

// Published by its first holder or not: who asks dies, so nobody asks any more and a person looks.
TEST_F(LapseTest, WhatKillsWhoeverAsksIsInDoubtAtTheDeathLimit) {
    ItemId item;
    const Claim first = publishing(item);
    for (int death = 1; death <= 4; ++death)
        ASSERT_EQ(
            queueOf("recovery" + std::to_string(death)).takeLapsed("maildir", true, 10)->interrupted.size(),
            1u);
    Queue next = queueOf("next");
    const Lapsed lapsed = next.takeLapsed("maildir", true, 10).value();
    EXPECT_THAT(lapsed.interrupted, IsEmpty());
    EXPECT_THAT(lapsed.doubted, ElementsAre(item));
    EXPECT_EQ(state(item), State::InDoubt);
    EXPECT_EQ(row(item).deaths, 5);
    EXPECT_EQ(row(item).evidence, markOf(first).evidence) << "for the person who looks";
    EXPECT_THAT(row(item).reason, testing::HasSubstr("its worker died 5 times"));
    EXPECT_EQ(history(item).back().what, "in doubt");
    EXPECT_THAT(operate(Verb::ResolveResend, {item})[0].text, testing::HasSubstr("sent again"));
    EXPECT_EQ(row(item).deaths, 0) << "a person's word begins anew";
}

// A batch is taken over together, so its members die together; from the second death on each comes alone, the
// least suspected first.
TEST_F(LapseTest, TheInnocentAreAskedAboutBeforeTheGuiltyKillsAgain) {
    postMany(3);
    ASSERT_EQ(queue_->claim("maildir", 3)->size(), 3u);
    for (int id = 1; id <= 3; ++id) force(ItemId{id}, State::Publishing, 1);
    Queue second = queueOf("second");
    ASSERT_EQ(second.takeLapsed("maildir", true, 10)->interrupted.size(), 3u) << "no death yet";

    const auto takeOne = [](Queue& queue) {
        const Lapsed lapsed = queue.takeLapsed("maildir", true, 10).value();
        EXPECT_EQ(lapsed.interrupted.size(), 1u);
        return lapsed.interrupted.at(0).claim;
    };
    Queue third = queueOf("third");
    EXPECT_EQ(takeOne(third).item, ItemId{1}) << "and it kills";
    EXPECT_THAT(third.takeLapsed("maildir", true, 10)->interrupted, IsEmpty())
        << "while the first is in hand";

    Queue fourth = queueOf("fourth");
    for (const std::int64_t innocent : {2, 3}) {
        const Claim claim = takeOne(fourth);
        EXPECT_EQ(claim.item, ItemId{innocent});
        const Settlement end = settlementOf(claim, Kind::Exported);
        ASSERT_EQ(fourth.settle(std::span(&end, 1))->size(), 1u);
    }
    EXPECT_EQ(takeOne(fourth).item, ItemId{1});
}

TEST_F(LapseTest, WhatCanNotBeToldIsNotedOnceAndIsNobodysDeath) {
    ItemId item;
    publishing(item);
    Interrupted taken;
    const auto askAgain = [&](Queue& queue) {
        Lapsed lapsed = queue.takeLapsed("maildir", true, 10).value();
        ASSERT_EQ(lapsed.interrupted.size(), 1u);
        taken = std::move(lapsed.interrupted[0]);
    };
    for (int process = 1; process <= 7; ++process) {  // restarts, each in peace
        Queue queue = queueOf("process" + std::to_string(process));
        askAgain(queue);
        EXPECT_EQ(taken.unanswered, process == 1 ? "" : "mailbox locked");
        EXPECT_EQ(row(item).reason, "") << "until the adapter says so again";
        const bool isNew = taken.unanswered.empty();
        ASSERT_TRUE(queue.noteUnanswered(taken.claim, "mailbox locked", isNew).ok());
        EXPECT_EQ(row(item).reason, "not known yet: mailbox locked");
        EXPECT_EQ(history(item).back().what, "not known yet");
        EXPECT_EQ(row(item).deaths, 1) << "only the first holder died with it in hand";
    }
    EXPECT_EQ(history(item).size(), 3u) << "queued, interrupted, not known yet";
    const std::string before = everything(item);
    taken.claim.epoch.value -= 1;
    ASSERT_TRUE(queue_->noteUnanswered(taken.claim, "late", true).ok());
    EXPECT_EQ(everything(item), before) << "whoever lost it writes nothing";
}

TEST_F(LapseTest, AnItemNotPublishedWhoseHoldersDiedTooOftenIsSetAsideWhenThatIsKnown) {
    ItemId item;
    publishing(item);
    sql("UPDATE item SET deaths = 4");
    Queue next = queueOf("next");
    const Lapsed lapsed = next.takeLapsed("maildir", true, 10).value();
    ASSERT_EQ(lapsed.interrupted.size(), 1u);
    const Settlement notPublished = settlementOf(lapsed.interrupted[0].claim, Kind::Deferred);
    ASSERT_EQ(next.settle(std::span(&notPublished, 1))->size(), 1u);
    EXPECT_EQ(state(item), State::Held);
    EXPECT_THAT(row(item).reason, testing::HasSubstr("its worker died 5 times"));
}

TEST_F(LapseTest, OurOwnStallInPublishingIsTakenOverWithoutADeath) {
    ItemId item;
    publishing(item);
    EXPECT_THAT(queue_->takeLapsed("maildir", true, 10)->interrupted, IsEmpty()) << "ours, and alive";
    clock_.advance(queue_->options().lease);
    ASSERT_EQ(queue_->takeLapsed("maildir", false, 10)->interrupted.size(), 1u);
    EXPECT_EQ(row(item).deaths, 0);
    EXPECT_THAT(queue_->takeLapsed("maildir", false, 10)->interrupted, IsEmpty()) << "the new lease counts";
}

TEST_F(LapseTest, ALeaseThatCanNotBeOursAnyMoreIsOverToo) {
    const ItemId item = post();
    claimOne();
    clock_.jumpWall(Millis(-3'600'000));  // an operator sets the clock back by an hour
    EXPECT_EQ(queue_->takeLapsed("maildir", false, 10)->backToReady, 1);
    EXPECT_EQ(state(item), State::Ready);
}

TEST_F(LapseTest, TakesNoMoreThanAsked) {
    postMany(10);
    ASSERT_EQ(queue_->claim("maildir", 10)->size(), 10u);
    for (int id = 1; id <= 4; ++id) force(ItemId{id}, State::Publishing, 1);
    Queue next = queueOf("next");
    int interrupted = 0, ready = 0, rounds = 0;
    for (;; ++rounds) {
        const Lapsed lapsed = next.takeLapsed("maildir", true, 3).value();
        const int found = static_cast<int>(lapsed.interrupted.size()) + lapsed.backToReady;
        EXPECT_LE(found, 3);
        if (found == 0) break;
        interrupted += static_cast<int>(lapsed.interrupted.size());
        ready += lapsed.backToReady;
    }
    EXPECT_EQ(interrupted, 4);
    EXPECT_EQ(ready, 6);
    EXPECT_EQ(rounds, 4);
}

// An adapter that can not be used, or is not configured any more, has nobody to ask: what was only claimed
// needs no asking, and would wait for ever.
TEST_F(LapseTest, ClaimsAreFreedWhereNobodyAsksTheAdapter) {
    const ItemId ofTheDead = post();
    claimOne();
    ItemId published;
    publishing(published);
    Queue next = queueOf("next");
    EXPECT_EQ(next.freeClaimed("ccmail", 10).value(), 0) << "another adapter's";
    EXPECT_EQ(next.freeClaimed("maildir", 10).value(), 1);
    EXPECT_EQ(state(ofTheDead), State::Ready);
    EXPECT_EQ(row(ofTheDead).deaths, 1);
    EXPECT_EQ(state(published), State::Publishing) << "only the adapter can tell";

    ASSERT_EQ(next.claim("maildir", 1)->size(), 1u);
    EXPECT_EQ(next.freeClaimed("maildir", 10).value(), 0) << "ours, and alive";
    clock_.advance(next.options().lease);
    EXPECT_EQ(next.freeClaimed("maildir", 10).value(), 1);
    EXPECT_EQ(row(ofTheDead).deaths, 1);
}

TEST_F(LapseTest, FreeingClaimsSetsAsideWhatKillsAndTakesNoMoreThanAsked) {
    postMany(3);
    ASSERT_EQ(queue_->claim("maildir", 3)->size(), 3u);
    sql("UPDATE item SET deaths = 4 WHERE id = 3");
    Queue next = queueOf("next");
    EXPECT_EQ(next.freeClaimed("maildir", 2).value(), 2);
    EXPECT_EQ(next.freeClaimed("maildir", 2).value(), 1);
    EXPECT_EQ(state(ItemId{1}), State::Ready);
    EXPECT_EQ(state(ItemId{3}), State::Held);
}

TEST_F(LapseTest, OtherStatesAreNeverTouched) {
    for (const State from : kAllStates) {
        if (from == State::Claimed || from == State::Publishing) continue;
        const ItemId item = post();
        force(item, from, 3, "another");
        const std::string before = everything(item);
        ASSERT_TRUE(queue_->takeLapsed("maildir", true, 10).ok());
        ASSERT_TRUE(queue_->freeClaimed("maildir", 10).ok());
        EXPECT_EQ(everything(item), before) << stateName(from);
    }
}

TEST_F(LapseTest, Q184051_what_waits_for_a_suspended_adapter_expires) {
    postMany(3);
    sql("UPDATE item SET expires_ms = due_ms + 1000 WHERE id = 2");
    sql("UPDATE item SET reason = 'the folder is gone' WHERE id = 2");
    EXPECT_THAT(*queue_->failExpired("maildir", 10), IsEmpty());
    clock_.advance(Millis(1000));
    EXPECT_THAT(*queue_->failExpired("ccmail", 10), IsEmpty());
    EXPECT_THAT(*queue_->failExpired("maildir", 10), ElementsAre(ItemId{2}));
    EXPECT_EQ(state(ItemId{2}), State::Failed);
    EXPECT_EQ(row(ItemId{2}).reason,
              "it reached its maximum age before it could be delivered; last: the folder is gone");
    EXPECT_EQ(recipients(ItemId{2})[0].outcome, "failed");
    EXPECT_EQ(history(ItemId{2}).back().what, "failed");
    EXPECT_EQ(state(ItemId{1}), State::Ready);
    clock_.advance(Millis(6LL * 24 * 3'600'000));
    EXPECT_EQ(queue_->failExpired("maildir", 1)->size(), 1u) << "no more than asked";
    EXPECT_EQ(queue_->failExpired("maildir", 10)->size(), 1u);
}

// Their reports bring the mail back, all in one transaction.
TEST_F(LapseTest, LargeMailExpiresAFewAtATime) {
    postMany(7);
    sql("UPDATE message SET size = 6000000 WHERE id < 7");
    sql("UPDATE message SET size = 900000000 WHERE id = 7");
    clock_.advance(Millis(6LL * 24 * 3'600'000));
    EXPECT_EQ(queue_->failExpired("maildir", 200)->size(), 3u);
    EXPECT_EQ(queue_->failExpired("maildir", 2)->size(), 2u) << "no more than asked";
    EXPECT_EQ(queue_->failExpired("maildir", 200)->size(), 2u) << "one at least, however large";
    EXPECT_THAT(*queue_->failExpired("maildir", 200), IsEmpty());
}

TEST_F(LapseTest, OnlyReadyItemsExpireHere) {
    for (const State from : kAllStates) {
        if (from == State::Ready) continue;
        const ItemId item = post();
        force(item, from, 3);
        sql("UPDATE item SET expires_ms = 1");
        const std::string before = everything(item);
        EXPECT_THAT(*queue_->failExpired("maildir", 10), IsEmpty()) << stateName(from);
        EXPECT_EQ(everything(item), before) << stateName(from);
    }
}

TEST_F(LapseTest, AnExpiredItemWithAServedRecipientStaysExported) {
    const ItemId item = post(2);
    sql("UPDATE recipient SET outcome = 'exported' WHERE ordinal = 1");
    sql("UPDATE item SET expires_ms = 1");
    EXPECT_THAT(*queue_->failExpired("maildir", 10), ElementsAre(item));
    EXPECT_EQ(state(item), State::Exported);
    EXPECT_EQ(recipients(item)[1].outcome, "failed");
}

}  // namespace
}  // namespace postern::queue
