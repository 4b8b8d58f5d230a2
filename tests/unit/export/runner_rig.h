#pragma once
// A runner over a real store whose adapter does what the test says, and the log lines it leaves.

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include "base/log.h"
#include "base/sync.h"
#include "connector/export/runner.h"
#include "queue/operate.h"
#include "store/notifier.h"
#include "tests/fake_clock.h"
#include "tests/kit/post_office.h"

namespace postern::tests {

using adapters::Job;
using exporting::Runner;

// Does what each test tells it to; everything else exports at once.
class Scripted final : public adapters::Adapter {
  public:
    std::function<Result<void>()> onProbe = [] { return Result<void>(); };
    std::function<void(Job&)> onStage = [](Job&) {};
    std::function<void(Job&)> onPublish = [](Job&) {};
    std::function<adapters::Recovery()> onRecover = [] {
        return adapters::Recovery{adapters::Found::CannotTell, "nobody knows", std::nullopt};
    };

    std::function<void()> onHasten = [] {};

    Result<void> probe() override { return onProbe(); }
    void hasten() override { onHasten(); }
    void stage(std::span<Job> jobs, const std::function<void()>&) override {
        for (Job& job : jobs) {
            onStage(job);
            if (!job.outcome) job.evidence = "staged";
        }
    }
    void publish(std::span<Job> jobs, const std::function<void()>&) override {
        for (Job& job : jobs) {
            onPublish(job);
            if (!job.outcome) job.outcome = adapters::exported("here");
        }
    }
    void abandon(Job&) override {}
    adapters::Recovery recover(const adapters::DeliveryKey&, std::string_view) override {
        return onRecover();
    }
    Result<int> sweep(const std::function<bool(const adapters::DeliveryKey&)>&) override { return 0; }
    std::string describe() const override { return "scripted"; }
};

class RunnerTest : public testing::Test {
  protected:
    std::unique_ptr<Runner> makeRunner(const std::string& name, std::shared_ptr<adapters::Adapter> adapter,
                                       config::Adapter settings = {}, Millis pollInterval = Millis(50)) {
        settings.name = name;
        settings.retry.first = Millis(5);
        settings.retry.longest = Millis(10);
        exporting::RunnerOptions options;
        options.pollInterval = pollInterval;
        options.firstProbe = Millis(5);
        options.longestProbe = Millis(20);
        options.regroup = [](const std::string&, const std::vector<queue::RecipientRow>& recipients,
                             WallTime received) -> Result<std::vector<queue::NewItem>> {
            queue::NewItem item;
            item.expires = received + std::chrono::hours(1);
            item.recipients = recipients;
            return std::vector<queue::NewItem>{item};
        };
        return std::make_unique<Runner>(office_.store(), notifier_, queue_, std::move(adapter), settings,
                                        options);
    }
    void hold(std::optional<WallTime> until) {
        const auto held = office_.store().write([&](store::WriteSession& session) {
            return queue::holdAdapter(session, {"a", office_.clock().now(), "anna", "new disk", until});
        });
        ASSERT_TRUE(held.ok());
    }
    int count(queue::State state) {
        auto states = office_.states();
        return states[state];
    }

    PostOffice office_;
    store::Notifier notifier_;
    queue::Queue queue_{office_.store(), office_.clock(), {.owner = "unit"}};
};

class LogOf {
  public:
    LogOf() {
        setLogSink([this](Severity, std::string_view line) {
            MutexLock lock(mutex_);
            lines_.emplace_back(line);
        });
    }
    ~LogOf() { setLogSink({}); }
    std::vector<std::string> of(const std::string& event) const {
        MutexLock lock(mutex_);
        std::vector<std::string> found;
        for (const std::string& line : lines_)
            if (line.find(event + " ") != std::string::npos) found.push_back(line);
        return found;
    }

  private:
    mutable Mutex mutex_;
    std::vector<std::string> lines_ GUARDED_BY(mutex_);
};

}  // namespace postern::tests
