#pragma once
// The hosts of one adapter: which to ask first, and the connections to them that are open without work.
// Thread rule: any thread.

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "adapters/smtp/smtp_session.h"
#include "base/sync.h"

namespace postern::adapters {

class SmtpHosts {
  public:
    // REQUIRES: plan and clock outlive it. `name` is the adapter's, for the log.
    SmtpHosts(const SmtpPlan& plan, std::string name, Clock& clock = Clock::system());

    // Indexes of plan.hosts: those without trouble first, then the one whose trouble is oldest.
    std::vector<std::size_t> order() const;
    // It could not be used, or turned a mail away for now: asked last for the plan's pause. Logged when it
    // begins and when it ends.
    void blame(std::size_t host, const std::string& why);
    void praise(std::size_t host);

    // An open connection to it, or null. One that closed, or spoke unasked, is dropped.
    std::unique_ptr<SmtpSession> take(std::size_t host);
    void give(std::size_t host, std::unique_ptr<SmtpSession> session);
    // Ends the connections that were without work for the plan's time.
    void dropIdle();

  private:
    struct Idle {
        std::unique_ptr<SmtpSession> session;
        SteadyTime since;
    };
    struct State {
        std::optional<SteadyTime> trouble;
        std::vector<Idle> idle;
    };

    const SmtpPlan& plan_;
    const std::string name_;
    Clock& clock_;
    mutable Mutex mutex_;
    std::vector<State> states_ GUARDED_BY(mutex_);
};

}  // namespace postern::adapters
