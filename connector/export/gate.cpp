#include "connector/export/gate.h"

#include <algorithm>
#include <utility>

namespace postern::exporting {

namespace {
constexpr int kSlots = 1024;  // a rate of a million is remembered in about so many entries
}

void RateLimit::forget(SteadyTime now) {
    while (!begun_.empty() && begun_.front().last + rate_.per <= now) {
        sum_ -= begun_.front().count;
        begun_.pop_front();
    }
}

void RateLimit::remember(int count, SteadyTime at) {
    if (count <= 0) return;
    sum_ += count;
    // Counting some as later than they were errs on the strict side.
    if (!begun_.empty() && at - begun_.back().first < rate_.per / kSlots) {
        begun_.back().last = at;
        begun_.back().count += count;
        return;
    }
    begun_.push_back({at, at, count});
}

int RateLimit::take(int most, SteadyTime now) {
    forget(now);
    const auto left = std::max<std::int64_t>(rate_.count - sum_, 0);
    const int taken = static_cast<int>(std::min<std::int64_t>(left, most));
    remember(taken, now);
    return taken;
}

void RateLimit::giveBack(int count, SteadyTime taken) {
    const auto at = std::find_if(begun_.rbegin(), begun_.rend(), [&](const Begun& begun) {
        return begun.first <= taken && taken <= begun.last;
    });
    if (at == begun_.rend()) return;
    const int part = std::min(count, at->count);
    at->count -= part;
    sum_ -= part;
}

SteadyTime RateLimit::nextFree(SteadyTime now) const {
    std::int64_t left = sum_;
    for (const Begun& begun : begun_) {
        if (left < rate_.count) break;
        now = std::max(now, begun.last + rate_.per);
        left -= begun.count;
    }
    return now;
}

Gate::Gate(const config::Policy& policy, Clock& clock) : policy_(policy), clock_(clock) {
    MutexLock lock(mutex_);
    if (policy.rate) rate_.emplace(*policy.rate);
}

Gate::Permit Gate::ask(int most, Millis patience) {
    MutexLock lock(mutex_);
    const WallTime now = clock_.now();
    const SteadyTime steady = clock_.steady();
    const auto waitUntil = [&](std::optional<WallTime> until) {
        return steady + (until ? std::clamp(*until - now, Millis(0), patience) : patience);
    };
    if (hold_ && hold_->holds(now)) return {0, waitUntil(hold_->until), steady};
    const auto opens = policy_.windows.opens(now);
    if (!opens || *opens > now) return {0, waitUntil(opens), steady};
    if (!rate_) return {most, steady, steady};
    const int items = rate_->take(most, steady);
    if (items > 0) return {items, steady, steady};
    return {0, std::min(rate_->nextFree(steady), steady + patience), steady};
}

void Gate::giveBack(const Permit& permit, int items) {
    MutexLock lock(mutex_);
    if (rate_) rate_->giveBack(items, permit.at);
}

bool Gate::shut() const {
    const WallTime now = clock_.now();
    MutexLock lock(mutex_);
    return (hold_ && hold_->holds(now)) || !policy_.windows.open(now);
}

void Gate::setHold(std::optional<queue::AdapterHold> hold) {
    MutexLock lock(mutex_);
    hold_ = std::move(hold);
}

std::optional<queue::AdapterHold> Gate::hold() const {
    MutexLock lock(mutex_);
    return hold_;
}

bool Gate::takeExpired() {
    MutexLock lock(mutex_);
    if (!hold_ || hold_->holds(clock_.now())) return false;
    hold_.reset();
    return true;
}

void Gate::remember(const std::vector<WallTime>& ended) {
    MutexLock lock(mutex_);
    if (!rate_) return;
    const WallTime now = clock_.now();
    for (const WallTime at : ended) rate_->remember(1, clock_.steady() - std::max(now - at, Millis(0)));
}

}  // namespace postern::exporting
