// NAMES and LIST. What may be longer than a client's queue is written as fast as it is read (Q216989): the
// listing keeps the names of channels, and what is gone by the time is left out.

#include <algorithm>

#include "base/text.h"
#include "connector/chat/commands.h"
#include "connector/chat/names.h"
#include "connector/chat/steward.h"

namespace postern::chat {

namespace {

constexpr std::size_t kMostMasks = 20;

bool sees(const Client& client, const Channel& channel) {
    return !channel.secret || channel.member(client.id) != nullptr;
}

// One condition of LIST: a name, "*mask*", "!mask", "<3", ">3", "C<60", "C>60", "T<60", "T>60".
struct Condition {
    enum class Kind { Mask, NotMask, Users, Created, Topic };
    Kind kind = Kind::Mask;
    bool less = false;
    std::int64_t number = 0;
    std::string mask{};
};

Condition readCondition(std::string_view text) {
    Condition condition;
    if (text.starts_with('!')) return {Condition::Kind::NotMask, false, 0, std::string(text.substr(1))};
    std::string_view rest = text;
    condition.kind = Condition::Kind::Users;
    if (rest.starts_with('C') || rest.starts_with('c')) condition.kind = Condition::Kind::Created;
    if (rest.starts_with('T') || rest.starts_with('t')) condition.kind = Condition::Kind::Topic;
    if (condition.kind != Condition::Kind::Users) rest.remove_prefix(1);
    const bool compares = rest.starts_with('<') || rest.starts_with('>');
    const auto number = compares ? parseInt(rest.substr(1)) : std::nullopt;
    if (!number) return {Condition::Kind::Mask, false, 0, std::string(text)};
    condition.less = rest.front() == '<';
    condition.number = *number;
    return condition;
}

// Whether `at` was less, or more, than that many minutes ago.
bool ago(const Condition& condition, WallTime at, WallTime now) {
    const auto passed = now - at;
    const auto limit = std::chrono::minutes(std::clamp<std::int64_t>(condition.number, 0, 100'000'000));
    return condition.less ? passed < limit : passed >= limit;
}

bool meets(const Condition& condition, const Channel& channel, WallTime now) {
    const auto users = static_cast<std::int64_t>(channel.members.size());
    switch (condition.kind) {
        case Condition::Kind::Mask: return fitsMask(condition.mask, channel.name);
        case Condition::Kind::NotMask: return !fitsMask(condition.mask, channel.name);
        case Condition::Kind::Users:
            return condition.less ? users < condition.number : users > condition.number;
        case Condition::Kind::Created: return ago(condition, channel.created, now);
        case Condition::Kind::Topic: return !channel.topic.empty() && ago(condition, channel.topicAt, now);
    }
    return false;
}

// Masks are alternatives; everything else must hold as well.
bool meetsAll(const std::vector<Condition>& conditions, const Channel& channel, WallTime now) {
    bool masked = false, fits = false;
    for (const Condition& condition : conditions) {
        const bool holds = meets(condition, channel, now);
        if (condition.kind == Condition::Kind::Mask) {
            masked = true;
            fits = fits || holds;
        } else if (!holds) {
            return false;
        }
    }
    return !masked || fits;
}

std::string shownAs(const Client& to, const Client& who, const Member& member) {
    return prefixes(to, member) + (to.caps.has(Cap::UserhostInNames) ? who.mask() : who.nick);
}

void sayOne(Floor& floor, Client& client, const Channel& channel, Listing::Kind kind) {
    if (kind == Listing::Kind::Names) return sayNames(floor, client, channel);
    std::vector<std::string> parameters{channel.name, std::to_string(channel.members.size()), channel.topic};
    parameters.insert(parameters.begin(), client.nick);
    floor.send(client,
               {writeMessage(floor.settings.serverName, numericCode(Numeric::List), parameters, true)});
}

}  // namespace

void sayNames(Floor& floor, Client& client, const Channel& channel) {
    const bool inside = channel.member(client.id) != nullptr;
    if (!inside && channel.secret) return;
    const std::vector<std::string> head{channel.secret ? "@" : "=", channel.name};
    const std::size_t room =
        kLongestBody -
        writeMessage(floor.settings.serverName, "353", {client.nick, head[0], head[1], "x"}, true).size();
    std::string names;
    const auto flush = [&] {
        if (!names.empty()) floor.reply(client, Numeric::NamesReply, head, names);
        names.clear();
    };
    if (floor.speaksIn(channel)) names = "@" + floor.settings.queue.nick;
    for (const auto& [id, member] : channel.members) {
        const Client* who = floor.find(id);
        if (who == nullptr || (!inside && who->invisible)) continue;
        const std::string shown = shownAs(client, *who, member);
        if (names.size() + 1 + shown.size() > room) flush();
        names += (names.empty() ? "" : " ") + shown;
    }
    flush();
}

void goOnListing(Floor& floor, Client& client) {
    while (client.listing && client.output.size() < floor.settings.limits.sendQueueSoft && !client.doomed) {
        Listing& listing = *client.listing;
        if (listing.next < listing.channels.size()) {
            const auto found = floor.channels.find(listing.channels[listing.next++]);
            if (found != floor.channels.end() && sees(client, found->second))
                sayOne(floor, client, found->second, listing.kind);
            continue;
        }
        const Listing::Kind kind = listing.kind;
        client.listing.reset();
        if (kind == Listing::Kind::Names) return floor.reply(client, Numeric::EndOfNames, {"*"});
        floor.reply(client, Numeric::ListEnd);
    }
}

void onList(Floor& floor, Client& client, const Message& message) {
    std::vector<Condition> conditions;
    for (const std::string_view text : split(message.parameter(0), ',')) {
        if (!text.empty() && conditions.size() < kMostMasks) conditions.push_back(readCondition(text));
    }
    Listing listing;
    const WallTime now = floor.clock.now();
    for (const auto& [name, channel] : floor.channels) {
        if (sees(client, channel) && meetsAll(conditions, channel, now)) listing.channels.push_back(name);
    }
    floor.reply(client, Numeric::ListStart, {"Channel"});
    client.listing = std::move(listing);
    goOnListing(floor, client);
}

void onNames(Floor& floor, Client& client, const Message& message) {
    if (message.parameter(0).empty()) {
        Listing listing;
        listing.kind = Listing::Kind::Names;
        for (const auto& [name, channel] : floor.channels) {
            if (sees(client, channel)) listing.channels.push_back(name);
        }
        client.listing = std::move(listing);
        return goOnListing(floor, client);
    }
    std::size_t said = 0;
    for (const std::string_view name : split(message.parameter(0), ',')) {
        const Channel* channel = floor.channel(name);
        if (channel != nullptr && said++ < floor.settings.limits.targets) sayNames(floor, client, *channel);
    }
    floor.reply(client, Numeric::EndOfNames, {message.parameter(0)});
}

}  // namespace postern::chat
