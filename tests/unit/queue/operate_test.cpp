#include <map>

#include <gmock/gmock.h>

#include "tests/unit/queue/fixture.h"

namespace postern::queue {
namespace {

using OperateTest = QueueTest;

// Q165505: each verb on each state has a documented result; what a watcher holds is refused.
TEST_F(OperateTest, Q165505_every_verb_on_every_state) {
    using S = State;
    const std::map<Verb, std::map<State, State>> allowed = {
        {Verb::Hold, {{S::Ready, S::Held}}},
        {Verb::Release, {{S::Held, S::Ready}}},
        {Verb::Retry, {{S::Ready, S::Ready}, {S::Failed, S::Ready}}},
        {Verb::Delete,
         {{S::Ready, S::Deleted}, {S::Held, S::Deleted}, {S::Failed, S::Deleted}, {S::InDoubt, S::Deleted}}},
        {Verb::Bounce,
         {{S::Ready, S::Failed}, {S::Held, S::Failed}, {S::Failed, S::Failed}, {S::InDoubt, S::Failed}}},
        {Verb::ResolveExported, {{S::InDoubt, S::Exported}}},
        {Verb::ResolveResend, {{S::InDoubt, S::Ready}}},
        {Verb::ResolveFailed, {{S::InDoubt, S::Failed}}},
    };
    for (const Verb verb : kAllVerbs) {
        for (const State from : kAllStates) {
            SCOPED_TRACE(std::string(verbName(verb)) + " on " + std::string(stateName(from)));
            const ItemId item = post();
            force(item, from);
            const std::string before = everything(item);
            const std::vector<VerbResult> results = operate(verb, {item});
            ASSERT_EQ(results.size(), 1u);
            EXPECT_EQ(results[0].item, item);
            const auto& targets = allowed.at(verb);
            const auto target = targets.find(from);
            EXPECT_EQ(results[0].done, target != targets.end()) << results[0].text;
            if (target == targets.end()) {
                EXPECT_EQ(everything(item), before);
                EXPECT_THAT(results[0].text,
                            testing::HasSubstr("is " + std::string(stateName(from)) + "; only "));
                continue;
            }
            EXPECT_EQ(stateName(state(item)), stateName(target->second));
            EXPECT_EQ(results[0].adapter, target->second == S::Ready ? "maildir" : "");
            EXPECT_EQ(history(item).back().who, "anna");
            EXPECT_EQ(history(item).back().what, verbName(verb));
            EXPECT_EQ(history(item).back().detail, "because");
            if (target->second == S::Ready) {
                EXPECT_EQ(row(item).due, clock_.now());
            }
        }
    }
}

TEST_F(OperateTest, EachIdHasItsOwnResult) {
    postMany(3);
    force(ItemId{2}, State::Publishing);
    const std::vector<VerbResult> results =
        operate(Verb::Hold, {ItemId{1}, ItemId{2}, ItemId{99}, ItemId{3}});
    ASSERT_EQ(results.size(), 4u);
    EXPECT_TRUE(results[0].done);
    EXPECT_EQ(results[0].text, "held");
    EXPECT_EQ(results[1].text, "is publishing; only ready items can be held");
    EXPECT_EQ(results[2].text, "there is no such item");
    EXPECT_TRUE(results[3].done);
}

TEST_F(OperateTest, NobodyIsRefused) {
    const ItemId item = post();
    const auto refused = store_->write([&](store::WriteSession& session) -> Result<void> {
        POSTERN_LET(done, queue::operate(session, Verb::Hold, std::span(&item, 1), "", "", clock_.now()));
        return {};
    });
    ASSERT_FALSE(refused.ok());
    EXPECT_EQ(refused.error().code, Errc::Invalid);
}

TEST_F(OperateTest, VerbNamesGoBothWays) {
    for (const Verb verb : kAllVerbs) EXPECT_EQ(verbOf(verbName(verb)), verb);
    EXPECT_EQ(verbOf("resolve-exported"), Verb::ResolveExported);
    EXPECT_EQ(verbOf("explode"), std::nullopt);
}

TEST_F(OperateTest, ReleasingForgetsTheDeathsSoThatItIsNotSetAsideAtOnce) {
    const ItemId item = post();
    force(item, State::Held);
    sql("UPDATE item SET deaths = 5");
    ASSERT_TRUE(operate(Verb::Release, {item})[0].done);
    EXPECT_EQ(row(item).deaths, 0);
    EXPECT_EQ(queue_->claim("maildir", 1)->size(), 1u);
}

TEST_F(OperateTest, WhatAPersonMakesReadyAgainLivesForAnotherDay) {
    const struct {
        Verb verb;
        State from;
    } rows[] = {{Verb::Release, State::Held},
                {Verb::Retry, State::Ready},
                {Verb::Retry, State::Failed},
                {Verb::ResolveResend, State::InDoubt}};
    for (const auto& wanted : rows) {
        const ItemId item = post();
        const WallTime young = row(item).expires;
        force(item, wanted.from);
        ASSERT_TRUE(operate(wanted.verb, {item})[0].done);
        EXPECT_EQ(row(item).expires, young) << "never shortened: " << verbName(wanted.verb);
        force(item, wanted.from);
        sql("UPDATE item SET expires_ms = 1 WHERE expires_ms > 1");
        ASSERT_TRUE(operate(wanted.verb, {item})[0].done);
        EXPECT_EQ(row(item).expires, clock_.now() + kSecondLife) << verbName(wanted.verb);
    }
}

TEST_F(OperateTest, RetryingAFailedItemTriesOnlyThoseThatFailed) {
    const ItemId item = post(3);
    force(item, State::Failed);
    sql("UPDATE recipient SET outcome = 'exported' WHERE ordinal = 2");
    sql("UPDATE recipient SET reason = 'no such user' WHERE ordinal = 3");
    ASSERT_TRUE(operate(Verb::Retry, {item})[0].done);
    const std::vector<RecipientRow> tried = claimOne().recipients;
    ASSERT_EQ(tried.size(), 2u);
    EXPECT_EQ(tried[0].ordinal, 1);
    EXPECT_EQ(tried[1].ordinal, 3);
    EXPECT_EQ(recipients(item)[1].outcome, "exported") << "who has the mail does not get it again";
}

TEST_F(OperateTest, RecipientsFollowTheirItem) {
    const struct {
        Verb verb;
        const char* outcome;
    } rows[] = {{Verb::Delete, "deleted"},
                {Verb::ResolveExported, "exported"},
                {Verb::ResolveResend, "pending"},
                {Verb::ResolveFailed, "failed"}};
    for (const auto& wanted : rows) {
        const ItemId item = post();
        force(item, State::InDoubt);
        ASSERT_TRUE(operate(wanted.verb, {item})[0].done);
        EXPECT_EQ(recipients(item)[0].outcome, wanted.outcome) << verbName(wanted.verb);
    }
}

TEST_F(OperateTest, ADeletedItemIsNeverClaimedButStaysReadable) {
    const ItemId item = post();
    ASSERT_TRUE(operate(Verb::Delete, {item})[0].done);
    EXPECT_TRUE(queue_->claim("maildir", 1)->empty());
    EXPECT_EQ(row(item).reason, "because");
    EXPECT_EQ(row(item).settled, clock_.now());
    EXPECT_EQ(number("SELECT count(*) FROM message"), 1);
}

TEST_F(OperateTest, AnOperatorAndAWatcherCanNotBothHaveAnItem) {
    const ItemId item = post();
    const Claim claim = claimOne();
    EXPECT_FALSE(operate(Verb::Delete, {item})[0].done);
    ASSERT_TRUE(queue_->giveBack(std::span(&claim, 1)).ok());
    EXPECT_TRUE(operate(Verb::Hold, {item})[0].done);
    const Queue::Mark mark = markOf(claim);
    EXPECT_TRUE(queue_->markPublishing(std::span(&mark, 1))->empty())
        << "the late holder publishes what is held";
}

TEST_F(OperateTest, AdapterStatesAreKept) {
    AdapterState gone;
    gone.adapter = "maildir";
    gone.suspended = true;
    gone.since = clock_.now();
    gone.who = "postern";
    gone.reason = "the folder is gone";
    gone.probe = clock_.now() + Millis(1000);
    const auto write = [this](const AdapterState& state) {
        inWrite([&](store::WriteSession& session) { return writeAdapterState(session, state); });
    };
    const auto read = [this] {
        std::vector<AdapterState> states;
        inRead([&](store::ReadSession& session) -> Result<void> {
            POSTERN_LET(found, readAdapterStates(session));
            states = found;
            return {};
        });
        return states;
    };
    write(gone);
    ASSERT_EQ(read().size(), 1u);
    EXPECT_TRUE(read()[0].suspended);
    EXPECT_EQ(read()[0].reason, gone.reason);
    EXPECT_EQ(read()[0].probe, gone.probe);
    EXPECT_EQ(read()[0].until, std::nullopt);
    AdapterState back = gone;
    back.suspended = false;
    back.probe.reset();
    write(back);
    ASSERT_EQ(read().size(), 1u) << "one row each";
    EXPECT_FALSE(read()[0].suspended);
    EXPECT_EQ(read()[0].probe, std::nullopt);
}

}  // namespace
}  // namespace postern::queue
