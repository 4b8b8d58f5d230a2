// The promises A1 to A5 of adapters/adapter.h for events POSTed to a receiver: its ledger is what counts, by
// the webhook-id that it knows again.

#include <set>
#include <thread>

#include <gtest/gtest.h>

#include "base/service_manager.h"
#include "tests/adapter_rig.h"
#include "tests/hook_receiver.h"
#include "tests/kit/starting_line.h"

namespace postern::tests {

using adapters::Found;
using adapters::Job;
using adapters::Verdict;

class WebhookSuite : public testing::Test {
  protected:
    WebhookSuite() {
        ignoreBrokenPipes();
        spill(temp_ / "secret", "a secret\n");
        restart();
    }
    void restart() {
        adapter_ =
            makeKind("webhook",
                     {{"url", host_.url()}, {"events", "item.failed"}, {"secret_file", temp_ / "secret"}},
                     kRigContext)
                .value();
    }
    Job staged(std::int64_t item, std::int64_t epoch = 1) {
        Job job = jobs_.make(item, epoch, "", "Subject: x\r\nContent-Type: application/json\r\n\r\n{}\r\n");
        adapter_->stage({&job, 1}, [] {});
        EXPECT_FALSE(job.outcome) << outcomeText(job);
        return job;
    }
    void publish(Job& job) {
        adapter_->publish({&job, 1}, [] {});
    }
    std::size_t posts() const { return host_.taken().size(); }
    std::size_t effects() const {
        std::set<std::string> ids;
        for (const TakenPost& post : host_.taken()) ids.insert(post.fields.at("webhook-id"));
        return ids.size();
    }

    TempFolder temp_;
    HookReceiver host_;
    std::unique_ptr<adapters::Adapter> adapter_;
    JobMaker jobs_;
};

TEST_F(WebhookSuite, A1StagingSendsNothingAndPublishingOne) {
    Job one = staged(1);
    EXPECT_FALSE(one.evidence.empty());
    EXPECT_LE(one.evidence.size(), 1024u);
    EXPECT_EQ(posts(), 0u);
    publish(one);
    EXPECT_EQ(one.outcome->verdict, Verdict::Exported) << outcomeText(one);
    EXPECT_EQ(posts(), 1u);
}

TEST_F(WebhookSuite, A1WhatWasAbandonedIsNeverSent) {
    Job one = staged(1);
    adapter_->abandon(one);
    publish(one);
    EXPECT_NE(one.outcome->verdict, Verdict::Exported);
    EXPECT_EQ(posts(), 0u);
}

TEST_F(WebhookSuite, A2PublishingTwiceSendsOnce) {
    Job first = staged(1), late = first;
    publish(first);
    publish(late);
    EXPECT_EQ(late.outcome->verdict, Verdict::Exported) << outcomeText(late);
    EXPECT_EQ(posts(), 1u);
}

TEST_F(WebhookSuite, A2PublishingFromManyThreadsSendsOnce) {
    for (int round = 1; round <= 10; ++round) {
        std::vector<Job> copies(8, staged(round));
        StartingLine start(8);
        {
            std::vector<std::jthread> threads;
            for (Job& copy : copies)
                threads.emplace_back([&] {
                    start.wait();
                    publish(copy);
                });
        }
        ASSERT_EQ(posts(), static_cast<std::size_t>(round));
    }
}

TEST_F(WebhookSuite, A3RecoveredBeforePublishingIsNeverSent) {
    Job one = staged(1);
    EXPECT_EQ(adapter_->recover(one.delivery.key, one.evidence).found, Found::NotPublished);
    publish(one);  // the late worker
    EXPECT_NE(one.outcome->verdict, Verdict::Exported) << outcomeText(one);
    EXPECT_EQ(adapter_->recover(one.delivery.key, one.evidence).found, Found::NotPublished);
    EXPECT_EQ(posts(), 0u);
}

TEST_F(WebhookSuite, A3WhoSawTheAnswerKnowsAndAnotherProcessCanNotTell) {
    Job one = staged(1);
    publish(one);
    EXPECT_EQ(adapter_->recover(one.delivery.key, one.evidence).found, Found::Published);
    restart();
    const auto seen = adapter_->recover(one.delivery.key, one.evidence);
    EXPECT_EQ(seen.found, Found::CannotTell);
    EXPECT_NE(seen.text.find(host_.place() + " may have it"), std::string::npos) << seen.text;
    EXPECT_EQ(adapter_->recover(one.delivery.key, "nonsense").found, Found::CannotTell);
}

TEST_F(WebhookSuite, A3RecoveryAndPublishingAtOnceAgree) {
    std::size_t sent = 0;
    for (int round = 1; round <= 30; ++round) {
        Job one = staged(round);
        adapters::Recovery seen;
        StartingLine start(2);
        {
            std::jthread asks([&] {
                start.wait();
                seen = adapter_->recover(one.delivery.key, one.evidence);
            });
            start.wait();
            publish(one);
        }
        const bool came = posts() > sent;
        sent = posts();
        EXPECT_FALSE(came && seen.found == Found::NotPublished) << round << ": " << seen.text;
        EXPECT_FALSE(!came && seen.found == Found::Published) << round << ": " << seen.text;
    }
}

TEST_F(WebhookSuite, A4ASecondAttemptHasTheIdOfTheFirst) {
    Job one = staged(1);
    publish(one);
    restart();
    Job again = staged(1, 2);
    publish(again);
    EXPECT_EQ(posts(), 2u);
    EXPECT_EQ(effects(), 1u);
    Job other = staged(2);
    publish(other);
    EXPECT_EQ(effects(), 2u);
}

TEST_F(WebhookSuite, A5OneThatCanNotBeSentStopsNoOther) {
    std::vector<Job> jobs;
    jobs.push_back(jobs_.make(1, 1, "", AdapterRig::kPlain));
    jobs.push_back(jobs_.make(2, 1, "", "A: b\r\nContent-Type: application/json\r\n\r\n{}\r\n"));
    adapter_->stage(jobs, [] {});
    ASSERT_TRUE(jobs[0].outcome);
    EXPECT_EQ(jobs[0].outcome->verdict, Verdict::Rejected) << outcomeText(jobs[0]);
    ASSERT_FALSE(jobs[1].outcome) << outcomeText(jobs[1]);
    publish(jobs[1]);
    EXPECT_EQ(jobs[1].outcome->verdict, Verdict::Exported) << outcomeText(jobs[1]);
}

TEST_F(WebhookSuite, SweepingDropsWhatIsOver) {
    Job one = staged(1);
    EXPECT_EQ(adapter_->sweep([](const adapters::DeliveryKey&) { return false; }).value(), 0);
    EXPECT_EQ(adapter_->sweep([](const adapters::DeliveryKey&) { return true; }).value(), 1);
    publish(one);
    EXPECT_EQ(posts(), 0u);
}

}  // namespace postern::tests
