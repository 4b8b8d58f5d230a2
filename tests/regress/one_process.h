#pragma once
// One process of the service without its threads: an adapter, a queue of its own and an exporter, on a store
// that outlives it. And an adapter that does what a test says.

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "base/pulse.h"
#include "connector/export/exporter.h"
#include "queue/queue.h"
#include "store/messages.h"

namespace postern::tests {

// Exports what it is given; a test looks on, or decides otherwise.
class Watched final : public adapters::Adapter {
  public:
    std::function<void(adapters::Job&)> onStage = [](adapters::Job&) {};
    std::function<void(adapters::Job&)> onPublish = [](adapters::Job&) {};

    Result<void> probe() override { return {}; }
    void stage(std::span<adapters::Job> jobs, const std::function<void()>&) override {
        for (adapters::Job& job : jobs) {
            onStage(job);
            if (!job.outcome) job.evidence = "staged";
        }
    }
    void publish(std::span<adapters::Job> jobs, const std::function<void()>&) override {
        for (adapters::Job& job : jobs) {
            onPublish(job);
            if (!job.outcome) job.outcome = adapters::exported("here");
        }
    }
    void abandon(adapters::Job&) override {}
    adapters::Recovery recover(const adapters::DeliveryKey&, std::string_view) override { return {}; }
    Result<int> sweep(const std::function<bool(const adapters::DeliveryKey&)>&) override { return 0; }
    std::string describe() const override { return "watched"; }
};

class OneProcess {
  public:
    OneProcess(store::Store& store, Clock& clock, std::shared_ptr<adapters::Adapter> adapter,
               const std::string& name = "a")
        : adapter_(std::move(adapter)),
          queue_(store, clock, {.owner = name + "'s"}),
          pulse_(clock),
          exporter_({store, queue_, *adapter_, settings_, counters_, pulse_}) {
        settings_.name = name;
        const auto probed = adapter_->probe();
        EXPECT_TRUE(probed.ok()) << (probed.ok() ? "" : probed.error().text);
    }
    // As at its start: what the last process left is looked into. Then exports until nothing is due. Result:
    // how many items were claimed.
    int run() {
        EXPECT_TRUE(exporter_.recover(true).ok());
        for (int claimed = 0;;) {
            const auto round = exporter_.exportBatch([] { return false; }, 64);
            EXPECT_TRUE(round.ok()) << (round.ok() ? "" : round.error().text);
            if (!round.ok() || round->claimed == 0) return claimed;
            claimed += round->claimed;
        }
    }
    adapters::Adapter& adapter() { return *adapter_; }

  private:
    config::Adapter settings_;
    exporting::Counters counters_;
    std::shared_ptr<adapters::Adapter> adapter_;
    queue::Queue queue_;
    Pulse pulse_;
    exporting::Exporter exporter_;
};

// A mail from `source` with one item of adapter "a" for `recipients`.
inline ItemId enqueued(store::Store& store, WallTime now, const std::vector<std::string>& recipients,
                       const std::string& source = "smtp") {
    ItemId made;
    const auto written = store.write([&](store::WriteSession& session) -> Result<void> {
        store::NewMessage message;
        message.source = source;
        message.protocol = "ESMTP";
        message.received = now;
        message.sender = "alice@example.org";
        POSTERN_LET(id, store::insertMessage(session, message, "X-Serial: 1\r\n\r\nx\r\n"));
        queue::NewItem item;
        item.adapter = "a";
        item.group = "1";
        item.expires = now + std::chrono::hours(24);
        for (const std::string& address : recipients) {
            queue::RecipientRow& row = item.recipients.emplace_back();
            row.address = row.legacy = address;
        }
        POSTERN_LET(ids, queue::enqueue(session, id, std::span<const queue::NewItem>(&item, 1), now));
        made = ids.at(0);
        return {};
    });
    EXPECT_TRUE(written.ok()) << (written.ok() ? "" : written.error().text);
    return made;
}

}  // namespace postern::tests
