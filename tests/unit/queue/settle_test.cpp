#include <map>

#include <gmock/gmock.h>

#include "tests/unit/queue/fixture.h"

namespace postern::queue {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using Kind = Settlement::Kind;

// Every operation of a holder on every state: where it leads, or that it changes nothing at all.
class TransitionTest : public QueueTest {
  protected:
    struct Operation {
        const char* name;
        std::function<bool(const Claim&)> run;  // whether it counted the item as ours
        std::map<State, State> allowed;
    };

    bool settles(const Claim& claim, Kind kind) {
        const Settlement settlement = settlementOf(claim, kind);
        const auto ours = queue_->settle(std::span(&settlement, 1));
        EXPECT_TRUE(ours.ok()) << ours.error().text;
        return ours.ok() && !ours->empty();
    }

    std::vector<Operation> operations() {
        using S = State;
        return {
            {"markPublishing",
             [this](const Claim& claim) {
                 const Queue::Mark mark = markOf(claim);
                 return !queue_->markPublishing(std::span(&mark, 1)).value().empty();
             },
             {{S::Claimed, S::Publishing}}},
            {"renew",
             [this](const Claim& claim) { return !queue_->renew(std::span(&claim, 1)).value().empty(); },
             {{S::Claimed, S::Claimed}, {S::Publishing, S::Publishing}}},
            {"giveBack",
             [this](const Claim& claim) {
                 EXPECT_TRUE(queue_->giveBack(std::span(&claim, 1)).ok());
                 return state(claim.item) == State::Ready;
             },
             {{S::Claimed, S::Ready}}},
            {"settle exported",
             [this](const Claim& claim) { return settles(claim, Kind::Exported); },
             {{S::Publishing, S::Exported}}},
            {"settle deferred",
             [this](const Claim& claim) { return settles(claim, Kind::Deferred); },
             {{S::Claimed, S::Ready}, {S::Publishing, S::Ready}}},
            {"settle failed",
             [this](const Claim& claim) { return settles(claim, Kind::Failed); },
             {{S::Claimed, S::Failed}, {S::Publishing, S::Failed}}},
            {"settle held",
             [this](const Claim& claim) { return settles(claim, Kind::Held); },
             {{S::Claimed, S::Held}, {S::Publishing, S::Held}}},
            {"settle in doubt",
             [this](const Claim& claim) { return settles(claim, Kind::InDoubt); },
             {{S::Publishing, S::InDoubt}}},
        };
    }
};

TEST_F(TransitionTest, EveryOperationOnEveryState) {
    for (const Operation& operation : operations()) {
        for (const State from : kAllStates) {
            SCOPED_TRACE(std::string(operation.name) + " on " + std::string(stateName(from)));
            Claim claim;
            claim.item = post();
            claim.epoch = Epoch{3};
            force(claim.item, from, 3);
            const std::string before = everything(claim.item);
            const bool ours = operation.run(claim);
            const auto allowed = operation.allowed.find(from);
            if (allowed != operation.allowed.end()) {
                EXPECT_TRUE(ours);
                EXPECT_EQ(stateName(state(claim.item)), stateName(allowed->second));
                EXPECT_EQ(row(claim.item).epoch, Epoch{3}) << "only claims and takeovers raise it";
            } else {
                if (from != State::Ready) {
                    EXPECT_FALSE(ours);
                }
                EXPECT_EQ(everything(claim.item), before);
            }
        }
    }
}

// I3: whoever comes with an epoch of the past touches nothing, in whatever state the item is by now.
TEST_F(TransitionTest, ALateHolderChangesNothing) {
    for (const Operation& operation : operations()) {
        for (const State now : kAllStates) {
            SCOPED_TRACE(std::string(operation.name) + ", late, on " + std::string(stateName(now)));
            Claim late;
            late.item = post();
            late.epoch = Epoch{2};
            force(late.item, now, 3);
            const std::string before = everything(late.item);
            const bool ours = operation.run(late);
            if (now != State::Ready) {
                EXPECT_FALSE(ours);
            }
            EXPECT_EQ(everything(late.item), before);
        }
    }
}

using SettleTest = QueueTest;

// The proof that the test above tests something: without the guard the late holder wins.
TEST_F(SettleTest, WithoutTheEpochGuardALateHolderWins) {
    Guards off;
    off.epoch = false;
    Queue unguarded = queueOf("late", off);
    const ItemId item = post();
    Claim late = claimOne();
    force(item, State::Exported, 2);
    const Queue::Mark mark = markOf(late);
    EXPECT_THAT(*unguarded.markPublishing(std::span(&mark, 1)), ElementsAre(item));
    EXPECT_EQ(state(item), State::Publishing) << "an exported item goes out once more";
    const Settlement again = settlementOf(late, Kind::Exported);
    EXPECT_THAT(*unguarded.settle(std::span(&again, 1)), ElementsAre(item));
}

TEST_F(SettleTest, AWholeWayLeavesItsTraces) {
    ItemId item;
    const Claim claim = publishing(item);
    Settlement done = settlementOf(claim, Kind::Exported);
    done.notes = {"one character replaced"};
    EXPECT_THAT(*queue_->settle(std::span(&done, 1)), ElementsAre(item));
    const ItemRow stored = row(item);
    EXPECT_EQ(stored.state, State::Exported);
    EXPECT_EQ(stored.target, "new/1");
    EXPECT_EQ(stored.settled, clock_.now());
    EXPECT_EQ(stored.leaseUntil, std::nullopt);
    EXPECT_EQ(stored.owner, "");
    EXPECT_NE(stored.evidence, "") << "kept for the books";
    EXPECT_EQ(recipients(item)[0].outcome, "exported");
    std::vector<std::string> words;
    for (const HistoryRow& entry : history(item)) words.push_back(entry.what + ": " + entry.detail);
    EXPECT_THAT(words, ElementsAre("queued: for maildir, recipients: 1", "note: one character replaced",
                                   "exported: attempt 1: new/1"));
    EXPECT_EQ(history(item).back().who, "postern");
}

TEST_F(SettleTest, DeferringClearsTheEvidenceAndWaitsUntilDue) {
    ItemId item;
    const Claim claim = publishing(item);
    const Settlement later = settlementOf(claim, Kind::Deferred);
    ASSERT_THAT(*queue_->settle(std::span(&later, 1)), ElementsAre(item));
    EXPECT_EQ(row(item).evidence, "");
    EXPECT_EQ(row(item).due, later.due);
    EXPECT_EQ(row(item).reason, "the reason");
    EXPECT_THAT(*queue_->claim("maildir", 1), IsEmpty());
    clock_.advance(Millis(600'000));
    EXPECT_EQ(claimOne().attempts, 2);
}

TEST_F(SettleTest, AnAttemptOfAnUnusableAdapterIsNotCounted) {
    const ItemId item = post();
    Settlement later = settlementOf(claimOne(), Kind::Deferred);
    later.uncounted = true;
    ASSERT_EQ(queue_->settle(std::span(&later, 1))->size(), 1u);
    EXPECT_EQ(row(item).attempts, 0);
}

TEST_F(SettleTest, InDoubtKeepsTheEvidence) {
    ItemId item;
    const Claim claim = publishing(item);
    const Settlement doubt = settlementOf(claim, Kind::InDoubt);
    ASSERT_THAT(*queue_->settle(std::span(&doubt, 1)), ElementsAre(item));
    EXPECT_EQ(state(item), State::InDoubt);
    EXPECT_EQ(row(item).evidence, markOf(claim).evidence);
    EXPECT_EQ(recipients(item)[0].outcome, "pending");
}

TEST_F(SettleTest, ABatchIsSettledTogetherAndTheLostOnesAreNamed) {
    postMany(3);
    const std::vector<Claim> claims = *queue_->claim("maildir", 3);
    force(claims[1].item, State::Claimed, 2, "another");
    const std::string others = everything(claims[1].item);
    std::vector<Settlement> settlements;
    for (const Claim& claim : claims) settlements.push_back(settlementOf(claim, Kind::Failed));
    EXPECT_THAT(*queue_->settle(settlements), ElementsAre(claims[0].item, claims[2].item));
    EXPECT_EQ(state(claims[0].item), State::Failed);
    EXPECT_EQ(everything(claims[1].item), others);
}

TEST_F(SettleTest, SettlingTwiceCountsOnce) {
    ItemId item;
    const Claim claim = publishing(item);
    const Settlement done = settlementOf(claim, Kind::Exported);
    const std::vector<Settlement> twice = {done, done};
    EXPECT_EQ(queue_->settle(twice)->size(), 1u);
    const std::string before = everything(item);
    EXPECT_THAT(*queue_->settle(twice), IsEmpty());
    EXPECT_EQ(everything(item), before);
}

RecipientRow ends(int ordinal, const char* outcome, const char* reason = "") {
    RecipientRow row;
    row.ordinal = ordinal;
    row.outcome = outcome;
    row.reason = reason;
    return row;
}

// Three recipients; what becomes of the item and of each when some end otherwise than the rest.
TEST_F(SettleTest, RecipientsDecideWhereTheItemEnds) {
    const struct {
        const char* name;
        State from;
        Kind kind;
        std::vector<RecipientRow> listed;
        bool ours;
        State to;
        const char* outcomes;
    } rows[] = {
        {"all exported",
         State::Publishing,
         Kind::Exported,
         {},
         true,
         State::Exported,
         "exported exported exported"},
        {"one refused",
         State::Publishing,
         Kind::Exported,
         {ends(2, "failed", "no such user")},
         true,
         State::Exported,
         "exported failed:no such user exported"},
        {"all refused",
         State::Publishing,
         Kind::Exported,
         {ends(1, "failed", "a"), ends(2, "failed", "b"), ends(3, "failed", "c")},
         true,
         State::Failed,
         "failed:a failed:b failed:c"},
        {"one must wait",
         State::Publishing,
         Kind::Exported,
         {ends(3, "pending")},
         true,
         State::Ready,
         "exported exported pending"},
        {"refused before publishing, others wait",
         State::Claimed,
         Kind::Deferred,
         {ends(1, "failed", "no")},
         true,
         State::Ready,
         "failed:no pending pending"},
        {"all refused, so nothing to defer",
         State::Claimed,
         Kind::Deferred,
         {ends(1, "failed", "a"), ends(2, "failed", "b"), ends(3, "failed", "c")},
         true,
         State::Failed,
         "failed:a failed:b failed:c"},
        {"one taken, the others wait",
         State::Publishing,
         Kind::Deferred,
         {ends(2, "exported")},
         true,
         State::Ready,
         "pending exported pending"},
        {"one taken, the others refused",
         State::Publishing,
         Kind::Failed,
         {ends(2, "exported")},
         true,
         State::Exported,
         "failed:the reason exported failed:the reason"},
        {"all failed",
         State::Claimed,
         Kind::Failed,
         {},
         true,
         State::Failed,
         "failed:the reason failed:the reason failed:the reason"},
        {"failed with reasons of their own",
         State::Claimed,
         Kind::Failed,
         {ends(2, "failed", "mine")},
         true,
         State::Failed,
         "failed:the reason failed:mine failed:the reason"},
        {"one of the failed must wait",
         State::Claimed,
         Kind::Failed,
         {ends(2, "pending")},
         true,
         State::Ready,
         "failed:the reason pending failed:the reason"},
        {"held with one refused",
         State::Claimed,
         Kind::Held,
         {ends(1, "failed", "no")},
         true,
         State::Held,
         "failed:no pending pending"},
        {"in doubt with one refused",
         State::Publishing,
         Kind::InDoubt,
         {ends(1, "failed", "no")},
         true,
         State::InDoubt,
         "failed:no pending pending"},
        {"nobody is served before publishing",
         State::Claimed,
         Kind::Deferred,
         {ends(1, "exported")},
         false,
         State::Claimed,
         "pending pending pending"},
        {"an ordinal that is not there",
         State::Publishing,
         Kind::Exported,
         {ends(9, "failed", "x")},
         true,
         State::Exported,
         "exported exported exported"},
    };
    for (const auto& wanted : rows) {
        SCOPED_TRACE(wanted.name);
        const ItemId item = post(3);
        force(item, wanted.from, 3);
        Claim claim;
        claim.item = item;
        claim.epoch = Epoch{3};
        Settlement settlement = settlementOf(claim, wanted.kind);
        if (wanted.kind == Kind::Exported) settlement.due = clock_.now();
        settlement.recipients = wanted.listed;
        const auto ours = queue_->settle(std::span(&settlement, 1));
        ASSERT_TRUE(ours.ok()) << ours.error().text;
        EXPECT_EQ(!ours->empty(), wanted.ours);
        EXPECT_EQ(stateName(state(item)), stateName(wanted.to));
        std::string outcomes;
        for (const RecipientRow& row : recipients(item)) {
            outcomes += (outcomes.empty() ? "" : " ") + row.outcome;
            if (!row.reason.empty()) outcomes += ":" + row.reason;
        }
        EXPECT_EQ(outcomes, wanted.outcomes);
    }
}

TEST_F(SettleTest, OnlyTheUnresolvedAreTriedAgainAndWhoHasItKeepsIt) {
    const ItemId item = post(3);
    Claim claim = claimOne();
    const Queue::Mark mark = markOf(claim);
    ASSERT_EQ(queue_->markPublishing(std::span(&mark, 1))->size(), 1u);
    Settlement first = settlementOf(claim, Kind::Deferred);
    first.due = clock_.now();
    first.recipients = {ends(1, "exported"), ends(2, "failed", "no such user")};
    ASSERT_EQ(queue_->settle(std::span(&first, 1))->size(), 1u);

    claim = claimOne();
    ASSERT_EQ(claim.recipients.size(), 1u);
    EXPECT_EQ(claim.recipients[0].ordinal, 3);
    const Settlement second = settlementOf(claim, Kind::Failed);
    ASSERT_EQ(queue_->settle(std::span(&second, 1))->size(), 1u);
    EXPECT_EQ(state(item), State::Exported) << "one of them has it";
    EXPECT_EQ(recipients(item)[0].outcome, "exported");
    EXPECT_EQ(recipients(item)[1].reason, "no such user");
    EXPECT_EQ(recipients(item)[2].outcome, "failed");
}

// A person resolves an item in doubt for all of its unresolved recipients at once: one that surely does not
// have the mail must not be among them.
TEST_F(SettleTest, WhoSurelyDoesNotHaveItIsNotInDoubt) {
    const ItemId item = post(4);
    Claim claim = claimOne();
    const Queue::Mark mark = markOf(claim);
    ASSERT_EQ(queue_->markPublishing(std::span(&mark, 1))->size(), 1u);
    Settlement doubt = settlementOf(claim, Kind::InDoubt);
    doubt.due = clock_.now();
    doubt.recipients = {ends(1, "exported"), ends(3, "pending", "452 not now")};
    ASSERT_EQ(queue_->settle(std::span(&doubt, 1))->size(), 1u);
    EXPECT_EQ(state(item), State::InDoubt);
    EXPECT_EQ(recipients(item)[2].outcome, "deleted");

    const Claim rest = claimOne();
    EXPECT_NE(rest.item, item);
    EXPECT_EQ(rest.message, claim.message);
    EXPECT_EQ(rest.attempts, claim.attempts + 1);
    EXPECT_EQ(rest.expires, claim.expires);
    ASSERT_EQ(rest.recipients.size(), 1u);
    EXPECT_EQ(rest.recipients[0].address, claim.recipients[2].address);

    ASSERT_TRUE(operate(Verb::ResolveExported, {item})[0].done);
    std::string outcomes;
    for (const RecipientRow& row : recipients(item)) outcomes += row.outcome + " ";
    EXPECT_EQ(outcomes, "exported exported deleted exported ");
    EXPECT_EQ(recipients(rest.item)[0].outcome, "pending") << "still to be delivered";
}

TEST_F(SettleTest, InDoubtWithNobodyInDoubtIsReady) {
    const ItemId item = post(2);
    Claim claim = claimOne();
    const Queue::Mark mark = markOf(claim);
    ASSERT_EQ(queue_->markPublishing(std::span(&mark, 1))->size(), 1u);
    Settlement doubt = settlementOf(claim, Kind::InDoubt);
    doubt.due = clock_.now();
    doubt.recipients = {ends(1, "exported"), ends(2, "pending", "452 not now")};
    ASSERT_EQ(queue_->settle(std::span(&doubt, 1))->size(), 1u);
    EXPECT_EQ(state(item), State::Ready);
    EXPECT_EQ(claimOne().recipients.size(), 1u);
}

TEST_F(SettleTest, ASuspectSettlementCountsADeathAndTheLimitSetsItAside) {
    const ItemId item = post();
    for (int deaths = 1; deaths <= 5; ++deaths) {
        Settlement fault = settlementOf(claimOne(), Kind::Deferred);
        fault.due = clock_.now();
        fault.suspect = true;
        fault.reason = "the adapter failed unexpectedly";
        ASSERT_EQ(queue_->settle(std::span(&fault, 1))->size(), 1u);
        EXPECT_EQ(row(item).deaths, deaths);
        EXPECT_EQ(stateName(state(item)), deaths < 5 ? "ready" : "held") << "deaths: " << deaths;
    }
    EXPECT_EQ(row(item).reason,
              "its worker died 5 times while handling it; last: the adapter failed unexpectedly");
    EXPECT_EQ(history(item).back().what, "held");
}

TEST_F(SettleTest, NeedsArtifactIsTrueOnlyForWhatMayStillBePublished) {
    const ItemId item = post();
    const struct {
        State state;
        bool wanted;
    } rows[] = {{State::Ready, false},    {State::Claimed, true}, {State::Publishing, true},
                {State::Exported, false}, {State::Failed, false}, {State::Held, false},
                {State::InDoubt, true},   {State::Deleted, false}};
    const auto needed = [this](ItemId id, Epoch epoch) {
        bool answer = false;
        inRead([&](store::ReadSession& session) -> Result<void> {
            POSTERN_LET(read, needsArtifact(session, id, epoch));
            answer = read;
            return {};
        });
        return answer;
    };
    for (const auto& row : rows) {
        force(item, row.state, 3);
        EXPECT_EQ(needed(item, Epoch{3}), row.wanted) << stateName(row.state);
        EXPECT_FALSE(needed(item, Epoch{2})) << stateName(row.state) << ", staged by a claim before";
    }
    force(item, State::Publishing, 3);
    sql("UPDATE item SET epoch = 7");
    EXPECT_TRUE(needed(item, Epoch{3})) << "taken over since, but still the artifact in question";
    EXPECT_FALSE(needed(item, Epoch{7}));
    EXPECT_FALSE(needed(ItemId{99}, Epoch{1})) << "an item that is gone";
}

// For the fallback: what was tried again in doubt is never moved by itself.
TEST_F(QueueTest, ADoubtIsRememberedByEveryLaterClaim) {
    ItemId item;
    const Claim first = publishing(item);
    EXPECT_FALSE(first.doubted);
    Settlement again = settlementOf(first, Kind::Deferred);
    again.due = clock_.now();
    again.doubted = true;
    ASSERT_EQ(queue_->settle(std::span(&again, 1)).value().size(), 1u);
    const Claim second = claimOne();
    EXPECT_TRUE(second.doubted);
    Settlement sure = settlementOf(second, Kind::Deferred);
    sure.due = clock_.now();
    ASSERT_EQ(queue_->settle(std::span(&sure, 1)).value().size(), 1u);
    const Claim third = claimOne();
    EXPECT_TRUE(third.doubted);
    const Queue::Mark mark = markOf(third);
    ASSERT_EQ(queue_->markPublishing(std::span(&mark, 1)).value().size(), 1u);
    clock_.advance(std::chrono::hours(1));
    const Lapsed lapsed = queue_->takeLapsed("maildir", false, 10).value();
    ASSERT_EQ(lapsed.interrupted.size(), 1u);
    EXPECT_TRUE(lapsed.interrupted[0].claim.doubted) << "taken over";
}

}  // namespace
}  // namespace postern::queue
