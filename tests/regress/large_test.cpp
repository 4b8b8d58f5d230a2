// One very large text: it streams to its end, in bounded memory, and holds up nobody else.
#include <atomic>
#include <filesystem>

#include <gtest/gtest.h>

#include "connector/export/runner.h"
#include "queue/operate.h"
#include "store/notifier.h"
#include "tests/kit/memory.h"
#include "tests/kit/post_office.h"
#include "tests/kit/wait.h"

#if defined(POSTERN_SANITIZED)
#define POSTERN_LARGE_BYTES (20'000'000)
#else
#define POSTERN_LARGE_BYTES (200'000'000)
#endif

namespace postern::tests {
namespace {

using adapters::Job;
using exporting::Runner;

void postLarge(PostOffice& office, const std::string& adapter, std::int64_t bytes) {
    std::string lines;
    while (lines.size() < 60'000)
        lines += "A line of a text that has very many of them, one like the other.\r\n";
    store::BodyWriter body(office.store());
    ASSERT_TRUE(
        body.append("From: <a@example.org>\r\nSubject: large\r\nContent-Type: text/plain\r\n\r\n").ok());
    while (body.size() < bytes) ASSERT_TRUE(body.append(lines).ok());
    ASSERT_TRUE(body.seal().ok());
    const auto written = office.store().write([&](store::WriteSession& session) -> Result<void> {
        store::NewMessage message;
        message.received = office.clock().now();
        message.sender = "a@example.org";
        message.source = "test";
        POSTERN_LET(id, store::insertMessage(session, message, body));
        queue::NewItem item;
        item.adapter = adapter;
        item.group = "1";
        item.expires = message.received + std::chrono::hours(24);
        item.recipients.emplace_back();
        item.recipients.back().address = "b@legacy.example";
        item.recipients.back().legacy = "b";
        POSTERN_TRY(queue::enqueue(session, id, std::span<const queue::NewItem>(&item, 1), message.received));
        return {};
    });
    ASSERT_TRUE(written.ok());
    body.keep();
}

// A real adapter that can be stopped for a while in the middle of its work: where it says that it lives.
class Paused final : public adapters::Adapter {
  public:
    Paused(std::shared_ptr<adapters::Adapter> real, std::function<void(int beat)> onBeat)
        : real_(std::move(real)), onBeat_(std::move(onBeat)) {}
    Result<void> probe() override { return real_->probe(); }
    void stage(std::span<Job> jobs, const std::function<void()>& beat) override {
        real_->stage(jobs, [&] {
            beat();
            onBeat_(++beats_);
        });
    }
    void publish(std::span<Job> jobs, const std::function<void()>& beat) override {
        real_->publish(jobs, beat);
    }
    void abandon(Job& job) override { real_->abandon(job); }
    adapters::Recovery recover(const adapters::DeliveryKey& key, std::string_view evidence) override {
        return real_->recover(key, evidence);
    }
    Result<int> sweep(const std::function<bool(const adapters::DeliveryKey&)>& isOver) override {
        return real_->sweep(isOver);
    }
    std::string describe() const override { return real_->describe(); }
    int beats() const { return beats_; }

  private:
    const std::shared_ptr<adapters::Adapter> real_;
    const std::function<void(int)> onBeat_;
    std::atomic<int> beats_{0};
};

TEST(Regress, Q176440_one_very_large_text_streams_while_others_go_on) {
    constexpr int kMiddle = 100;
    PostOffice office;
    store::Notifier notifier;
    queue::Queue queue(office.store(), office.clock(), {.owner = "large"});
    const auto runnerFor = [&](const std::string& name, std::shared_ptr<adapters::Adapter> adapter) {
        config::Adapter settings;
        settings.name = name;
        settings.watchers = 1;
        exporting::RunnerOptions options;
        options.pollInterval = Millis(20);
        return std::make_unique<Runner>(office.store(), notifier, queue, std::move(adapter), settings,
                                        options);
    };
    postLarge(office, "large", POSTERN_LARGE_BYTES);
    MemoryGrowth memory;
    auto quick = runnerFor("quick", makeAdapter("drop", "quick", {{"folder", office.folder("quick")}}));
    std::int64_t meanwhile = -1;
    const auto paused = std::make_shared<Paused>(
        makeAdapter("maildir", "large", {{"folder", office.folder("large")}, {"format", "plain"}}),
        [&](int beat) {
            if (beat % 50 == 0) memory.look();
            if (beat != kMiddle) return;
            office.post("quick", 1, 20);
            EXPECT_TRUE(waitFor([&] { return quick->counters().exported == 20; }));
            meanwhile = quick->counters().exported;
        });
    auto large = runnerFor("large", paused);
    quick->start();
    large->start();
    ASSERT_TRUE(waitFor([&] { return large->counters().exported + large->counters().failed == 1; }));
    large->stop();
    quick->stop();
    EXPECT_EQ(large->counters().exported, 1);
    EXPECT_EQ(meanwhile, 20) << "while the large one was half done";
    EXPECT_GT(paused->beats(), 2 * kMiddle);
    std::uintmax_t written = 0;
    for (const auto& file : std::filesystem::recursive_directory_iterator(office.folder("large")))
        if (file.is_regular_file()) written = std::max(written, file.file_size());
    EXPECT_GE(written, std::uintmax_t{POSTERN_LARGE_BYTES}) << "nothing of it is lost";
#if !defined(POSTERN_SANITIZED)
    EXPECT_LT(memory.most(), 32'000) << "KiB more at its peak";
#endif
}

}  // namespace
}  // namespace postern::tests
