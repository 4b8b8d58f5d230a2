#pragma once
// An adapter of which only what routing asks is there; the rest is never called.

#include <optional>
#include <string>

#include "adapters/adapter.h"

namespace postern::routing {

class AskedAdapter final : public adapters::Adapter {
  public:
    explicit AskedAdapter(adapters::Grouping grouping = {}, std::string refused = {})
        : grouping_(std::move(grouping)), refused_(std::move(refused)) {}
    adapters::Grouping grouping() const override { return grouping_; }
    std::optional<std::string> refuses(const adapters::Recipient& recipient) const override {
        if (refused_.empty() || recipient.legacy != refused_) return std::nullopt;
        return "the post office can not hold this name";
    }
    Result<void> probe() override { return {}; }
    void stage(std::span<adapters::Job>, const std::function<void()>&) override {}
    void publish(std::span<adapters::Job>, const std::function<void()>&) override {}
    void abandon(adapters::Job&) override {}
    adapters::Recovery recover(const adapters::DeliveryKey&, std::string_view) override { return {}; }
    Result<int> sweep(const std::function<bool(const adapters::DeliveryKey&)>&) override { return 0; }
    std::string describe() const override { return "asked"; }

  private:
    adapters::Grouping grouping_;
    std::string refused_;
};

}  // namespace postern::routing
