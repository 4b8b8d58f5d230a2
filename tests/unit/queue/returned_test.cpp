#include "queue/returned.h"

#include <gmock/gmock.h>

#include "tests/unit/queue/fixture.h"

namespace postern::queue {
namespace {

class ReturnedTest : public QueueTest {
  protected:
    static constexpr Epoch kForced{3};  // as force() makes it
    // An exported item of `count` recipients.
    ItemId exported(int count) {
        const ItemId item = post(count);
        force(item, State::Exported);
        return item;
    }
    ReturnedAnswer answer(ItemId item, const std::string& token = "msg0001.1") {
        return {.adapter = "maildir",
                .token = token,
                .item = item,
                .epoch = kForced,
                .text = "given back by PO1"};
    }
    static RecipientRow refusal(int ordinal, const std::string& reason) {
        RecipientRow row;
        row.ordinal = ordinal;
        row.reason = reason;
        row.status = "5.1.1";
        return row;
    }
    Taken take(const ReturnedAnswer& what) {
        Taken taken = Taken::Nowhere;
        inWrite([&](store::WriteSession& session) -> Result<void> {
            const Teller tell = [&](store::WriteSession&, const Fate& fate) -> Result<void> {
                fates_.push_back(fate);
                return {};
            };
            POSTERN_LET(result, takeReturned(session, what, clock_.now(), tell));
            taken = result;
            return {};
        });
        return taken;
    }
    std::vector<std::string> outcomes(ItemId item) {
        std::vector<std::string> found;
        for (const RecipientRow& row : recipients(item)) found.push_back(row.outcome);
        return found;
    }

