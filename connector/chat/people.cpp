// WHO, WHOIS, USERHOST and ISON. Nobody learns of people by a mask with whom he shares no channel (Q229688,
// Q258982); whoever knows a nick may ask for it.

#include <algorithm>

#include "base/text.h"
#include "connector/chat/commands.h"
#include "connector/chat/names.h"
#include "connector/chat/steward.h"

namespace postern::chat {

namespace {

std::int64_t idleSeconds(const Floor& floor, const Client& who) {
    return std::chrono::duration_cast<std::chrono::seconds>(floor.clock.steady() - who.spoke).count();
}

// Who has the nick: a client, or the service itself.
const Client* somebody(Floor& floor, std::string_view nick) {
    if (floor.steward != nullptr && floor.steward->is(nick)) return &floor.steward->voice();
    return floor.byNick(nick);
}

bool isService(const Floor& floor, const Client& who) {
    return floor.steward != nullptr && &who == &floor.steward->voice();
}

// The channel that a WHO shows beside a client: one that both are in.
const Channel* sharedChannel(const Floor& floor, const Client& asker, const Client& who) {
    for (const std::string& name : who.channels) {
        if (asker.channels.count(name) > 0) return &floor.channels.at(name);
    }
    return nullptr;
}

// One WHO: its answers in the old form, or in WHOX's ("%fields,token").
struct Asking {
    Floor& floor;
    Client& client;
    std::string fields{}, token{};
    bool extended = false;

