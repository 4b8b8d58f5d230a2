// JOIN, PART, KICK, INVITE and TOPIC (RFC 2812 3.2, modern.ircdocs.horse).

#include <algorithm>

#include "base/text.h"
#include "connector/chat/commands.h"
#include "connector/chat/mail_board.h"
#include "connector/chat/names.h"
#include "connector/chat/steward.h"

namespace postern::chat {

namespace {

// "a,b,,c": the parts that are not empty.
std::vector<std::string> listed(std::string_view text) {
    std::vector<std::string> out;
    for (const std::string_view part : split(text, ',')) {
        if (!part.empty()) out.emplace_back(part);
    }
    return out;
}

std::optional<Numeric> whyNot(const Client& client, const Channel& channel, const std::string& key) {
    if (channel.invited.count(client.id) > 0) return std::nullopt;
    if (channel.inviteOnly) return Numeric::InviteOnly;
    if (!channel.key.empty() && key != channel.key) return Numeric::BadChannelKey;
    if (channel.limit > 0 && channel.members.size() >= channel.limit) return Numeric::ChannelIsFull;
    if (channel.bars(client.mask())) return Numeric::Banned;
    return std::nullopt;
}

void tellJoin(Floor& floor, const Client& client, const Channel& channel) {
    const Line plain = floor.lineFrom(client, "JOIN", {channel.name});
    const std::string account = client.account.empty() ? "*" : client.account;
    const Line extended = floor.lineFrom(client, "JOIN", {channel.name, account, client.realName}, true);
    const Line away = floor.lineFrom(client, "AWAY", {client.away}, true);
    for (const auto& [id, member] : channel.members) {
        Client* to = floor.find(id);
        if (to == nullptr) continue;
        floor.send(*to, to->caps.has(Cap::ExtendedJoin) ? extended : plain);
        if (id != client.id && !client.away.empty() && to->caps.has(Cap::AwayNotify)) floor.send(*to, away);
    }
}

void sayTopic(Floor& floor, Client& client, const Channel& channel) {
    floor.reply(client, Numeric::Topic, {channel.name}, channel.topic);
    floor.reply(client, Numeric::TopicWhoTime,
                {channel.name, channel.topicBy, std::to_string(toMillis(channel.topicAt) / 1000)});
}

// Null after the reply that says why it may not be made.
Channel* makeChannel(Floor& floor, Client& client, const std::string& name) {
    const bool admin = client.roles.admin && client.peer.mostRole == admin::Role::Admin;
    if (!floor.settings.anyoneCreates && !client.oper && !admin) {
        floor.reply(client, Numeric::NoSuchChannel, {name}, "No such channel, and only admins make new ones");
        return nullptr;
    }
    Channel channel;
    channel.name = name;
    channel.created = floor.clock.now();
    return &floor.channels.emplace(fold(name), std::move(channel)).first->second;
}

void enter(Floor& floor, Client& client, Channel& channel) {
    floor.join(client, channel, channel.members.empty() && !channel.lasting);
    tellJoin(floor, client, channel);
    if (!channel.topic.empty()) sayTopic(floor, client, channel);
    sayNames(floor, client, channel);
    floor.reply(client, Numeric::EndOfNames, {channel.name});
    if (floor.steward != nullptr && floor.steward->keeps(channel)) floor.steward->greet(client);
    if (floor.board != nullptr) floor.board->greet(client, channel);
}

void joinOne(Floor& floor, Client& client, const std::string& name, const std::string& key) {
    const Limits& limits = floor.settings.limits;
    if (!isChannel(name) || name.size() > limits.channel)
        return floor.reply(client, Numeric::NoSuchChannel, {name});
    if (!validChannel(name, limits.channel)) return floor.reply(client, Numeric::BadChannelName, {name});
    Channel* channel = floor.channel(name);
    if (channel != nullptr && channel->member(client.id) != nullptr) return;
    if (client.channels.size() >= limits.channels)
        return floor.reply(client, Numeric::TooManyChannels, {name});
    if (channel == nullptr) channel = makeChannel(floor, client, name);
    if (channel == nullptr) return;
    // Who may look at the queue hears what is told of it, and what mail comes.
    if (floor.speaksIn(*channel) && !floor.steward->mayEnter(client))
        return floor.reply(client, Numeric::InviteOnly, {channel->name},
                           "Cannot join channel: the role viewer, operator or admin is needed");
    const auto refusal = whyNot(client, *channel, key);
    if (refusal && !client.oper) return floor.reply(client, *refusal, {channel->name});
    enter(floor, client, *channel);
    if (!refusal) return;
    // A server operator is never locked out of a channel; everybody there is told (Q198817).
    const std::string text = client.nick + " joined as a server operator in spite of the channel's modes";
    floor.tell(*channel, {writeMessage(floor.settings.serverName, "NOTICE", {channel->name, text}, true)});
}

void partOne(Floor& floor, Client& client, const std::string& name, const std::string& reason) {
    const Channel* channel = floor.channel(name);
    if (channel == nullptr) return floor.reply(client, Numeric::NoSuchChannel, {name});
    if (channel->member(client.id) == nullptr) return floor.reply(client, Numeric::NotOnChannel, {name});
    std::vector<std::string> parameters{channel->name};
    if (!reason.empty()) parameters.push_back(reason);
    floor.tell(*channel, floor.lineFrom(client, "PART", parameters, !reason.empty()));
    floor.part(client, fold(name));
}

void kickOne(Floor& floor, Client& client, const std::string& name, const std::string& nick,
             const std::string& reason) {
    const Channel* channel = floor.channel(name);
    if (channel == nullptr) return floor.reply(client, Numeric::NoSuchChannel, {name});
    if (channel->member(client.id) == nullptr) return floor.reply(client, Numeric::NotOnChannel, {name});
    if (!floor.mayOperate(client, *channel)) return floor.reply(client, Numeric::ChannelOpNeeded, {name});
    Client* victim = floor.byNick(nick);
    if (victim == nullptr || channel->member(victim->id) == nullptr)
        return floor.reply(client, Numeric::UserNotInChannel, {nick, name});
    floor.tell(*channel, floor.lineFrom(client, "KICK", {channel->name, victim->nick, reason}, true));
    floor.part(*victim, fold(name));
}

// The doors that stand open for it.
void sayInvitations(Floor& floor, Client& client) {
    for (const std::string& name : client.invitedTo)
        floor.reply(client, Numeric::InviteList, {floor.channels.at(name).name});
    floor.reply(client, Numeric::EndOfInviteList);
}

}  // namespace

void onJoin(Floor& floor, Client& client, const Message& message) {
    if (message.parameter(0) == "0") {
        while (!client.channels.empty()) {
            const std::string name = *client.channels.begin();
            partOne(floor, client, name, {});
        }
        return;
    }
    const auto keys = split(message.parameter(1), ',');
    std::size_t at = 0;
    for (const std::string_view name : split(message.parameter(0), ',')) {
        const std::string key = at < keys.size() ? std::string(keys[at]) : std::string();
        ++at;
        if (!name.empty()) joinOne(floor, client, std::string(name), key);
    }
}

void onPart(Floor& floor, Client& client, const Message& message) {
    const std::string reason(cutReason(floor, message.parameter(1)));
    for (const std::string& name : listed(message.parameter(0))) partOne(floor, client, name, reason);
}

void onKick(Floor& floor, Client& client, const Message& message) {
    const auto names = listed(message.parameter(0));
    const auto nicks = listed(message.parameter(1));
    if (names.empty() || nicks.empty() || (names.size() > 1 && names.size() != nicks.size()))
        return floor.reply(client, Numeric::NeedMoreParams, {"KICK"});
    const std::string_view said = message.parameter(2).empty() ? client.nick : message.parameter(2);
    const std::string reason(cutReason(floor, said));
    for (std::size_t i = 0; i < std::min(nicks.size(), floor.settings.limits.targets); ++i)
        kickOne(floor, client, names.size() > 1 ? names[i] : names.front(), nicks[i], reason);
}

void onInvite(Floor& floor, Client& client, const Message& message) {
    if (message.parameters.empty()) return sayInvitations(floor, client);
    if (message.parameters.size() == 1) return floor.reply(client, Numeric::NeedMoreParams, {"INVITE"});
    Client* guest = floor.byNick(message.parameter(0));
    const std::string& name = message.parameter(1);
    if (guest == nullptr) return floor.reply(client, Numeric::NoSuchNick, {message.parameter(0)});
    Channel* channel = floor.channel(name);
    if (channel == nullptr) return floor.reply(client, Numeric::NoSuchChannel, {name});
    if (channel->member(client.id) == nullptr) return floor.reply(client, Numeric::NotOnChannel, {name});
    if (channel->inviteOnly && !floor.mayOperate(client, *channel))
        return floor.reply(client, Numeric::ChannelOpNeeded, {name});
    if (channel->member(guest->id) != nullptr)
        return floor.reply(client, Numeric::UserOnChannel, {guest->nick, name});
    // Only an operator's invitation opens a door that is shut (modes i, k, l and b).
    if (floor.mayOperate(client, *channel)) {
        channel->invited.insert(guest->id);
        guest->invitedTo.insert(fold(name));
    }
    floor.reply(client, Numeric::Inviting, {guest->nick, channel->name});
    floor.send(*guest, floor.lineFrom(client, "INVITE", {guest->nick, channel->name}));
    if (!guest->away.empty()) floor.reply(client, Numeric::Away, {guest->nick}, guest->away);
}

void onTopic(Floor& floor, Client& client, const Message& message) {
    const std::string& name = message.parameter(0);
    Channel* channel = floor.channel(name);
    if (channel == nullptr) return floor.reply(client, Numeric::NoSuchChannel, {name});
    const bool inside = channel->member(client.id) != nullptr;
    const bool asks = message.parameters.size() < 2;
    if (!inside && (!asks || channel->secret)) return floor.reply(client, Numeric::NotOnChannel, {name});
    if (asks) {
        if (channel->topic.empty()) return floor.reply(client, Numeric::NoTopic, {channel->name});
        return sayTopic(floor, client, *channel);
    }
    if (channel->topicLocked && !floor.mayOperate(client, *channel))
        return floor.reply(client, Numeric::ChannelOpNeeded, {name});
    const std::string_view topic = cutUtf8(message.parameter(1), floor.settings.limits.topic);
    if (topic == channel->topic) return;  // only a change is told (modern.ircdocs.horse, TOPIC)
    channel->topic = topic;
    channel->topicBy = client.mask();
    channel->topicAt = floor.clock.now();
    floor.tell(*channel, floor.lineFrom(client, "TOPIC", {channel->name, channel->topic}, true));
}

}  // namespace postern::chat