    std::vector<Fate> fates_;
};

using testing::ElementsAre;

TEST_F(ReturnedTest, Q228743_ExactlyThoseGivenBackFailAndAreToldOfOnce) {
    const ItemId item = exported(3);
    ReturnedAnswer what = answer(item);
    what.refused = {{refusal(2, "user not found")}};
    EXPECT_EQ(take(what), Taken::Now);
    EXPECT_THAT(outcomes(item), ElementsAre("exported", "failed", "exported"));
    EXPECT_EQ(state(item), State::Exported) << "two of three have it";
    ASSERT_EQ(fates_.size(), 1u);
    ASSERT_EQ(fates_[0].recipients.size(), 1u);
    EXPECT_EQ(fates_[0].recipients[0].ordinal, 2);
    EXPECT_EQ(fates_[0].recipients[0].reason, "user not found");
    EXPECT_EQ(fates_[0].recipients[0].status, "5.1.1");

    const std::string before = everything(item);
    EXPECT_EQ(take(what), Taken::Before) << "a crash before settle() gives it again";
    EXPECT_EQ(everything(item), before);
    what.token = "msg0001.2";
    EXPECT_EQ(take(what), Taken::Now) << "another answer that says the same";
    EXPECT_EQ(fates_.size(), 1u);
}

TEST_F(ReturnedTest, WhenNobodyIsLeftTheItemIsFailed) {
    const ItemId item = exported(2);
    ReturnedAnswer first = answer(item, "1");
    first.refused = {{refusal(1, "no")}};
    EXPECT_EQ(take(first), Taken::Now);
    EXPECT_EQ(take(answer(item, "2")), Taken::Now) << "every recipient";
    EXPECT_EQ(state(item), State::Failed);
    EXPECT_THAT(outcomes(item), ElementsAre("failed", "failed"));
    ASSERT_EQ(fates_.size(), 2u);
    EXPECT_EQ(fates_[1].recipients.size(), 1u);
    EXPECT_EQ(fates_[1].recipients[0].reason, "given back by PO1");
}

TEST_F(ReturnedTest, ASenderWhoWasToldOfTheExportIsToldOfTheFailureToo) {
    const ItemId item = exported(1);
    sql("UPDATE recipient SET notify = 'success,failure', reported = 'final'");
    EXPECT_EQ(take(answer(item)), Taken::Now);
    EXPECT_EQ(fates_.size(), 1u);
    EXPECT_EQ(take(answer(item, "again")), Taken::Past);
    EXPECT_EQ(fates_.size(), 1u);
}

TEST_F(ReturnedTest, DoubtWaitsForAPersonWhoMaySayAnything) {
    for (const Verb verb : {Verb::ResolveExported, Verb::ResolveResend, Verb::ResolveFailed}) {
        const ItemId item = exported(2);
        ReturnedAnswer what = answer(item, std::string(verbName(verb)));
        what.doubt = true;
        EXPECT_EQ(take(what), Taken::Doubted);
        EXPECT_EQ(state(item), State::InDoubt);
        EXPECT_THAT(outcomes(item), ElementsAre("pending", "pending"));
        EXPECT_TRUE(operate(verb, {item}).front().done);
        EXPECT_EQ(state(item), verb == Verb::ResolveExported ? State::Exported
                               : verb == Verb::ResolveResend ? State::Ready
                                                             : State::Failed);
        sql("UPDATE item SET state = 'deleted', evidence = NULL, staged_epoch = NULL, settled_ms = 1");
    }
    EXPECT_TRUE(fates_.empty());
}

TEST_F(ReturnedTest, DoubtMaySendAgainByPolicyAndNeverIsTooOldForIt) {
    const ItemId item = exported(1);
    sql("UPDATE item SET expires_ms = 1");
    ReturnedAnswer what = answer(item);
    what.doubt = what.resend = true;
    EXPECT_EQ(take(what), Taken::Doubted);
    EXPECT_EQ(state(item), State::Ready);
    EXPECT_EQ(number("SELECT doubted FROM item"), 1);
    EXPECT_GT(number("SELECT expires_ms FROM item"), toMillis(clock_.now()));
    EXPECT_EQ(claimOne().item, item);
}

TEST_F(ReturnedTest, AnAnswerToAnItemInDoubtEndsTheDoubt) {
    const ItemId item = exported(2);
    ReturnedAnswer what = answer(item, "cut off");
    what.doubt = true;
    EXPECT_EQ(take(what), Taken::Doubted);
    ReturnedAnswer first = answer(item, "1");
    first.refused = {{refusal(1, "no")}};
    EXPECT_EQ(take(first), Taken::Now);
    EXPECT_EQ(state(item), State::InDoubt) << "of the other one nobody knows";
    EXPECT_EQ(take(answer(item, "2")), Taken::Now);
    EXPECT_EQ(state(item), State::Failed);
    EXPECT_EQ(fates_.size(), 2u);
}

TEST_F(ReturnedTest, AnItemInSomebodysHandsIsNotTouched) {
    ItemId item;
    const Claim claim = publishing(item);
    const std::string before = everything(item);
    ReturnedAnswer what = answer(item);
    what.epoch = claim.epoch;
    EXPECT_EQ(take(what), Taken::Early);
    EXPECT_EQ(everything(item), before);
    EXPECT_EQ(queue_->settle(std::vector{settlementOf(claim, Settlement::Kind::Exported)}).value().size(),
              1u);
    EXPECT_EQ(take(what), Taken::Now);
    EXPECT_EQ(state(item), State::Failed);
}

TEST_F(ReturnedTest, InEveryOtherStateOnlyTheHistoryHearsOfIt) {
    for (const State each : {State::Ready, State::Held, State::Failed, State::Deleted}) {
        const ItemId item = post();
        force(item, each);
        const auto before = outcomes(item);
        EXPECT_EQ(take(answer(item, std::string(stateName(each)))), Taken::Past);
        EXPECT_EQ(state(item), each);
        EXPECT_EQ(outcomes(item), before);
        EXPECT_EQ(history(item).back().what, "returned");
    }
    EXPECT_TRUE(fates_.empty());
}

TEST_F(ReturnedTest, WhoHasNoSuchItemIsToldSo) {
    const ItemId item = exported(1);
    EXPECT_EQ(take(answer(ItemId{4711})), Taken::Nowhere);
    ReturnedAnswer other = answer(item);
    other.adapter = "drop";
    EXPECT_EQ(take(other), Taken::Nowhere) << "another adapter's item";
    EXPECT_EQ(state(item), State::Exported);
}

// The first copy was given back, or is in doubt, after a person had it sent again: the second is what counts.
TEST_F(ReturnedTest, AnAnswerToAnEarlierAttemptSettlesNothing) {
    for (const State each : {State::Exported, State::InDoubt})
        for (const bool doubt : {false, true}) {
            const ItemId item = post(2);
            force(item, each);
            const auto before = outcomes(item);
            ReturnedAnswer what = answer(item, std::to_string(item.value));
            what.epoch = Epoch{1};
            what.doubt = what.resend = doubt;
            EXPECT_EQ(take(what), Taken::Past);
            EXPECT_EQ(state(item), each);
            EXPECT_EQ(outcomes(item), before);
            EXPECT_EQ(history(item).back().detail, "given back by PO1 (of an earlier attempt)");
            EXPECT_EQ(take(what), Taken::Before);
        }
    EXPECT_TRUE(fates_.empty());
}

TEST_F(ReturnedTest, AnAnswerToTheAttemptThatCountsDoesWhatItSays) {
    const ItemId item = exported(1);
    sql("UPDATE item SET epoch = 4");  // taken over by recovery, which asked and was answered
    EXPECT_EQ(take(answer(item)), Taken::Now);
    EXPECT_EQ(state(item), State::Failed);
    EXPECT_EQ(fates_.size(), 1u);
}

// It may be about a copy of long ago, or about the mail that is believed to have arrived.
TEST_F(ReturnedTest, AnAnswerToNobodyKnowsWhichAttemptIsADoubtOnceThereMayBeTwo) {
    const ItemId once = post();
    force(once, State::Exported, 1);
    ReturnedAnswer what = answer(once, "once");
    what.epoch.reset();
    EXPECT_EQ(take(what), Taken::Now) << "there was only one";
    EXPECT_EQ(state(once), State::Failed);
    what.item = exported(1);
    what.token = "1";
    EXPECT_EQ(take(what), Taken::Doubted);
    EXPECT_EQ(state(what.item), State::InDoubt);
    what.token = "2";
    EXPECT_EQ(take(what), Taken::Past) << "a doubt is not ended by it";
    EXPECT_EQ(state(what.item), State::InDoubt);
    what.token = "3";
    what.epoch = kForced;
    EXPECT_EQ(take(what), Taken::Now);
    EXPECT_EQ(state(what.item), State::Failed);
    EXPECT_EQ(fates_.size(), 2u);
}

// The row is the guard, and it is unstorable twice.
TEST_F(ReturnedTest, TheTableHoldsOneRowForEachAnswer) {
    const ItemId item = exported(1);
    EXPECT_EQ(take(answer(item)), Taken::Now);
    EXPECT_FALSE(trySql("INSERT INTO returned SELECT * FROM returned").ok());
    EXPECT_FALSE(trySql("UPDATE returned SET token = ''").ok());
    sql("DELETE FROM item");
    EXPECT_EQ(number("SELECT count(*) FROM returned"), 0);
}

// No report without its change, and no change without its report.
TEST_F(ReturnedTest, AReportThatCanNotBeStoredUndoesAll) {
    const ItemId item = exported(1);
    const std::string before = everything(item);
    const auto written = store_->write([&](store::WriteSession& session) -> Result<void> {
        POSTERN_TRY(takeReturned(session, answer(item), clock_.now(), [](store::WriteSession&, const Fate&) {
            return Result<void>(fail(Errc::NoSpace, "full"));
        }));
        return {};
    });
    EXPECT_FALSE(written.ok());
    EXPECT_EQ(everything(item), before);
    EXPECT_EQ(number("SELECT count(*) FROM returned"), 0);
}

}  // namespace
}  // namespace postern::queue
