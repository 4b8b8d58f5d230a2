#include "store/notifier.h"

#include <algorithm>
#include <utility>

namespace postern::store {

void Inbox::push() {
    MutexLock lock(mutex_);
    hinted_ = true;
    if (!resting_) condition_.notifyOne();
}

void Inbox::close() {
    MutexLock lock(mutex_);
    closed_ = true;
    condition_.notifyAll();
}

bool Inbox::waitUntil(SteadyTime deadline) {
    MutexLock lock(mutex_);
    while (!hinted_ && !closed_)
        if (!condition_.waitUntil(mutex_, deadline)) break;
    return std::exchange(hinted_, false) && !closed_;
}

void Inbox::restUntil(SteadyTime deadline) {
    MutexLock lock(mutex_);
    resting_ = true;
    while (!closed_)
        if (!condition_.waitUntil(mutex_, deadline)) break;
    resting_ = false;
}

bool Inbox::closed() const {
    MutexLock lock(mutex_);
    return closed_;
}

namespace {

bool isLive(const std::weak_ptr<Inbox>& inbox) {
    const std::shared_ptr<Inbox> held = inbox.lock();
    return held != nullptr && !held->closed();
}

}  // namespace

std::shared_ptr<Inbox> Notifier::subscribe(const std::string& topic) {
    auto inbox = std::make_shared<Inbox>();
    MutexLock lock(mutex_);
    auto next = std::make_shared<List>();
    next->reserve(list_->size() + 1);
    for (const Entry& entry : *list_)
        if (isLive(entry.inbox)) next->push_back(entry);
    next->push_back(Entry{topic, inbox});
    list_ = std::move(next);
    return inbox;
}

std::shared_ptr<const Notifier::List> Notifier::list() const {
    MutexLock lock(mutex_);
    return list_;
}

void Notifier::push(const std::string_view* topic) {
    published_.fetch_add(1, std::memory_order_relaxed);
    const std::shared_ptr<const List> entries = list();
    for (const Entry& entry : *entries) {
        if (topic != nullptr && entry.topic != *topic) continue;
        const std::shared_ptr<Inbox> inbox = entry.inbox.lock();
        if (inbox == nullptr) continue;
        inbox->push();
        pushed_.fetch_add(1, std::memory_order_relaxed);
    }
}

void Notifier::notify(std::string_view topic) {
    push(&topic);
}

void Notifier::notifyAll() {
    push(nullptr);
}

std::size_t Notifier::subscribers() const {
    const std::shared_ptr<const List> entries = list();
    return static_cast<std::size_t>(std::count_if(entries->begin(), entries->end(),
                                                  [](const Entry& entry) { return isLive(entry.inbox); }));
}

NotifierCounters Notifier::counters() const {
    return NotifierCounters{published_.load(), pushed_.load()};
}

}  // namespace postern::store
