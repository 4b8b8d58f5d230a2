#include "store/notifier.h"

namespace postern::store {

void Inbox::push() {
    MutexLock lock(mutex_);
    hinted_ = true;
    condition_.notifyOne();
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
    const bool hinted = hinted_ && !closed_;
    hinted_ = false;
    return hinted;
}

bool Inbox::closed() const {
    MutexLock lock(mutex_);
    return closed_;
}

std::shared_ptr<Inbox> Notifier::subscribe(const std::string& topic) {
    auto inbox = std::make_shared<Inbox>();
    MutexLock lock(mutex_);
    auto next = std::make_shared<List>();
    next->reserve(list_->size() + 1);
    for (const Entry& entry : *list_)
        if (!entry.inbox.expired()) next->push_back(entry);
    next->push_back({topic, inbox});
    list_ = std::move(next);
    return inbox;
}

std::shared_ptr<const Notifier::List> Notifier::list() const {
    MutexLock lock(mutex_);
    return list_;
}

void Notifier::notify(std::string_view topic) {
    ++published_;
    const auto now = list();
    for (const Entry& entry : *now) {
        if (entry.topic != topic) continue;
        if (const auto inbox = entry.inbox.lock()) {
            inbox->push();
            ++pushed_;
        }
    }
}

void Notifier::notifyAll() {
    ++published_;
    const auto now = list();
    for (const Entry& entry : *now)
        if (const auto inbox = entry.inbox.lock()) {
            inbox->push();
            ++pushed_;
        }
}

std::size_t Notifier::subscribers() const {
    std::size_t live = 0;
    const auto now = list();
    for (const Entry& entry : *now) live += entry.inbox.expired() ? 0 : 1;
    return live;
}

NotifierCounters Notifier::counters() const {
    return {published_.load(), pushed_.load()};
}

}  // namespace postern::store
