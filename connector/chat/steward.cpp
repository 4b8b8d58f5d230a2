// The steward as a servant: orders, their trial, their outcome.

#include "connector/chat/steward.h"

#include <algorithm>

#include "base/random.h"
#include "base/text.h"
#include "connector/admin/selection.h"
#include "connector/chat/answer_lines.h"
#include "connector/chat/floor.h"
#include "connector/chat/names.h"

namespace postern::chat {

namespace {

constexpr std::size_t kMostOrders = 4;  // of one client, out at a time
constexpr std::size_t kMostNamed = 20;  // items, before a second word is asked for
constexpr std::size_t kMostLookedAfter = 1000;
constexpr Millis kQuestionStands{60'000};
constexpr const char* kWaitForAnswers = "wait for the answers to your other commands";

}  // namespace

Steward::Steward(Floor& floor) : floor_(floor) {
    voice_.nick = floor.settings.queue.nick;
    voice_.user = "postern";
    voice_.realName = "The queue of " + floor.settings.serverName;
    voice_.peer.host = floor.settings.serverName;
    voice_.registered = true;
    voice_.signedOn = floor.started;
    voice_.spoke = floor.clock.steady();
    Channel channel;
    channel.name = floor.settings.queue.channel;
    channel.created = floor.started;
    channel.lasting = true;
    channel.topic = "The queue of " + floor.settings.serverName + ". !help here, or /msg " +
                    floor.settings.queue.nick + " help";
    channel.topicBy = floor.settings.queue.nick;
    channel.topicAt = floor.started;
    floor.channels.emplace(fold(channel.name), std::move(channel));
}

bool Steward::keeps(const Channel& channel) const {
    return fold(channel.name) == fold(floor_.settings.queue.channel);
}

bool Steward::is(std::string_view nick) const {
    return fold(nick) == fold(floor_.settings.queue.nick);
}

std::string Steward::mask() const {
    return voice_.mask();
}

std::optional<admin::Role> Steward::roleOf(const Client& client) const {
    const auto role = admin::roleOf(client.roles);
    if (!role) return std::nullopt;
    return std::min(*role, client.peer.mostRole);
}

bool Steward::mayEnter(const Client& client) const {
    return roleOf(client).has_value();
}

void Steward::forget(ConnectionId id) {
    people_.erase(id);
}

Line Steward::lineTo(const std::string& target, const char* command, std::string_view text) const {
    return {writeMessage(mask(), command, {target, std::string(text)}, true)};
}

void Steward::say(Client& client, std::string_view text) {
    floor_.send(client, lineTo(client.nick, "NOTICE", text));
}

void Steward::overhear(Client& client, std::string_view text) {
    if (text.starts_with('!')) return hear(client, text);
    const std::size_t length = floor_.settings.queue.nick.size();
    const bool named =
        is(text.substr(0, length)) && text.size() > length && (text[length] == ':' || text[length] == ',');
    if (named) hear(client, text.substr(length + 1));
}

void Steward::hear(Client& client, std::string_view text) {
    if (text.starts_with('\x01')) return;  // a client asks our program's version and the like (CTCP)
    if (!roleOf(client))
        return say(client, "the queue is for accounts with the role viewer, operator or admin");
    text = trim(text);
    if (text.starts_with('!')) text.remove_prefix(1);
    auto wish = understand(text, floor_.clock.now());
    if (!wish.ok()) return say(client, wish.error().text);
    switch (wish->kind) {
        case Wish::Kind::Ask: order(client, {Asked::For::Answer, std::move(wish->request)}); return;
        case Wish::Kind::Confirm: order(client, {Asked::For::Trial, std::move(wish->request)}); return;
        case Wish::Kind::Help: return help(client, *wish);
        case Wish::Kind::Agree: return agree(client, *wish);
        case Wish::Kind::Filter: return filter(client, *wish);
        case Wish::Kind::Mute: return mute(client, *wish);
        case Wish::Kind::Ack: return acknowledge(client, *wish);
    }
}

void Steward::help(Client& client, const Wish& wish) {
    const auto lines = helpAbout(wish.words.empty() ? std::string() : wish.words.front());
    if (!lines.ok()) return say(client, lines.error().text);
    for (const std::string& line : *lines) say(client, line);
}

void Steward::agree(Client& client, const Wish& wish) {
    Person& person = people_[client.id];
    if (!person.question || person.question->token != wish.words.front() ||
        person.question->until < floor_.clock.steady())
        return say(client, "nothing waits for that word, or no longer; say what you want again");
    if (person.orders >= kMostOrders) return say(client, kWaitForAnswers);
    admin::Request request = std::move(person.question->request);
    person.question.reset();
    order(client, {Asked::For::Answer, std::move(request)});
}

// The queue is asked what there is of them.
void Steward::acknowledge(Client& client, const Wish& wish) {
    if (*roleOf(client) < admin::Role::Operator) return say(client, "ack needs the role operator");
    std::string ids = wish.words.front(), note;
    for (std::size_t i = 1; i < wish.words.size(); ++i) note += (i == 1 ? "" : " ") + wish.words[i];
    std::replace(ids.begin(), ids.end(), ',', ' ');
    for (const std::string_view word : split(ids, ' ')) {
        const auto id = parseInt(word);
        if (!id || *id <= 0) return say(client, "ack takes items' numbers, one by one");
    }
    admin::Request request;
    request.verb = "queue.list";
    request.fields["ids"] = ids;
    request.fields["limit"] = "1000";  // more than a line can name
    order(client, {Asked::For::Ack, std::move(request), note});
}

void Steward::lookAfter(Client& client, const Asked& asked, const Outcome& outcome) {
    if (outcome.error) return say(client, outcome.error->text);
    std::map<std::int64_t, std::string> states;
    for (const admin::Record& row : outcome.rows)
        if (const admin::Value* id = row.find("id")) states[id->number] = row.text("state");
    std::string taken, none, over;
    for (const std::string_view word : split(asked.request.field("ids"), ' ')) {
        const auto found = states.find(*parseInt(word));
        if (found == states.end()) {
            none += (none.empty() ? "" : ", ") + std::string(word);
        } else if (found->second == "exported" || found->second == "deleted") {
            over += (over.empty() ? "" : ", ") + std::string(word) + " is " + found->second;
        } else {
            taken += (taken.empty() ? "" : " ") + std::string(word);
            std::erase(lookedAfter_, found->first);
            lookedAfter_.push_back(found->first);
            if (lookedAfter_.size() > kMostLookedAfter) lookedAfter_.pop_front();
        }
    }
    if (!none.empty()) say(client, "there is no item " + none);
    if (!over.empty()) say(client, over + ": nothing is left to look after");
    if (taken.empty()) return;
    EventLine line;
    line.kind = EventKind::Changed;
    line.at = floor_.clock.now();
    line.text = taken + ": " + client.account + " looks after it" +
                (asked.note.empty() ? "" : ": " + escapeLine(asked.note, 200));
    tellAll(line);
    const Channel* channel = floor_.channel(floor_.settings.queue.channel);
    if (channel == nullptr || channel->member(client.id) == nullptr) say(client, line.text);
    keep(std::move(line));
}

std::uint64_t Steward::order(Client& client, Asked asked) {
    Person& person = people_[client.id];
    if (person.orders >= kMostOrders) {
        say(client, kWaitForAnswers);
        return 0;
    }
    ++person.orders;
    asked.from = client.id;
    asked.request.who = client.account;
    auto order = std::make_unique<Order>();
    order->from = client.id;
    order->number = ++lastOrder_;
    order->most = *roleOf(client);
    order->peer = client.peer.name;
    order->request = asked.request;
    order->trial = asked.what == Asked::For::Trial;
    if (order->trial) order->request.fields["dry_run"] = "true";
    const std::uint64_t number = order->number;
    asked_[number] = std::move(asked);
    orders_.push_back(std::move(order));
    return number;
}

void Steward::settle(Outcome outcome) {
    const auto found = asked_.find(outcome.number);
    if (found == asked_.end()) return;  // of an earlier life of the hall
    const Asked asked = std::move(found->second);
    asked_.erase(found);
    const auto person = people_.find(asked.from);
    Client* client = floor_.find(asked.from);
    if (person == people_.end() || client == nullptr) return;
    --person->second.orders;
    switch (asked.what) {
        case Asked::For::Trial:
            if (outcome.error) return say(*client, outcome.error->text);
            return askAgain(*client, asked.request, outcome);
        case Asked::For::Ack: return lookAfter(*client, asked, outcome);
        case Asked::For::Filter:
            if (person->second.filtering != outcome.number) return;  // he has said another one since
            person->second.filtering = 0;
            if (outcome.error)
                return say(*client, outcome.error->text + (outcome.error->code == Errc::NotFound
                                                               ? "; 'status' names those that there are"
                                                               : ""));
            return choose(*client, asked.taste);
        case Asked::For::Answer: break;
    }
    for (const std::string& line : answerLines(asked.request, outcome.rows, outcome.more)) say(*client, line);
    if (outcome.error) return say(*client, outcome.error->text);
    if (outcome.rows.empty()) say(*client, "done; there is nothing to show");
}

void Steward::askAgain(Client& client, admin::Request request, const Outcome& outcome) {
    const std::vector<std::int64_t> ids = wouldChange(outcome.rows);
    if (ids.empty()) {
        for (const std::string& line : answerLines(request, outcome.rows)) say(client, line);
        return say(client, "nothing would change");
    }
    std::string all, named;
    for (std::size_t i = 0; i < ids.size(); ++i) {
        all += (i == 0 ? "" : " ") + std::to_string(ids[i]);
        if (i < kMostNamed) named += (i == 0 ? "" : " ") + std::to_string(ids[i]);
    }
    if (ids.size() > kMostNamed) named += " ...";
    admin::Request exact;
    exact.verb = request.verb;
    exact.fields["change"] = std::string(request.field("change"));
    if (!request.field("reason").empty()) exact.fields["reason"] = std::string(request.field("reason"));
    exact.fields["ids"] = all;
    Question question{randomName(6), std::move(exact), floor_.clock.steady() + kQuestionStands};
    say(client, std::string(request.field("change")) + " would change " + std::to_string(ids.size()) +
                    (ids.size() == 1 ? " item: " : " items: ") + named + ". To do it: confirm " +
                    question.token + " (within " + formatDurationMillis(kQuestionStands.count()) + ")");
    people_[client.id].question = std::move(question);
}

}  // namespace postern::chat
