#include "connector/pickup/station.h"

#include <algorithm>

#include "base/log.h"
#include "base/thread.h"

namespace postern::pickup {

namespace {

constexpr Millis kLongestWait{3'600'000};  // waits have a deadline

bool same(const config::Pickup& a, const config::Pickup& b) {
    return a.name == b.name && a.folder == b.folder && a.setAside == b.setAside && a.interval == b.interval &&
           a.settle == b.settle && a.messageSize == b.messageSize && a.hops == b.hops;
}

}  // namespace

Station::Station(std::string hostname, intake::Door& door, Clock& clock)
    : hostname_(std::move(hostname)), door_(door), clock_(clock) {
    thread_ = std::jthread([this] { run(); });
}

Station::~Station() {
    stop();
}

void Station::stop() {
    {
        MutexLock lock(mutex_);
        stopping_ = true;
        wake_.notifyAll();
    }
    if (thread_.joinable()) thread_.join();
}

void Station::use(std::vector<config::Pickup> pickups) {
    MutexLock lock(mutex_);
    next_ = std::move(pickups);
    wake_.notifyAll();
}

void Station::run() {
    nameThisThread("pickup");
    while (waitFor(nextLook())) {
        adopt();
        lookAtDue();
    }
}

bool Station::waitFor(SteadyTime until) {
    MutexLock lock(mutex_);
    while (!stopping_ && !next_ && clock_.steady() < until) wake_.waitUntil(mutex_, until);
    return !stopping_;
}

bool Station::interrupted() {
    MutexLock lock(mutex_);
    return stopping_ || next_;
}

void Station::adopt() {
    std::optional<std::vector<config::Pickup>> wanted;
    {
        MutexLock lock(mutex_);
        wanted.swap(next_);
    }
    if (!wanted) return;
    std::vector<Due> due;
    for (config::Pickup& settings : *wanted) {
        const auto kept = std::find_if(due_.begin(), due_.end(), [&](const Due& each) {
            return each.pickup && same(each.pickup->settings(), settings);
        });
        if (kept != due_.end())
            due.push_back(std::move(*kept));
        else
            due.push_back(
                {std::make_unique<Pickup>(std::move(settings), hostname_, door_, clock_), clock_.steady()});
    }
    due_ = std::move(due);
    tellTroubles();
}

void Station::tellTroubles() {
    std::map<std::string, Error> found;
    for (const Due& each : due_)
        if (const auto& trouble = each.pickup->trouble())
            found.emplace(each.pickup->settings().name, *trouble);
    MutexLock lock(mutex_);
    troubles_ = std::move(found);
}

std::map<std::string, Error> Station::troubles() const {
    MutexLock lock(mutex_);
    return troubles_;
}

void Station::lookAtDue() {
    for (Due& each : due_) {
        if (clock_.steady() < each.at || interrupted()) continue;
        try {
            each.pickup->look([this] { return interrupted(); });
        } catch (const std::exception& error) {
            LogLine(LogEvent::PickupTrouble)
                .with("pickup", each.pickup->settings().name)
                .with("reason", std::string("unexpected fault: ") + error.what());
        }
        each.at = clock_.steady() + each.pickup->settings().interval;
        tellTroubles();
    }
}

SteadyTime Station::nextLook() const {
    SteadyTime next = clock_.steady() + kLongestWait;
    for (const Due& each : due_) next = std::min(next, each.at);
    return next;
}

}  // namespace postern::pickup
