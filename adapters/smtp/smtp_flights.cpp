#include "adapters/smtp/smtp_flights.h"

#include <algorithm>

namespace postern::adapters {

namespace {
constexpr std::size_t kRemembered = 1024;
}

void SmtpFlights::add(const DeliveryKey& key, SmtpFlight flight) {
    std::vector<SmtpFlight> dropped;  // closed outside of the lock
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

std::optional<SmtpFlight> SmtpFlights::begin(const DeliveryKey& key) {
    MutexLock lock(mutex_);
    const auto found = places_.find(key);
    if (found == places_.end()) return std::nullopt;
    return std::exchange(found->second.flight, std::nullopt);
}

void SmtpFlights::end(const DeliveryKey& key, Outcome outcome) {
    MutexLock lock(mutex_);
    places_.erase(key);
    remember(key, std::move(outcome));
}

bool SmtpFlights::withdraw(const DeliveryKey& key, const std::string& why) {
    return ask(key, why).is == Standing::Is::Withdrawn;
}

int SmtpFlights::sweep(const std::function<bool(const DeliveryKey&)>& isOver) {
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

std::optional<Outcome> SmtpFlights::ended(const DeliveryKey& key) const {
    MutexLock lock(mutex_);
    const auto found = ended_.find(key);
    return found == ended_.end() ? std::nullopt : std::optional(found->second);
}

SmtpFlights::Standing SmtpFlights::ask(const DeliveryKey& key, const std::string& why) {
    std::optional<SmtpFlight> dropped;  // closed outside of the lock
    MutexLock lock(mutex_);
    if (const auto found = places_.find(key); found != places_.end()) {
        if (!found->second.flight) return {Standing::Is::Sending};
        dropped = std::move(found->second.flight);
        places_.erase(found);
        remember(key, deferred(why, Cause::Connection));
        return {Standing::Is::Withdrawn};
    }
    if (const auto found = ended_.find(key); found != ended_.end())
        return {Standing::Is::Ended, found->second};
    return {Standing::Is::Absent};
}

void SmtpFlights::remember(const DeliveryKey& key, Outcome outcome) {
    if (ended_.insert_or_assign(key, std::move(outcome)).second) oldest_.push_back(key);
    while (oldest_.size() > kRemembered) {
        ended_.erase(oldest_.front());
        oldest_.pop_front();
    }
}

}  // namespace postern::adapters
