#include "connector/webhooks/follower.h"

#include <algorithm>

#include "adapters/webhook/webhook_settings.h"
#include "base/log.h"
#include "base/thread.h"
#include "queue/inspect.h"
#include "queue/queue.h"
#include "store/messages.h"

namespace postern::webhooks {

namespace {

constexpr int kBatch = 64;            // events per commit: short enough that no mail waits for it
constexpr Millis kAsleep{3'600'000};  // without a webhook

bool contains(const std::vector<std::string>& list, std::string_view word) {
    return std::find(list.begin(), list.end(), word) != list.end();
}

bool chose(const Hook& hook, std::int64_t after, const queue::Event& event) {
    return event.id > after && contains(hook.events, eventOf(event.word)) &&
           (hook.adapters.empty() || contains(hook.adapters, event.adapter));
}

// Nothing: it is purged.
Result<std::optional<EventItem>> readEventItem(store::ReadSession& session, ItemId id) {
    EventItem item;
    auto row = queue::readItem(session, id);
    if (!row.ok() && row.error().code == Errc::NotFound) return std::optional<EventItem>();
    if (!row.ok()) return row.error();
    item.row = std::move(*row);
    POSTERN_LET(message, store::readMessage(session, item.row.message));
    POSTERN_LET(recipients, queue::readRecipients(session, id));
    item.source = std::move(message.source);
    item.recipients = std::move(recipients);
    return std::optional(std::move(item));
}

}  // namespace

struct Follower::Found {
    std::vector<queue::Event> events;
    std::vector<std::string> documents;  // one for each
    std::vector<queue::Follower> followers;
};

std::vector<Hook> hooksOf(const config::Config& config) {
    std::vector<Hook> hooks;
    for (const config::Adapter& adapter : config.adapters) {
        if (adapter.kind != adapters::kWebhookKind) continue;
        hooks.push_back({adapter.name, adapter.settings.list("events"), adapter.settings.list("adapters"),
                         adapter.retry.maximumAge});
    }
    return hooks;
}

Follower::Follower(store::Store& store, store::Notifier& notifier, Clock& clock, FollowerOptions options)
    : store_(store),
      notifier_(notifier),
      clock_(clock),
      options_(std::move(options)),
      inbox_(std::make_shared<store::Inbox>()) {
    thread_ = std::jthread([this](const std::stop_token& stop) { run(stop); });
}

Follower::~Follower() {
    thread_.request_stop();
    inbox_->close();
}

void Follower::hint() {
    if (active_) inbox_->push();
}

std::vector<Hook> Follower::hooks() const {
    MutexLock lock(mutex_);
    return hooks_;
}

Result<void> Follower::use(std::vector<Hook> hooks) {
    std::vector<std::string> adapters;
    std::vector<std::string_view> words;
    for (const Hook& hook : hooks) {
        adapters.push_back(hook.adapter);
        for (const std::string& event : hook.events)
            for (const std::string_view word : wordsOf(event)) words.push_back(word);
    }
    bool before = false;
    POSTERN_TRY(store_.read([&](store::ReadSession& session) -> Result<void> {
        POSTERN_LET(there, queue::hasFollowers(session));
        before = there;
        return {};
    }));
    if (before || !hooks.empty())
        POSTERN_TRY(store_.write([&](store::WriteSession& session) -> Result<void> {
            return queue::followEvents(session, adapters, words);
        }));
    MutexLock lock(mutex_);
    active_ = !hooks.empty();
    hooks_ = std::move(hooks);
    inbox_->push();  // what the last process left
    return {};
}

void Follower::run(const std::stop_token& stop) {
    nameThisThread("webhooks");
    while (!stop.stop_requested()) {
        (void)inbox_->waitUntil(clock_.steady() + (active_ ? options_.pollInterval : kAsleep));
        for (bool more = active_; more && !stop.stop_requested();) {
            const auto made = batch(more);
            if (made.ok()) continue;
            LogLine(LogEvent::StoreTrouble).with("step", "webhooks").with("reason", made.error().text);
            break;
        }
    }
}

Result<int> Follower::runOnce() {
    int total = 0;
    for (bool more = true; more;) {
        POSTERN_LET(made, batch(more));
        total += made;
    }
    return total;
}

Result<Follower::Found> Follower::read() {
    Found found;
    POSTERN_TRY(store_.read([&](store::ReadSession& session) -> Result<void> {
        POSTERN_LET(events, queue::readEvents(session, kBatch));
        if (events.empty()) return {};
        POSTERN_LET(followers, queue::readFollowers(session));
        found.followers = std::move(followers);
        for (const queue::Event& event : events) {
            std::optional<EventItem> item;
            if (event.item) {
                POSTERN_LET(there, readEventItem(session, *event.item));
                item = std::move(there);
            }
            found.documents.push_back(document(event, item, options_.context));
        }
        found.events = std::move(events);
        return {};
    }));
    return found;
}

Result<int> Follower::batch(bool& more) {
    more = false;
    MutexLock oneAtATime(batchMutex_);
    const std::vector<Hook> hooks = this->hooks();
    POSTERN_LET(found, read());
    if (found.events.empty()) return 0;
    int made = 0;
    std::vector<std::string> touched;
    POSTERN_TRY(store_.write([&](store::WriteSession& session) -> Result<void> {
        touched.clear();
        POSTERN_LET(count, write(session, found, hooks, touched));
        made = count;
        return {};
    }));
    for (const std::string& adapter : touched) notifier_.notify(adapter);
    more = found.events.size() == static_cast<std::size_t>(kBatch);
    return made;
}

Result<int> Follower::write(store::WriteSession& session, const Found& found, const std::vector<Hook>& hooks,
                            std::vector<std::string>& touched) {
    const WallTime now = clock_.now();
    int made = 0;
    for (const Hook& hook : hooks) {
        const auto follower = std::find_if(found.followers.begin(), found.followers.end(),
                                           [&](const auto& each) { return each.adapter == hook.adapter; });
        if (follower == found.followers.end()) continue;
        for (std::size_t i = 0; i < found.events.size(); ++i) {
            if (!chose(hook, follower->after, found.events[i])) continue;
            EventMail mail = mailOf(found.events[i], found.documents[i], hook.adapter, now, options_.context);
            POSTERN_LET(id, store::insertMessage(session, mail.message, mail.bytes));
            const queue::NewItem item{hook.adapter, "1", {mail.recipient}, now + hook.maximumAge};
            POSTERN_TRY(queue::enqueue(session, id, {&item, 1}, now));
            ++made;
            if (!contains(touched, hook.adapter)) touched.push_back(hook.adapter);
        }
    }
    POSTERN_TRY(queue::dropEvents(session, found.events.back().id));
    return made;
}

}  // namespace postern::webhooks
