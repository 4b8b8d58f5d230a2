#include "connector/admin/feed.h"

#include "connector/config/words.h"

namespace postern::admin {

namespace {

// From the place behind "key=" to the end of its value.
std::string valueFrom(std::string_view rest) {
    if (rest.empty() || rest.front() != '"') return std::string(rest.substr(0, rest.find(' ')));
    std::string value;
    for (std::size_t i = 1; i < rest.size() && rest[i] != '"'; ++i) {
        if (rest[i] == '\\' && i + 1 < rest.size()) ++i;
        value += rest[i];
    }
    return value;
}

}  // namespace

void Feed::push(WallTime at, LogEvent event, ItemId item, std::string_view line) {
    MutexLock lock(mutex_);
    if (stopped_) return;
    events_.push_back({++last_, at, event, item, std::string(line)});
    if (events_.size() > kept_) events_.pop_front();
    condition_.notifyAll();
}

Feed::News Feed::wait(std::int64_t after, SteadyTime deadline, std::size_t most) {
    News news;
    MutexLock lock(mutex_);
    while (!stopped_ && last_ <= after && condition_.waitUntil(mutex_, deadline)) {
    }
    news.stopped = stopped_;
    if (stopped_ || last_ <= after) return news;
    const std::int64_t oldest = events_.front().serial;
    if (after + 1 < oldest) news.missed = oldest - 1 - after;
    for (std::int64_t serial = std::max(oldest, after + 1); serial <= last_ && news.events.size() < most;
         ++serial)
        news.events.push_back(events_[static_cast<std::size_t>(serial - oldest)]);
    return news;
}

std::int64_t Feed::last() const {
    MutexLock lock(mutex_);
    return last_;
}

void Feed::stop() {
    MutexLock lock(mutex_);
    stopped_ = true;
    condition_.notifyAll();
}

std::string valueIn(std::string_view line, std::string_view key) {
    bool quoted = false;
    for (std::size_t i = 0; i < line.size(); ++i) {
        if (line[i] == '\\') {
            ++i;
        } else if (line[i] == '"') {
            quoted = !quoted;
        } else if (!quoted && (i == 0 || line[i - 1] == ' ') && line.substr(i).starts_with(key) &&
                   line.substr(i + key.size()).starts_with("=")) {
            return valueFrom(line.substr(i + key.size() + 1));
        }
    }
    return "";
}

Record feedRow(const FeedEvent& event) {
    const LogEventInfo& info = logEventInfo(event.event);
    return Record()
        .add("serial", event.serial)
        .add("at", event.at)
        .add("event", info.id)
        .add("item", event.item ? Value(event.item.value) : Value())
        .add("severity", config::wordOf(info.severity))
        .add("adapter", valueIn(event.line, "adapter"))
        .add("text", event.line);
}

}  // namespace postern::admin
