// The steward as a teller: events, live and replayed, filters, floods.

#include <algorithm>

#include "base/text.h"
#include "connector/chat/floor.h"
#include "connector/chat/names.h"
#include "connector/chat/replay.h"
#include "connector/chat/steward.h"

namespace postern::chat {

namespace {

constexpr int kLinesASecond = 5;
constexpr Millis kSecond{1'000};
constexpr Millis kSummaryAfter{5'000};
constexpr std::size_t kMostWaiting = 1000;

}  // namespace

void Steward::greet(Client& client) {
    people_.try_emplace(client.id);
    Replay replay(floor_, client, mask(), floor_.settings.queue.channel);
    for (const EventLine& past : past_)
        if (wants(client, past)) replay.say(past.text, past.at);
}

void Steward::tell(const admin::FeedEvent& event) {
    if (event.event == LogEvent::AccountChanged) turnOut(admin::valueIn(event.line, "account"));
    auto line = eventLine(event);
    if (!line || lookedAfter(*line) || waitsOn(*line, admin::valueIn(event.line, "reason"))) return;
    tellAll(*line);
    keep(std::move(*line));
}

// What an account may was asked when it logged on: who holds one that is another now, logs on again.
void Steward::turnOut(const std::string& account) {
    for (const auto& [id, client] : floor_.clients)
        if (!account.empty() && client->account == account)
            floor_.doom(*client, "Your account was changed, log on again");
}

void Steward::missed(std::int64_t events) {
    EventLine line;
    line.kind = EventKind::Service;
    line.at = floor_.clock.now();
    line.text = std::to_string(events) + " log lines came too fast to be looked at; the log has them";
    tellAll(line);
    keep(std::move(line));
}

void Steward::keep(EventLine line) {
    past_.push_back(std::move(line));
    if (past_.size() > floor_.settings.queue.replayed) past_.pop_front();
}

// Somebody looks after the item: its delays are known. Its end is told, and ends that.
bool Steward::lookedAfter(const EventLine& line) {
    const auto found = std::find(lookedAfter_.begin(), lookedAfter_.end(), line.item.value);
    if (!line.item || found == lookedAfter_.end()) return false;
    if (line.kind == EventKind::Deferred) return true;
    if (line.over) lookedAfter_.erase(found);
    return false;
}

// A person may be away for days, and his mail is tried again all the time: that it waits is told once, and
// again when it waits for another reason.
bool Steward::waitsOn(const EventLine& line, const std::string& reason) {
    const auto& places = floor_.settings.mail;
    const bool ours = std::any_of(places.begin(), places.end(),
                                  [&](const MailPlace& place) { return place.adapter == line.adapter; });
    if (line.over) waiting_.erase(line.item.value);
    if (!ours || line.kind != EventKind::Deferred) return false;
    Told& told = waiting_[line.item.value];
    if (told.reason == reason && !reason.empty()) return true;
    told = {reason, ++told_};
    if (waiting_.size() > kMostWaiting)
        waiting_.erase(std::min_element(waiting_.begin(), waiting_.end(), [](const auto& a, const auto& b) {
            return a.second.serial < b.second.serial;
        }));
    return false;
}

bool Steward::wants(const Client& client, const EventLine& line) const {
    const auto found = tastes_.find(client.account);
    if (found == tastes_.end()) return true;
    const Taste& taste = found->second;
    if (taste.mutedUntil && *taste.mutedUntil > floor_.clock.steady()) return false;
    if (!taste.kinds.empty() && !taste.kinds.contains(line.kind)) return false;
    return taste.adapter.empty() || line.adapter.empty() || taste.adapter == line.adapter;
}

void Steward::tellAll(const EventLine& line) {
    const Channel* channel = floor_.channel(floor_.settings.queue.channel);
    if (channel == nullptr) return;
    for (const auto& [id, member] : channel->members) {
        Client* client = floor_.find(id);
        if (client != nullptr && wants(*client, line)) tellOne(*client, line);
    }
}

void Steward::tellOne(Client& client, const EventLine& line) {
    Heard& heard = people_[client.id].heard;
    const SteadyTime now = floor_.clock.steady();
    if (now - heard.second >= kSecond) {
        heard.second = now;
        heard.lines = {};
    }
    if (heard.lines[wantsAttention(line.kind) ? 1 : 0]++ < kLinesASecond) {
        Line said = lineTo(floor_.settings.queue.channel, "PRIVMSG", line.text);
        said.id = floor_.freshMessageId();
        return floor_.send(client, said, false);
    }
    ++heard.untold[static_cast<std::size_t>(line.kind)];
    if (heard.summaryAt != SteadyTime::max()) return;
    heard.summaryAt = now + kSummaryAfter;
    nextLook_ = std::min(nextLook_, heard.summaryAt);
}

void Steward::lookAtClock() {
    const SteadyTime now = floor_.clock.steady();
    if (now < nextLook_) return;
    nextLook_ = SteadyTime::max();
    for (auto& [id, person] : people_) {
        if (person.heard.summaryAt <= now) {
            Client* client = floor_.find(id);
            if (client != nullptr) summarise(*client, person.heard);
            person.heard.summaryAt = SteadyTime::max();
            person.heard.untold = {};
        }
        nextLook_ = std::min(nextLook_, person.heard.summaryAt);
    }
}

void Steward::summarise(Client& client, Heard& heard) {
    std::string text;
    for (std::size_t i = 0; i < kEventKinds; ++i) {
        if (heard.untold[i] == 0) continue;
        text += (text.empty() ? "" : ", ") + std::to_string(heard.untold[i]) + " " +
                std::string(eventKindName(static_cast<EventKind>(i)));
    }
    const Channel* channel = floor_.channel(floor_.settings.queue.channel);
    if (channel == nullptr || channel->member(client.id) == nullptr) return;
    floor_.send(client,
                lineTo(channel->name, "PRIVMSG",
                       "... and in " + formatDurationMillis(kSummaryAfter.count()) + " also: " + text),
                false);
}

void Steward::filter(Client& client, const Wish& wish) {
    people_[client.id].filtering = 0;
    if (wish.words.size() == 1 && wish.words.front() == "off") {
        Taste& taste = tastes_[client.account];
        taste = Taste{{}, {}, taste.mutedUntil};
        return say(client, "you are told of everything");
    }
    Taste next;
    const auto found = tastes_.find(client.account);
    if (found != tastes_.end()) next = found->second;
    for (const std::string& word : wish.words) {
        constexpr std::string_view kAdapter = "adapter=", kEvents = "events=";
        if (word.starts_with(kAdapter)) {
            next.adapter = word.substr(kAdapter.size());
        } else if (word.starts_with(kEvents)) {
            next.kinds.clear();
            for (const std::string_view name : split(std::string_view(word).substr(kEvents.size()), ',')) {
                const auto kind = eventKindNamed(name);
                if (!kind) {
                    std::string all;
                    for (std::size_t i = 0; i < kEventKinds; ++i)
                        all += (i == 0 ? "" : ", ") + std::string(eventKindName(static_cast<EventKind>(i)));
                    return say(client, "events are " + all);
                }
                next.kinds.insert(*kind);
            }
        } else {
            return say(client, "filter off, filter adapter=NAME, filter events=failed,doubt");
        }
    }
    const bool named = std::any_of(wish.words.begin(), wish.words.end(),
                                   [](const std::string& word) { return word.starts_with("adapter="); });
    if (!named || next.adapter.empty()) return choose(client, std::move(next));
    // Whether there is such an adapter is the queue's to say. One item is enough to be asked about: the
    // answer is in what is wrong with the question.
    admin::Request request;
    request.verb = "queue.list";
    request.fields["adapter"] = next.adapter;
    request.fields["ids"] = "1";
    Asked asked{Asked::For::Filter, std::move(request)};
    asked.taste = std::move(next);
    people_[client.id].filtering = order(client, std::move(asked));
}

// A mute goes on, whatever was said of it since the filter was.
void Steward::choose(Client& client, Taste taste) {
    std::string kinds;
    for (const EventKind kind : taste.kinds)
        kinds += (kinds.empty() ? "" : ",") + std::string(eventKindName(kind));
    say(client, "you are told of " + (kinds.empty() ? std::string("all events") : "events=" + kinds) +
                    (taste.adapter.empty() ? "" : " of adapter=" + taste.adapter));
    const auto found = tastes_.find(client.account);
    if (found == tastes_.end() && taste.adapter.empty() && taste.kinds.empty()) return;
    taste.mutedUntil = found == tastes_.end() ? std::nullopt : found->second.mutedUntil;
    tastes_[client.account] = std::move(taste);
}

void Steward::mute(Client& client, const Wish& wish) {
    const SteadyTime now = floor_.clock.steady();
    const auto found = tastes_.find(client.account);
    const bool muted = found != tastes_.end() && found->second.mutedUntil && *found->second.mutedUntil > now;
    if (wish.words.empty()) {
        if (!muted) return say(client, "you are told of events");
        const auto left = std::chrono::ceil<std::chrono::seconds>(*found->second.mutedUntil - now);
        return say(client, "no events for you for " + formatDurationMillis(Millis(left).count()));
    }
    if (wish.words.front() == "off") {
        if (muted) found->second.mutedUntil.reset();
        return say(client, "you are told of events");
    }
    constexpr std::int64_t kLongest = 30LL * 24 * 3'600'000;
    const auto millis = parseDurationMillis(wish.words.front());
    if (!millis || *millis <= 0 || *millis > kLongest)
        return say(client, "mute wants a time such as 30m or 2h, at most 30d");
    tastes_[client.account].mutedUntil = now + Millis(*millis);
    say(client, "no events for you for " + formatDurationMillis(*millis));
}

}  // namespace postern::chat
