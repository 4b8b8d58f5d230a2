#include "connector/export/settling.h"

#include <gtest/gtest.h>

namespace postern {
namespace {

using Kind = queue::Settlement::Kind;
const WallTime kNow = fromMillis(1'700'000'000'000);

queue::Claim claimOf(int attempts, Millis left) {
    queue::Claim claim;
    claim.item = {7};
    claim.epoch = {3};
    claim.attempts = attempts;
    claim.expires = kNow + left;
    claim.recipients = {{1, "a@x.example", "a", "pending", ""}, {2, "b@x.example", "b", "pending", ""}};
    return claim;
}

TEST(Settling, EachVerdictHasOneEnd) {
    const config::Adapter settings;
    const auto day = std::chrono::hours(24);
    struct Row {
        adapters::Outcome outcome;
        Millis left;
        Kind wanted;
    };
    const Row rows[] = {
        {adapters::exported("out/1"), day, Kind::Exported},
        {adapters::rejected("no such box"), day, Kind::Failed},
        {adapters::deferred("busy"), day, Kind::Deferred},
        {adapters::deferred("busy"), Millis(1), Kind::Failed},         // no time left for another attempt
        {adapters::unusable("disk full"), Millis(1), Kind::Deferred},  // the mail is not to blame
    };
    for (const Row& row : rows) {
        const auto got = exporting::settlementFor(claimOf(1, row.left), row.outcome, kNow, settings, kNow);
        EXPECT_EQ(static_cast<int>(got.kind), static_cast<int>(row.wanted)) << row.outcome.reason;
        EXPECT_EQ(got.item.value, 7);
        EXPECT_EQ(got.epoch.value, 3);
    }
}

// Another mail of its file was taken away: not this one's attempt, and its turn again at once.
TEST(Settling, WhatWasTakenAlongIsDueAtOnceAndNotCounted) {
    adapters::Outcome outcome = adapters::deferred("another mail of its file was taken away");
    EXPECT_FALSE(
        exporting::settlementFor(claimOf(1, std::chrono::hours(1)), outcome, kNow, {}, kNow).uncounted);
    outcome.again = true;
    const auto got = exporting::settlementFor(claimOf(1, Millis(1)), outcome, kNow, {}, kNow);
    EXPECT_EQ(static_cast<int>(got.kind), static_cast<int>(Kind::Deferred));
    EXPECT_TRUE(got.uncounted);
    EXPECT_EQ(got.due, kNow);
}

TEST(Settling, TheLastReasonIsKeptWhenTheAgeEnds) {
    const auto got =
        exporting::settlementFor(claimOf(9, Millis(1)), adapters::deferred("busy"), kNow, {}, kNow);
    EXPECT_NE(got.reason.find("busy"), std::string::npos) << got.reason;
    EXPECT_NE(got.reason.find("5d"), std::string::npos) << got.reason;
}

TEST(Settling, OneRefusedRecipientIsReportedAlone) {
    adapters::Outcome outcome = adapters::exported("out/1");
    outcome.recipients.push_back({2, adapters::Verdict::Rejected, "unknown user"});
    const auto got = exporting::settlementFor(claimOf(1, std::chrono::hours(1)), outcome, kNow, {}, kNow);
    ASSERT_EQ(got.recipients.size(), 1u);
    EXPECT_EQ(got.recipients[0].address, "b@x.example");
    EXPECT_EQ(got.recipients[0].outcome, "failed");
    EXPECT_EQ(got.recipients[0].reason, "unknown user");
}

TEST(Settling, WhoWaitsIsSaidWithAReason) {
    adapters::Outcome outcome = adapters::exported("out/1");
    outcome.recipients.push_back({2, adapters::Verdict::Deferred, "452 full", "", adapters::Cause::Full});
    const queue::Claim claim = claimOf(1, std::chrono::hours(1));
    auto got = exporting::settlementFor(claim, outcome, kNow, {}, kNow);
    EXPECT_EQ(got.reason, "1 of 2 recipients waits: b@x.example: 452 full");
    EXPECT_EQ(got.target, "out/1");
    EXPECT_FALSE(got.uncounted);
    EXPECT_GT(got.due, kNow);
    EXPECT_EQ(exporting::causeOfWaiting(outcome), adapters::Cause::Full);
    // RFC 5321 4.5.3.1.10: too many for one transaction. Another at once, and it was no attempt of theirs.
    outcome.again = true;
    got = exporting::settlementFor(claim, outcome, kNow, {}, kNow);
    EXPECT_EQ(got.due, kNow);
    EXPECT_TRUE(got.uncounted);
}

// Two addresses of one legacy name: the adapter hears of it once, both get its end.
TEST(Settling, Q181797_OneNameIsHandedOverOnceAndEndsForAll) {
    queue::Claim claim = claimOf(1, std::chrono::hours(1));
    claim.recipients = {{3, "a@x", "JOE  Doe", "pending", ""},
                        {4, "b@x", "Ann", "pending", ""},
                        {5, "c@x", "joe doe", "pending", ""},
                        {6, "d@x", "", "pending", ""},
                        {7, "e@x", "", "pending", ""}};
    std::string named;
    for (const adapters::Recipient& each : exporting::namedOnce(claim)) named += each.address + " ";
    EXPECT_EQ(named, "a@x b@x d@x e@x ");
    adapters::Outcome outcome = adapters::exported("out/1");
    outcome.recipients.push_back({3, adapters::Verdict::Rejected, "unknown user"});
    const auto got = exporting::settlementFor(claim, outcome, kNow, {}, kNow);
    ASSERT_EQ(got.recipients.size(), 2u);
    EXPECT_EQ(got.recipients[0].address + got.recipients[1].address, "a@xc@x");
    EXPECT_EQ(got.recipients[1].outcome, "failed");
}

config::Adapter withRules(std::vector<const char*> rules) {
    config::Adapter settings;
    for (const char* rule : rules) settings.policy.rules.push_back(config::parseRetryRule(rule).value());
    return settings;
}

TEST(Settling, TheClassOfTheErrorChoosesTheBackOff) {
    using adapters::Cause;
    const config::Adapter settings = withRules({"full 10m 40m", "* 1s 2s"});
    struct Row {
        Cause cause;
        int attempts;
        Millis wanted;
    };
    const Row rows[] = {
        {Cause::Full, 1, std::chrono::minutes(10)}, {Cause::Full, 2, std::chrono::minutes(20)},
        {Cause::Full, 9, std::chrono::minutes(40)}, {Cause::Busy, 1, std::chrono::seconds(1)},
        {Cause::Other, 5, std::chrono::seconds(2)},
    };
    for (const Row& row : rows) {
        const auto got = exporting::settlementFor(claimOf(row.attempts, std::chrono::hours(99)),
                                                  adapters::deferred("x", row.cause), kNow, settings, kNow);
        ASSERT_EQ(got.kind, Kind::Deferred);
        EXPECT_GE(got.due - kNow, row.wanted) << adapters::causeName(row.cause) << " " << row.attempts;
        EXPECT_LE(got.due - kNow, row.wanted * 9 / 8)
            << adapters::causeName(row.cause) << " " << row.attempts;
    }
    const auto plain =
        exporting::settlementFor(claimOf(1, std::chrono::hours(99)), adapters::deferred("x", Cause::Busy),
                                 kNow, withRules({"full 10m 40m"}), kNow);
    EXPECT_GE(plain.due - kNow, config::Adapter().retry.first) << "no rule fits";
}

TEST(Settling, ARulesAgeEndsTheMailSooner) {
    const config::Adapter settings = withRules({"refused 1m 1h 2h"});
    const auto at = [&](adapters::Cause cause, Millis age) {
        return exporting::settlementFor(claimOf(1, std::chrono::hours(99)), adapters::deferred("x", cause),
                                        kNow - age, settings, kNow);
    };
    EXPECT_EQ(at(adapters::Cause::Refused, std::chrono::minutes(110)).kind, Kind::Deferred);
    const auto old = at(adapters::Cause::Refused, std::chrono::minutes(119));
    EXPECT_EQ(old.kind, Kind::Failed);
    EXPECT_EQ(old.reason, "not delivered within 2h; last: x");
    EXPECT_EQ(at(adapters::Cause::Busy, std::chrono::hours(9)).kind, Kind::Deferred);
}

TEST(Settling, DoubtIsHeldUnlessTheAdministratorChoseToResend) {
    const adapters::Recovery nobodyKnows{adapters::Found::CannotTell, "no answer", std::nullopt};
    config::Adapter settings;
    EXPECT_EQ(
        exporting::settlementForRecovery(claimOf(1, std::chrono::hours(1)), nobodyKnows, settings, kNow).kind,
        Kind::InDoubt);
    settings.onDoubt = config::OnDoubt::Resend;
    EXPECT_EQ(
        exporting::settlementForRecovery(claimOf(1, std::chrono::hours(1)), nobodyKnows, settings, kNow).kind,
        Kind::Deferred);
}

// LMTP, cut off between two answers: those final, the rest in doubt (RELIABILITY.md 1.6).
TEST(Settling, OnlyWhoseEndIsNotKnownIsInDoubt) {
    queue::Claim claim = claimOf(1, std::chrono::hours(1));
    claim.recipients = {{1, "a@x", "a", "pending", ""},
                        {2, "b@x", "b", "pending", ""},
                        {3, "c@x", "c", "pending", ""},
                        {4, "d@x", "d", "pending", ""}};
    adapters::Outcome told = adapters::unknown("the connection was lost");
    told.recipients = {{1, adapters::Verdict::Exported, "250 saved"},
                       {2, adapters::Verdict::Rejected, "550 who?", "5.1.1"},
                       {3, adapters::Verdict::Deferred, "452 not now"}};
    const adapters::Recovery recovery{adapters::Found::CannotTell, "look there", std::nullopt};
    const auto got = exporting::settlementForRecovery(claim, recovery, {}, kNow, &told);
    EXPECT_EQ(got.kind, Kind::InDoubt);
    EXPECT_GT(got.due, kNow) << "for c, who surely does not have it";
    ASSERT_EQ(got.recipients.size(), 3u);
    EXPECT_EQ(got.recipients[0].outcome, "exported");
    EXPECT_EQ(got.recipients[1].outcome + got.recipients[1].status, "failed5.1.1");
    EXPECT_EQ(got.recipients[2].outcome, "pending");
}

// A recipient that still waits when the age is over ends with its item, or the item would fail each round.
TEST(Settling, NobodyWaitsInAnItemWhoseAgeIsOver) {
    adapters::Outcome outcome = adapters::deferred("greylisted", adapters::Cause::Refused);
    outcome.recipients = {{1, adapters::Verdict::Deferred, "greylisted"},
                          {2, adapters::Verdict::Rejected, "no such user"}};
    const auto got =
        exporting::settlementFor(claimOf(1, std::chrono::hours(99)), outcome, kNow - std::chrono::hours(3),
                                 withRules({"refused 1m 1h 2h"}), kNow);
    EXPECT_EQ(got.kind, Kind::Failed);
    ASSERT_EQ(got.recipients.size(), 1u);
    EXPECT_EQ(got.recipients[0].ordinal, 2);
}

TEST(Settling, ThoseLeftBehindWaitAsTheirClassSays) {
    adapters::Outcome outcome = adapters::exported("out/1");
    outcome.recipients = {{2, adapters::Verdict::Deferred, "mailbox full", "4.2.2", adapters::Cause::Full}};
    const auto got = exporting::settlementFor(claimOf(1, std::chrono::hours(99)), outcome, kNow,
                                              withRules({"full 10h 20h"}), kNow);
    EXPECT_EQ(got.kind, Kind::Exported);
    EXPECT_GE(got.due, kNow + std::chrono::hours(10));
}

TEST(Settling, WhatIsSentAgainInDoubtIsRemembered) {
    config::Adapter settings;
    settings.onDoubt = config::OnDoubt::Resend;
    const auto at = [&](adapters::Found found) {
        return exporting::settlementForRecovery(claimOf(1, std::chrono::hours(1)), {found, "x", std::nullopt},
                                                settings, kNow);
    };
    EXPECT_TRUE(at(adapters::Found::CannotTell).doubted);
    EXPECT_FALSE(at(adapters::Found::NotPublished).doubted);
}

TEST(Settling, AReceiverThatDropsTheSecondIsSentItAgain) {
    config::Adapter settings;
    settings.onDoubt = config::OnDoubt::ReceiverDedupes;
    const adapters::Recovery nobodyKnows{adapters::Found::CannotTell, "no answer", std::nullopt};
    const auto got =
        exporting::settlementForRecovery(claimOf(1, std::chrono::hours(1)), nobodyKnows, settings, kNow);
    EXPECT_EQ(got.kind, Kind::Deferred);
    EXPECT_NE(got.reason.find("drop the second by its Message-ID"), std::string::npos) << got.reason;
}

TEST(Settling, Q176477_TheRestOfACrowdGoesAtOnce) {
    adapters::Outcome outcome = adapters::exported("out/1");
    outcome.recipients = {{2, adapters::Verdict::Deferred, "452 too many recipients"}};
    EXPECT_GT(exporting::settlementFor(claimOf(1, std::chrono::hours(1)), outcome, kNow, {}, kNow).due, kNow);
    outcome.again = true;
    EXPECT_EQ(exporting::settlementFor(claimOf(1, std::chrono::hours(1)), outcome, kNow, {}, kNow).due, kNow);
}

}  // namespace
}  // namespace postern
