#include "connector/webhooks/follower.h"

#include <algorithm>
#include <exception>

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

// Not the store's, and not of the moment: that event will fail again.
bool isTheEvents(const Error& error) {
    switch (error.code) {
        case Errc::Busy:
        case Errc::NoSpace:
        case Errc::Io:
        case Errc::Unavailable:
        case Errc::Denied:
        case Errc::Stopped: return false;
        default: return true;
    }
}

void say(const Error& error) {
    LogLine(error.code == Errc::Internal ? LogEvent::WorkerFailed : LogEvent::StoreTrouble)
        .with("step", "webhooks")
        .with("reason", error.text);
}

Error unexpected(const std::exception& thrown) {
    return fail(Errc::Internal, std::string("it failed unexpectedly: ") + thrown.what());
}

}  // namespace

struct Follower::Found {
    std::vector<queue::Event> events;
    std::vector<std::string> documents;  // one for each
    std::vector<queue::Follower> followers;
};

// One event for one webhook.
struct Follower::Telling {
    std::string adapter;
    WallTime received, expires;
    EventMail mail;
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
    if (options_.alone) return;
    thread_ = std::jthread([this](const std::stop_token& stop) { run(stop); });
}

Follower::~Follower() {
    thread_.request_stop();
    inbox_->close();
}

void Follower::hint() {
    if (active_) inbox_->push();
}

Result<void> Follower::use(std::vector<Hook> hooks) {
    std::vector<std::string> adapters;
    std::vector<std::string_view> words;
    for (const Hook& hook : hooks) {
        adapters.push_back(hook.adapter);
        for (const std::string& event : hook.events)
            for (const std::string_view word : wordsOf(event)) words.push_back(word);
    }
    {
        MutexLock oneAtATime(batchMutex_);
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
        active_ = !hooks.empty();
        hooks_ = std::move(hooks);
    }
    inbox_->push();  // what the last process left
    return {};
}

void Follower::run(const std::stop_token& stop) {
    nameThisThread("webhooks");
    std::string said;  // a lasting trouble is said once
    bool deaf = false;
    while (!stop.stop_requested()) {
        const SteadyTime next = clock_.steady() + (active_ || deaf ? options_.pollInterval : kAsleep);
        while (!inbox_->waitUntil(next) || deaf)
            if (stop.stop_requested() || clock_.steady() >= next) break;
        const auto done = round(stop);
        deaf = !done.ok();
        if (deaf && said != done.error().text) say(done.error());
        said = deaf ? done.error().text : std::string();
    }
}

Result<void> Follower::round(const std::stop_token& stop) {
    try {
        for (bool more = active_; more && !stop.stop_requested();) POSTERN_TRY(batch(more));
        return {};
    } catch (const std::exception& thrown) {
        return unexpected(thrown);
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

Result<Follower::Found> Follower::read(int most) {
    Found found;
    std::vector<std::optional<EventItem>> items;
    POSTERN_TRY(store_.read([&](store::ReadSession& session) -> Result<void> {
        POSTERN_LET(events, queue::readEvents(session, most));
        if (events.empty()) return {};
        POSTERN_LET(followers, queue::readFollowers(session));
        found.followers = std::move(followers);
        for (const queue::Event& event : events) {
            std::optional<EventItem> item;
            if (event.item) {
                POSTERN_LET(there, readEventItem(session, *event.item));
                item = std::move(there);
            }
            items.push_back(std::move(item));
        }
        found.events = std::move(events);
        return {};
    }));
    // What may throw does so outside of the store's session.
    for (std::size_t i = 0; i < found.events.size(); ++i)
        found.documents.push_back(options_.compose(found.events[i], items[i], options_.context));
    return found;
}

Result<int> Follower::batch(bool& more) {
    std::vector<std::string> touched;
    Result<int> made = 0;
    {
        MutexLock oneAtATime(batchMutex_);
        made = attempt(kBatch, more, touched);
        if (made.ok())
            failures_ = 0;
        else if (isTheEvents(made.error()) && ++failures_ > 1)
            made = singly(more, touched);
    }
    for (const std::string& adapter : touched) notifier_.notify(adapter);
    return made;
}

Result<int> Follower::attempt(int most, bool& more, std::vector<std::string>& touched) {
    try {
        return move(most, more, touched);
    } catch (const std::exception& thrown) {
        return unexpected(thrown);
    }
}

Result<int> Follower::singly(bool& more, std::vector<std::string>& touched) {
    int total = 0;
    more = true;
    for (int i = 0; i < kBatch && more; ++i) {
        const auto made = attempt(1, more, touched);
        if (made.ok()) {
            total += *made;
            continue;
        }
        if (!isTheEvents(made.error())) return made.error();
        POSTERN_TRY(setOldestAside(made.error()));
        more = true;
    }
    failures_ = 0;
    return total;
}

// The outbox is what it was when it failed: nobody else takes from it.
Result<void> Follower::setOldestAside(const Error& why) {
    std::vector<queue::Event> oldest;
    POSTERN_TRY(store_.read([&](store::ReadSession& session) -> Result<void> {
        POSTERN_LET(events, queue::readEvents(session, 1));
        oldest = std::move(events);
        return {};
    }));
    if (oldest.empty()) return {};
    const queue::Event& event = oldest.front();
    POSTERN_TRY(store_.write([&](store::WriteSession& session) -> Result<void> {
        return queue::setEventAside(session, event, why.text, clock_.now());
    }));
    LogLine(LogEvent::WorkerFailed, event.item.value_or(ItemId{}))
        .with("step", "webhooks")
        .with("adapter", event.adapter)
        .with("event", event.id)
        .with("what", event.word)
        .with("reason", "set aside, nobody is told of it: " + why.text);
    return {};
}

Result<int> Follower::move(int most, bool& more, std::vector<std::string>& touched) {
    more = false;
    POSTERN_LET(found, read(most));
    if (found.events.empty()) return 0;
    const std::vector<Telling> all = tellings(found);
    const auto written = store_.write([&](store::WriteSession& session) -> Result<void> {
        for (const Telling& each : all) {
            POSTERN_LET(id, store::insertMessage(session, each.mail.message, each.mail.bytes));
            const queue::NewItem item{each.adapter, "1", {each.mail.recipient}, each.expires};
            POSTERN_TRY(queue::enqueue(session, id, {&item, 1}, each.received));
        }
        return queue::dropEvents(session, found.events.back().id);
    });
    if (!written.ok()) return written.error();
    for (const Telling& each : all)
        if (!contains(touched, each.adapter)) touched.push_back(each.adapter);
    more = found.events.size() == static_cast<std::size_t>(most);
    return static_cast<int>(all.size());
}

// Made before the store's writer is asked: on its thread nothing may throw.
std::vector<Follower::Telling> Follower::tellings(const Found& found) {
    const WallTime now = clock_.now();
    std::vector<Telling> all;
    for (const Hook& hook : hooks_) {
        const auto follower = std::find_if(found.followers.begin(), found.followers.end(),
                                           [&](const auto& each) { return each.adapter == hook.adapter; });
        if (follower == found.followers.end()) continue;
        for (std::size_t i = 0; i < found.events.size(); ++i) {
            if (!chose(hook, follower->after, found.events[i])) continue;
            EventMail mail = mailOf(found.events[i], found.documents[i], hook.adapter, now, options_.context);
            all.push_back({hook.adapter, now, now + hook.maximumAge, std::move(mail)});
        }
    }
    return all;
}

}  // namespace postern::webhooks
