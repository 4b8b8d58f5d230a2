// A store that comes back from a backup in which an item was publishing. The store that is lost went on from
// there, and its folders are still in place: what is not in them any more may have been published, or
// withdrawn and swept.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/source.h"
#include "queue/restored.h"
#include "tests/fake_clock.h"
#include "tests/kit/post_office.h"

namespace postern {
namespace {

using testing::HasSubstr;

class RestoredAttemptTest : public testing::Test {
  protected:
    RestoredAttemptTest() { EXPECT_TRUE(adapter_->probe().ok()); }

    // Claimed, staged and marked by the store that will be lost, and a backup of that moment.
    void publishing() {
        office_.post("out", 1, 1);
        const auto claims = lost_.claim("out", 1);
        ASSERT_TRUE(claims.ok() && claims->size() == 1);
        const queue::Claim& claim = claims->front();
        job_.delivery.key = {claim.item, claim.epoch};
        const std::string text = "X-Serial: 1\r\nSubject: serial 1\r\n\r\nbody 1\r\n";
        body_ = std::make_unique<StringSource>(text);
        job_.delivery.message = body_.get();
        for (const queue::RecipientRow& row : claim.recipients)
            job_.delivery.recipients.push_back({row.ordinal, row.address, row.legacy});
        adapter_->stage({&job_, 1}, [] {});
        ASSERT_FALSE(job_.evidence.empty());
        const queue::Queue::Mark mark{claim.item, claim.epoch, job_.evidence};
        const auto marked = lost_.markPublishing({&mark, 1});
        ASSERT_TRUE(marked.ok() && marked->size() == 1);
        claim_ = claim;
    }

    void restore() {
        constexpr const char* kAsInTheBackup =
            "UPDATE item SET state = 'publishing', epoch = ?2, owner = 'lost', lease_ms = 0, evidence = ?3,"
            " staged_epoch = ?2, settled_ms = NULL WHERE id = ?1";
        const auto written = office_.store().write([&](store::WriteSession& session) -> Result<void> {
            POSTERN_TRY(session.run(kAsInTheBackup, claim_.item, claim_.epoch, job_.evidence));
            POSTERN_TRY(session.run("UPDATE recipient SET outcome = 'pending'"));
            return queue::markRestored(session, clock_.now(), "alice", clock_.now()).ok()
                       ? Result<void>()
                       : fail(Errc::Internal, "not marked");
        });
        ASSERT_TRUE(written.ok());
        exporting::Exporter exporter(post(restored_));
        const auto round = exporter.recover(true);
        ASSERT_TRUE(round.ok());
    }

    exporting::Post post(queue::Queue& queue) {
        return {office_.store(), queue, *adapter_, settings_, counters_, pulse_};
    }

    std::string reason() {
        std::string text;
        const auto read = office_.store().read([&](store::ReadSession& session) -> Result<void> {
            store::Statement row = session.query("SELECT reason FROM item");
            while (row.next()) text = row.text(0);
            return row.finish();
        });
        EXPECT_TRUE(read.ok());
        return text;
    }

    tests::FakeClock clock_;
    tests::PostOffice office_{clock_};
    std::shared_ptr<adapters::Adapter> adapter_ =
        tests::makeAdapter("drop", "out", {{"folder", office_.folder("out")}});
    tests::Consumer consumer_{office_.folder("out")};
    config::Adapter settings_ = [] {
        config::Adapter settings;
        settings.name = "out";
        return settings;
    }();
    exporting::Counters counters_;
    Pulse pulse_{clock_};
    queue::Queue lost_{office_.store(), clock_, {.owner = "lost"}};
    queue::Queue second_{office_.store(), clock_, {.owner = "second"}};
    queue::Queue restored_{office_.store(), clock_, {.owner = "restored"}};
    std::unique_ptr<ByteSource> body_;
    adapters::Job job_;
    queue::Claim claim_;
};

// Found by the model (tests/proof/model, BUG_BACKUP_BELIEVED): the staged file is gone because the lost store
// withdrew it after a crash and swept it away, and nobody has the mail.
TEST_F(RestoredAttemptTest, WithdrawnAndSweptIsNotTakenForPublished) {
    publishing();
    exporting::Exporter exporter(post(second_));
    ASSERT_TRUE(exporter.recover(true).ok());
    ASSERT_EQ(office_.states()[queue::State::Ready], 1);
    const auto swept = adapter_->sweep([](const adapters::DeliveryKey&) { return true; });
    ASSERT_TRUE(swept.ok() && *swept == 1);

    restore();
    EXPECT_EQ(consumer_.take(), 0);
    EXPECT_EQ(office_.states()[queue::State::Exported], 0) << "nobody has it";
    EXPECT_EQ(office_.states()[queue::State::InDoubt], 1);
    EXPECT_THAT(reason(), HasSubstr("restored from a backup"));
}

TEST_F(RestoredAttemptTest, PublishedIsForAPersonToSay) {
    publishing();
    adapter_->publish({&job_, 1}, [] {});
    restore();
    EXPECT_EQ(consumer_.take(), 1);
    EXPECT_EQ(office_.states()[queue::State::InDoubt], 1);
}

TEST_F(RestoredAttemptTest, StillStagedIsHeld) {
    publishing();
    restore();
    EXPECT_EQ(consumer_.take(), 0);
    EXPECT_EQ(office_.states()[queue::State::Held], 1);
}

}  // namespace
}  // namespace postern
