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
        const auto got = exporting::settlementFor(claimOf(1, row.left), row.outcome, settings, kNow);
        EXPECT_EQ(static_cast<int>(got.kind), static_cast<int>(row.wanted)) << row.outcome.reason;
        EXPECT_EQ(got.item.value, 7);
        EXPECT_EQ(got.epoch.value, 3);
    }
}

TEST(Settling, TheLastReasonIsKeptWhenTheAgeEnds) {
    const auto got = exporting::settlementFor(claimOf(9, Millis(1)), adapters::deferred("busy"), {}, kNow);
    EXPECT_NE(got.reason.find("busy"), std::string::npos) << got.reason;
    EXPECT_NE(got.reason.find("5d"), std::string::npos) << got.reason;
}

TEST(Settling, OneRefusedRecipientIsReportedAlone) {
    adapters::Outcome outcome = adapters::exported("out/1");
    outcome.recipients.push_back({2, adapters::Verdict::Rejected, "unknown user"});
    const auto got = exporting::settlementFor(claimOf(1, std::chrono::hours(1)), outcome, {}, kNow);
    ASSERT_EQ(got.recipients.size(), 1u);
    EXPECT_EQ(got.recipients[0].address, "b@x.example");
    EXPECT_EQ(got.recipients[0].outcome, "failed");
    EXPECT_EQ(got.recipients[0].reason, "unknown user");
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

}  // namespace
}  // namespace postern
