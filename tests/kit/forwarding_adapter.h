#pragma once
// A real adapter with something around it: a test overrides the step that it wants to hold up or to count.

#include <memory>
#include <span>
#include <string>

#include "adapters/adapter.h"

namespace postern::tests {

class ForwardingAdapter : public adapters::Adapter {
  public:
    explicit ForwardingAdapter(std::shared_ptr<adapters::Adapter> real) : real_(std::move(real)) {}

    int batchLimit() const override { return real_->batchLimit(); }
    Result<void> probe() override { return real_->probe(); }
    void stage(std::span<adapters::Job> jobs, const std::function<void()>& beat) override {
        real_->stage(jobs, beat);
    }
    void publish(std::span<adapters::Job> jobs, const std::function<void()>& beat) override {
        real_->publish(jobs, beat);
    }
    void abandon(adapters::Job& job) override { real_->abandon(job); }
    void hasten() override { real_->hasten(); }
    void idle() override { real_->idle(); }
    adapters::Recovery recover(const adapters::DeliveryKey& staged, std::string_view evidence) override {
        return real_->recover(staged, evidence);
    }
    Result<int> sweep(const std::function<bool(const adapters::DeliveryKey&)>& isOver) override {
        return real_->sweep(isOver);
    }
    std::string describe() const override { return real_->describe(); }

  private:
    std::shared_ptr<adapters::Adapter> real_;
};

}  // namespace postern::tests
