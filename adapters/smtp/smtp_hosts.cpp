#include "adapters/smtp/smtp_hosts.h"

#include <algorithm>

#include "base/log.h"

namespace postern::adapters {

namespace {
constexpr std::size_t kMostIdle = 16;  // of one host: as many as watchers may come back at once
}

SmtpHosts::SmtpHosts(const SmtpPlan& plan, std::string name, Clock& clock)
    : plan_(plan), name_(std::move(name)), clock_(clock), states_(plan.hosts.size()) {}

std::vector<std::size_t> SmtpHosts::order() const {
    const SteadyTime now = clock_.steady();
    MutexLock lock(mutex_);
    std::vector<std::size_t> found;
    std::vector<std::pair<SteadyTime, std::size_t>> bad;
    for (std::size_t i = 0; i < states_.size(); ++i) {
        const auto& trouble = states_[i].trouble;
        if (trouble && now - *trouble < plan_.hostPause)
            bad.emplace_back(*trouble, i);
        else
            found.push_back(i);
    }
    std::sort(bad.begin(), bad.end());
    for (const auto& [since, host] : bad) found.push_back(host);
    return found;
}

void SmtpHosts::blame(std::size_t host, const std::string& why) {
    bool first = false;
    {
        MutexLock lock(mutex_);
        first = !states_[host].trouble;
        states_[host].trouble = clock_.steady();
        if (first) states_[host].idle.clear();
    }
    if (!first) return;
    LogLine(LogEvent::AdapterHostDown)
        .with("adapter", name_)
        .with("host", plan_.hosts[host].shown())
        .with("reason", why);
}

void SmtpHosts::praise(std::size_t host) {
    {
        MutexLock lock(mutex_);
        if (!states_[host].trouble) return;
        states_[host].trouble.reset();
    }
    LogLine(LogEvent::AdapterHostUp).with("adapter", name_).with("host", plan_.hosts[host].shown());
}

std::unique_ptr<SmtpSession> SmtpHosts::take(std::size_t host) {
    const SteadyTime now = clock_.steady();
    for (;;) {
        Idle idle;
        {
            MutexLock lock(mutex_);
            auto& waiting = states_[host].idle;
            if (waiting.empty()) return nullptr;
            idle = std::move(waiting.back());  // the one that the host has missed for the shortest time
            waiting.pop_back();
        }
        if (now - idle.since <= plan_.keep && idle.session->quiet()) return std::move(idle.session);
    }
}

void SmtpHosts::give(std::size_t host, std::unique_ptr<SmtpSession> session) {
    session->setUsed();
    {
        MutexLock lock(mutex_);
        auto& waiting = states_[host].idle;
        if (plan_.keep > Millis(0) && waiting.size() < kMostIdle) {
            waiting.push_back({std::move(session), clock_.steady()});
            return;
        }
    }
    session->quit();
}

void SmtpHosts::dropIdle() {
    const SteadyTime now = clock_.steady();
    std::vector<Idle> over;
    {
        MutexLock lock(mutex_);
        for (State& state : states_) {
            const auto old = [&](const Idle& idle) { return now - idle.since > plan_.keep; };
            const auto first = std::stable_partition(state.idle.begin(), state.idle.end(),
                                                     [&](const Idle& idle) { return !old(idle); });
            std::move(first, state.idle.end(), std::back_inserter(over));
            state.idle.erase(first, state.idle.end());
        }
    }
    for (const Idle& idle : over) idle.session->quit();
}

}  // namespace postern::adapters