    std::string flags(const Client& who, const Channel* channel) const {
        std::string out = who.away.empty() ? "H" : "G";
        if (who.oper) out += '*';
        if (channel != nullptr && isService(floor, who)) return out + "@";
        const Member* member = channel == nullptr ? nullptr : channel->member(who.id);
        return member == nullptr ? out : out + prefixes(client, *member);
    }
    std::string field(char name, const Client& who, const Channel* channel) const {
        switch (name) {
            case 't': return token;
            case 'c': return channel == nullptr ? "*" : channel->name;
            case 'u': return who.user;
            case 'i': return who.peer.host;
            case 'h': return who.peer.host;
            case 's': return floor.settings.serverName;
            case 'n': return who.nick;
            case 'f': return flags(who, channel);
            case 'd': return "0";
            case 'l': return std::to_string(idleSeconds(floor, who));
            case 'a': return who.account.empty() ? "0" : who.account;
            case 'o': return "n/a";
            default: return who.realName;
        }
    }
    void say(const Client& who, const Channel* channel) const {
        std::vector<std::string> parameters;
        if (!extended) {
            for (const char name : std::string_view("cuhsnf"))
                parameters.push_back(field(name, who, channel));
            return floor.reply(client, Numeric::WhoReply, parameters, "0 " + who.realName);
        }
        // In this order, however they were asked for (IRCv3 WHOX).
        for (const char name : std::string_view("tcuihsnfdlaor")) {
            if (fields.find(name) != std::string::npos) parameters.push_back(field(name, who, channel));
        }
        parameters.insert(parameters.begin(), client.nick);
        const bool colon = fields.find('r') != std::string::npos;
        floor.send(client, {writeMessage(floor.settings.serverName, "354", parameters, colon)});
    }
};

void whoChannel(const Asking& asking, const std::string& name) {
    const Channel* channel = asking.floor.channel(name);
    if (channel == nullptr || channel->member(asking.client.id) == nullptr) return;
    if (asking.floor.speaksIn(*channel)) asking.say(asking.floor.steward->voice(), channel);
    for (const auto& [id, member] : channel->members) {
        if (const Client* who = asking.floor.find(id)) asking.say(*who, channel);
    }
}

void whoMask(const Asking& asking, const std::string& mask, bool opersOnly) {
    for (const auto& [nick, id] : asking.floor.nicks) {
        const Client* who = asking.floor.byNick(nick);
        if (who == nullptr || (opersOnly && !who->oper) || !asking.floor.share(asking.client, *who)) continue;
        if (fitsMask(mask, who->nick) || fitsMask(mask, who->mask()) || fitsMask(mask, who->peer.host) ||
            fitsMask(mask, who->user))
            asking.say(*who, sharedChannel(asking.floor, asking.client, *who));
    }
}

std::string channelsOf(Floor& floor, const Client& asker, const Client& who) {
    std::string out;
    if (isService(floor, who)) {
        for (const auto& [key, channel] : floor.channels)
            if (floor.speaksIn(channel)) out += (out.empty() ? "@" : " @") + channel.name;
        return out;
    }
    for (const std::string& name : who.channels) {
        const Channel& channel = floor.channels.at(name);
        if (channel.member(asker.id) == nullptr && (channel.secret || who.invisible)) continue;
        out += (out.empty() ? "" : " ") + prefixes(asker, *channel.member(who.id)) + channel.name;
    }
    return out;
}

void sayWhois(Floor& floor, Client& client, const Client& who) {
    floor.reply(client, Numeric::WhoisUser, {who.nick, who.user, who.peer.host, "*"}, who.realName);
    const std::string channels = channelsOf(floor, client, who);
    std::size_t at = 0;
    while (at < channels.size()) {
        constexpr std::size_t kRoom = 350;
        std::size_t end = channels.size() - at > kRoom ? channels.rfind(' ', at + kRoom) : channels.size();
        floor.reply(client, Numeric::WhoisChannels, {who.nick},
                    std::string_view(channels).substr(at, end - at));
        at = end + 1;
    }
    floor.reply(client, Numeric::WhoisServer, {who.nick, floor.settings.serverName}, floor.settings.network);
    if (who.oper) floor.reply(client, Numeric::WhoisOperator, {who.nick});
    if (!who.account.empty()) floor.reply(client, Numeric::WhoisAccount, {who.nick, who.account});
    if (!who.away.empty()) floor.reply(client, Numeric::Away, {who.nick}, who.away);
    floor.reply(
        client, Numeric::WhoisIdle,
        {who.nick, std::to_string(idleSeconds(floor, who)), std::to_string(toMillis(who.signedOn) / 1000)});
}

}  // namespace

void onWho(Floor& floor, Client& client, const Message& message) {
    const std::string mask = message.parameter(0).empty() ? "*" : message.parameter(0);
    const std::string& options = message.parameter(1);
    Asking asking{floor, client};
    if (const std::size_t percent = options.find('%'); percent != std::string::npos) {
        const std::size_t comma = std::min(options.find(',', percent), options.size());
        asking.extended = true;
        asking.fields = options.substr(percent + 1, comma - percent - 1);
        asking.token = comma < options.size() ? options.substr(comma + 1, 3) : "0";
    }
    if (isChannel(mask)) {
        whoChannel(asking, mask);
    } else if (!hasWildcard(mask)) {
        if (const Client* who = somebody(floor, mask)) asking.say(*who, sharedChannel(floor, client, *who));
    } else {
        whoMask(asking, mask, options == "o");
    }
    floor.reply(client, Numeric::EndOfWho, {mask});
}

void onWhois(Floor& floor, Client& client, const Message& message) {
    // With two, the first one names a server or somebody on it: there is only this one.
    const std::string& wanted = message.parameters.size() > 1 ? message.parameter(1) : message.parameter(0);
    const std::string nick = wanted.substr(0, wanted.find(','));
    if (nick.empty()) return floor.reply(client, Numeric::NoNicknameGiven);
    const Client* who = somebody(floor, nick);
    if (who != nullptr) {
        sayWhois(floor, client, *who);
    } else {
        floor.reply(client, Numeric::NoSuchNick, {nick});
    }
    floor.reply(client, Numeric::EndOfWhois, {who != nullptr ? who->nick : nick});
}

void onUserhost(Floor& floor, Client& client, const Message& message) {
    constexpr std::size_t kMost = 5;  // RFC 2812 4.8
    std::string out;
    for (std::size_t i = 0; i < std::min(message.parameters.size(), kMost); ++i) {
        const Client* who = somebody(floor, message.parameters[i]);
        if (who == nullptr) continue;
        if (!out.empty()) out += ' ';
        out += who->nick + (who->oper ? "*" : "") + (who->away.empty() ? "=+" : "=-") + who->user + "@" +
               who->peer.host;
    }
    floor.fromServer(client, numericCode(Numeric::UserHost), {client.nick, out});
}

void onIson(Floor& floor, Client& client, const Message& message) {
    std::string out;
    for (const std::string& words : message.parameters) {
        for (const std::string_view nick : split(words, ' ')) {
            const Client* who = nick.empty() ? nullptr : somebody(floor, nick);
            if (who != nullptr) out += (out.empty() ? "" : " ") + who->nick;
        }
    }
    floor.fromServer(client, numericCode(Numeric::IsOn), {client.nick, out});
}

}  // namespace postern::chat
