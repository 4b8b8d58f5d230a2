// A watcher that stalls past its lease at every step of an export, while another one takes over. The stalled
// one then goes on as if nothing had happened: it must change nothing. Time is a fake clock and the second
// watcher runs inside the first one's stall, so each interleaving is exact and repeatable.
//
// The same scenarios run with each guard of base/guards.h switched off: then some scenario must double or
// lose a mail. A guard whose removal goes unnoticed proves nothing.

#include <functional>

#include <gtest/gtest.h>

#include "tests/fake_clock.h"
#include "tests/kit/forwarding_adapter.h"
#include "tests/kit/post_office.h"

namespace postern {
namespace {

using adapters::Delivery;
using adapters::DeliveryKey;
using adapters::Job;

enum class Stall { None, BeforeStage, AfterStage, BeforePublish, AfterPublish };
constexpr Stall kStalls[] = {Stall::None, Stall::BeforeStage, Stall::AfterStage, Stall::BeforePublish,
                             Stall::AfterPublish};

const char* stallName(Stall stall) {
    switch (stall) {
        case Stall::None: return "no stall";
        case Stall::BeforeStage: return "before stage";
        case Stall::AfterStage: return "after stage, before the mark";
        case Stall::BeforePublish: return "after the mark, before publish";
        case Stall::AfterPublish: return "after publish, before settle";
    }
    return "";
}

// A real adapter, with a pause at one step.
class Stalling final : public tests::ForwardingAdapter {
  public:
    Stalling(std::shared_ptr<adapters::Adapter> real, Stall at, std::function<void()> pause)
        : ForwardingAdapter(std::move(real)), at_(at), pause_(std::move(pause)) {}

    void stage(std::span<Job> jobs, const std::function<void()>& beat) override {
        pauseAt(Stall::BeforeStage);
        ForwardingAdapter::stage(jobs, beat);
        pauseAt(Stall::AfterStage);
    }
    void publish(std::span<Job> jobs, const std::function<void()>& beat) override {
        pauseAt(Stall::BeforePublish);
        ForwardingAdapter::publish(jobs, beat);
        pauseAt(Stall::AfterPublish);
    }

  private:
    void pauseAt(Stall step) {
        if (step != at_) return;
        at_ = Stall::None;
        pause_();
    }
    Stall at_;
    std::function<void()> pause_;
};

struct Scenario {
    Stall stall;
    bool otherWorks;       // another watcher takes over during the stall; otherwise only the clock moves
    bool consumerDeletes;  // the legacy consumer takes files at once; otherwise it comes at the end
};

// Runs one scenario to its end with `items` mails. "" when every mail came out exactly once.
std::string run(const Scenario& scenario, Guards guards, int items) {
    tests::FakeClock clock;
    tests::PostOffice office(clock);
    const std::string out = office.folder("out");
    const auto real = tests::makeAdapter("drop", "out", {{"folder", out}}, guards);
    if (const auto probed = real->probe(); !probed.ok()) return probed.error().text;
    config::Adapter settings;
    settings.name = "out";
    tests::Consumer consumer(out);
    office.post("out", 1, items);

    queue::QueueOptions options;
    options.guards = guards;
    options.owner = "first";
    queue::Queue firstQueue(office.store(), clock, options);
    options.owner = "second";
    queue::Queue secondQueue(office.store(), clock, options);

    exporting::Counters counters;
    Pulse pulse(office.clock());
    const exporting::Post secondPost{office.store(), secondQueue, *real, settings, counters, pulse};
    const auto never = [] { return false; };
    std::string trouble;
    const auto workUntilIdle = [&](exporting::Exporter& exporter) {
        for (int round = 0; round < 10; ++round) {
            const auto recovered = exporter.recover(false);
            const auto exported = exporter.exportBatch(never, 64);
            if (!recovered.ok()) trouble = recovered.error().text;
            if (!exported.ok()) trouble = exported.error().text;
            if (scenario.consumerDeletes) consumer.take();
        }
    };
    Stalling stalling(real, scenario.stall, [&] {
        if (scenario.consumerDeletes) consumer.take();
        clock.advance(options.lease + Millis(1));
        if (!scenario.otherWorks) return;
        exporting::Exporter second(secondPost);
        workUntilIdle(second);
    });
    exporting::Exporter first({office.store(), firstQueue, stalling, settings, counters, pulse});
    if (const auto exported = first.exportBatch(never, 64); !exported.ok()) trouble = exported.error().text;

    clock.advance(options.lease + Millis(1));
    exporting::Exporter second(secondPost);
    workUntilIdle(second);
    consumer.take();
    if (!trouble.empty()) return trouble;
    const auto states = office.states();
    if (states.size() != 1 || states.begin()->first != queue::State::Exported)
        return "not all items ended as exported";
    return consumer.verdict(items);
}

std::vector<Scenario> scenarios() {
    std::vector<Scenario> all;
    for (const Stall stall : kStalls)
        for (const bool other : {false, true})
            for (const bool deletes : {false, true}) all.push_back({stall, other, deletes});
    return all;
}

std::string nameOf(const Scenario& scenario) {
    return std::string(stallName(scenario.stall)) +
           (scenario.otherWorks ? ", another takes over" : ", nobody takes over") +
           (scenario.consumerDeletes ? ", consumer deletes at once" : ", consumer comes late");
}

TEST(Stall, LateWatcherChangesNothing) {
    for (const Scenario& scenario : scenarios())
        EXPECT_EQ(run(scenario, Guards{}, 3), "") << nameOf(scenario);
}

// How many scenarios go wrong with these guards.
int failures(Guards guards) {
    int failed = 0;
    for (const Scenario& scenario : scenarios()) failed += !run(scenario, guards, 3).empty();
    return failed;
}

TEST(StallMutation, WithoutTheEpochGuardMailIsDoubledOrLost) {
    Guards guards;
    guards.epoch = false;
    EXPECT_GT(failures(guards), 0);
}

TEST(StallMutation, WithoutThePublishingMarkMailIsDoubledOrLost) {
    Guards guards;
    guards.publishingMark = false;
    EXPECT_GT(failures(guards), 0);
}

TEST(StallMutation, WithoutAskingTheAdapterMailIsDoubledOrLost) {
    Guards guards;
    guards.askAdapter = false;
    EXPECT_GT(failures(guards), 0);
}

TEST(StallMutation, WithoutTheNoReplaceRenameMailIsDoubledOrLost) {
    Guards guards;
    guards.noReplace = false;
    EXPECT_GT(failures(guards), 0);
}

}  // namespace
}  // namespace postern
