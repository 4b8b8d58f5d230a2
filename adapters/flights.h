#pragma once
// Deliveries that stand before their last step on an open connection, and what became of the last ones. What
// makes A2 and A3 hold for a protocol: the last step of one attempt is taken out by one caller only, and
// never again once recover() has withdrawn it.
//
//   Waiting --begin--> Sending --end--> ended (remembered, the oldest are forgotten)
//   Waiting --withdraw--> ended: not published; its connection is dropped without the last step
//
// Thread rule: any thread. REQUIRES: a Flight is movable.

#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "adapters/adapter.h"
#include "base/sync.h"

namespace postern::adapters {

template <class Flight>
class Flights {
  public:
    // Those of the item's earlier epochs that still wait are withdrawn: it was claimed anew, so their marks
    // were never written, or came to nothing.
    void add(const DeliveryKey& key, Flight flight);
    // The one who gets it may do the last step, and calls end(). Nothing: somebody else has, or it is not
    // here.
    std::optional<Flight> begin(const DeliveryKey& key);
    void end(const DeliveryKey& key, Outcome outcome);
    // It is never published from now on. False: it is not waiting here.
    bool withdraw(const DeliveryKey& key, const std::string& why) {
        return ask(key, why).is == Standing::Is::Withdrawn;
    }
    // Withdraws those of which `isOver` says so; how many.
    int sweep(const std::function<bool(const DeliveryKey&)>& isOver);

    // How it ended, while that is remembered.
    std::optional<Outcome> ended(const DeliveryKey& key) const;

    // One look for recover(): what waits is withdrawn, for `why`; of everything else, how it stands.
    struct Standing {
        enum class Is { Withdrawn, Sending, Ended, Absent } is = Is::Absent;
        Outcome outcome = {};  // Ended
    };
    Standing ask(const DeliveryKey& key, const std::string& why);

  private:
    static constexpr std::size_t kRemembered = 1024;
    struct Less {
        bool operator()(const DeliveryKey& a, const DeliveryKey& b) const {
            return a.item.value != b.item.value ? a.item.value < b.item.value : a.epoch.value < b.epoch.value;
        }
    };
    struct Place {
        std::optional<Flight> flight;  // empty while Sending
    };
    void remember(const DeliveryKey& key, Outcome outcome) REQUIRES(mutex_);

    mutable Mutex mutex_;
    std::map<DeliveryKey, Place, Less> places_ GUARDED_BY(mutex_);
    std::map<DeliveryKey, Outcome, Less> ended_ GUARDED_BY(mutex_);
    std::deque<DeliveryKey> oldest_ GUARDED_BY(mutex_);
};

template <class Flight>
void Flights<Flight>::add(const DeliveryKey& key, Flight flight) {
    std::vector<Flight> dropped;  // closed outside of the lock
    MutexLock lock(mutex_);
    auto place = places_.lower_bound({key.item, Epoch{0}});
    while (place != places_.end() && place->first.item == key.item &&
           place->first.epoch.value < key.epoch.value) {
        if (!place->second.flight) {
            ++place;  // its answer is waited for
            continue;
        }
        dropped.push_back(std::move(*place->second.flight));
        remember(place->first, deferred("a later attempt took its place", Cause::Connection));
        place = places_.erase(place);
    }
    places_[key].flight = std::move(flight);
}

template <class Flight>
std::optional<Flight> Flights<Flight>::begin(const DeliveryKey& key) {
    MutexLock lock(mutex_);
    const auto found = places_.find(key);
    if (found == places_.end()) return std::nullopt;
    return std::exchange(found->second.flight, std::nullopt);
}

template <class Flight>
void Flights<Flight>::end(const DeliveryKey& key, Outcome outcome) {
    MutexLock lock(mutex_);
    places_.erase(key);
    remember(key, std::move(outcome));
}

template <class Flight>
int Flights<Flight>::sweep(const std::function<bool(const DeliveryKey&)>& isOver) {
    std::vector<DeliveryKey> waiting;
    {
        MutexLock lock(mutex_);
        for (const auto& [key, place] : places_)
            if (place.flight) waiting.push_back(key);
    }
    int swept = 0;
    for (const DeliveryKey& key : waiting)
        if (isOver(key) && withdraw(key, "its attempt was over")) ++swept;
    return swept;
}

template <class Flight>
std::optional<Outcome> Flights<Flight>::ended(const DeliveryKey& key) const {
    MutexLock lock(mutex_);
    const auto found = ended_.find(key);
    return found == ended_.end() ? std::nullopt : std::optional(found->second);
}

template <class Flight>
typename Flights<Flight>::Standing Flights<Flight>::ask(const DeliveryKey& key, const std::string& why) {
    std::optional<Flight> dropped;  // closed outside of the lock
    MutexLock lock(mutex_);
    if (const auto found = places_.find(key); found != places_.end()) {
        if (!found->second.flight) return {Standing::Is::Sending, {}};
        dropped = std::move(found->second.flight);
        places_.erase(found);
        remember(key, deferred(why, Cause::Connection));
        return {Standing::Is::Withdrawn, {}};
    }
    if (const auto found = ended_.find(key); found != ended_.end())
        return {Standing::Is::Ended, found->second};
    return {Standing::Is::Absent, {}};
}

template <class Flight>
void Flights<Flight>::remember(const DeliveryKey& key, Outcome outcome) {
    if (ended_.insert_or_assign(key, std::move(outcome)).second) oldest_.push_back(key);
    while (oldest_.size() > kRemembered) {
        ended_.erase(oldest_.front());
        oldest_.pop_front();
    }
}

}  // namespace postern::adapters
