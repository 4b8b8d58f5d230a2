// MODE: of channels (o v b k l i m n s t) and of oneself (i o).

#include <algorithm>

#include "base/text.h"
#include "connector/chat/commands.h"
#include "connector/chat/modes.h"
#include "connector/chat/names.h"

namespace postern::chat {

namespace {

bool Channel::*flagOf(char letter) {
    switch (letter) {
        case 'i': return &Channel::inviteOnly;
        case 'm': return &Channel::moderated;
        case 'n': return &Channel::noExternal;
        case 's': return &Channel::secret;
        case 't': return &Channel::topicLocked;
        default: return nullptr;
    }
}

void sayModes(Floor& floor, Client& client, const Channel& channel) {
    const bool inside = channel.member(client.id) != nullptr;
    std::vector<std::string> parameters{channel.name, "+"};
    std::string& letters = parameters[1];
    std::vector<std::string> values;
    for (const char letter : std::string_view("imnst")) {
        if (channel.*flagOf(letter)) letters += letter;
    }
    if (!channel.key.empty()) {
        letters += 'k';
        values.push_back(inside ? channel.key : "*");
    }
    if (channel.limit > 0) {
        letters += 'l';
        values.push_back(std::to_string(channel.limit));
    }
    parameters.insert(parameters.end(), values.begin(), values.end());
    floor.reply(client, Numeric::ChannelModeIs, parameters);
    floor.reply(client, Numeric::ChannelCreated,
                {channel.name, std::to_string(toMillis(channel.created) / 1000)});
}

void sayBans(Floor& floor, Client& client, const Channel& channel) {
    for (const Ban& ban : channel.bans) {
        floor.reply(client, Numeric::BanList,
                    {channel.name, ban.mask, ban.by, std::to_string(toMillis(ban.at) / 1000)});
    }
    floor.reply(client, Numeric::EndOfBanList, {channel.name});
}

// One MODE line being carried out.
struct Changing {
    Floor& floor;
    Client& client;
    Channel& channel;
    std::vector<ModeChange> done{};

    void refuseParameter(const ModeChange& change, const char* why) {
        const std::string shown = change.letter == 'k' || change.parameter->empty() ||
                                          change.parameter->find(' ') != std::string::npos
                                      ? "*"
                                      : *change.parameter;
        floor.reply(client, Numeric::InvalidModeParam, {channel.name, std::string(1, change.letter), shown},
                    why);
    }
    void setRank(const ModeChange& change) {
        if (!change.parameter) return;
        Client* other = floor.byNick(*change.parameter);
        if (other == nullptr) return floor.reply(client, Numeric::NoSuchNick, {*change.parameter});
        // Looked up now: who has left since is not in the channel (Q224456).
        const auto member = channel.members.find(other->id);
        if (member == channel.members.end())
            return floor.reply(client, Numeric::UserNotInChannel, {other->nick, channel.name});
        bool& rank = change.letter == 'o' ? member->second.op : member->second.voice;
        if (rank == change.on) return;
        rank = change.on;
        done.push_back({change.on, change.letter, other->nick});
    }
    void setBan(const ModeChange& change) {
        if (change.parameter->empty()) return refuseParameter(change, "A ban needs a mask");
        const std::string mask = wholeMask(*change.parameter);
        const auto same = std::find_if(channel.bans.begin(), channel.bans.end(),
                                       [&](const Ban& ban) { return fold(ban.mask) == fold(mask); });
        if (change.on == (same != channel.bans.end())) return;
        if (!change.on) {
            done.push_back({false, 'b', same->mask});
            channel.bans.erase(same);
            return;
        }
        if (channel.bans.size() >= floor.settings.limits.bans)
            return floor.reply(client, Numeric::BanListFull, {channel.name, mask});
        channel.bans.push_back({mask, client.mask(), floor.clock.now()});
        done.push_back({true, 'b', mask});
    }
    void setKey(const ModeChange& change) {
        if (!change.on) {
            if (!channel.key.empty()) done.push_back({false, 'k', {}});
            channel.key.clear();
            return;
        }
        if (!change.parameter) return floor.reply(client, Numeric::NeedMoreParams, {"MODE"});
        const std::string& key = *change.parameter;
        const bool fine =
            !key.empty() && key.size() <= floor.settings.limits.key && key.front() != ':' &&
            std::all_of(key.begin(), key.end(), [](char c) { return c > ' ' && c < 0x7f && c != ','; });
        if (!fine) return refuseParameter(change, "A key is short and has no blanks or commas");
        channel.key = key;
        done.push_back({true, 'k', key});
    }
    void setLimit(const ModeChange& change) {
        if (!change.on) {
            if (channel.limit > 0) done.push_back({false, 'l', {}});
            channel.limit = 0;
            return;
        }
        if (!change.parameter) return floor.reply(client, Numeric::NeedMoreParams, {"MODE"});
        const auto limit = parseInt(*change.parameter);
        if (!limit || *limit < 1 || *limit > 1'000'000)
            return refuseParameter(change, "A limit is a number from 1");
        if (channel.limit == static_cast<std::size_t>(*limit)) return;
        channel.limit = static_cast<std::size_t>(*limit);
        done.push_back({true, 'l', std::to_string(*limit)});
    }
    void setFlag(const ModeChange& change) {
        const auto flag = flagOf(change.letter);
        if (flag == nullptr)
            return floor.reply(client, Numeric::UnknownMode, {std::string(1, change.letter)});
        if (channel.*flag == change.on) return;
        channel.*flag = change.on;
        done.push_back({change.on, change.letter, {}});
    }
    void carryOut(const ModeChange& change) {
        switch (change.letter) {
            case 'o':
            case 'v': return setRank(change);
            case 'b': return setBan(change);
            case 'k': return setKey(change);
            case 'l': return setLimit(change);
            default: return setFlag(change);
        }
    }
};

bool onlyLists(const std::vector<ModeChange>& changes) {
    return std::all_of(changes.begin(), changes.end(),
                       [](const ModeChange& change) { return change.letter == 'b' && !change.parameter; });
}

void channelMode(Floor& floor, Client& client, const Message& message) {
    const std::string& name = message.parameter(0);
    Channel* channel = floor.channel(name);
    if (channel == nullptr) return floor.reply(client, Numeric::NoSuchChannel, {name});
    if (channel->secret && channel->member(client.id) == nullptr)
        return floor.reply(client, Numeric::NotOnChannel, {name});
    if (message.parameters.size() == 1) return sayModes(floor, client, *channel);
    const auto changes = readModes({message.parameters.begin() + 1, message.parameters.end()});
    if (changes.empty()) return;
    if (onlyLists(changes)) return sayBans(floor, client, *channel);
    if (!floor.mayOperate(client, *channel)) return floor.reply(client, Numeric::ChannelOpNeeded, {name});
    Changing changing{floor, client, *channel};
    for (const ModeChange& change : changes) {
        if (change.letter == 'b' && !change.parameter) {
            sayBans(floor, client, *channel);
        } else {
            changing.carryOut(change);
        }
    }
    if (changing.done.empty()) return;
    std::vector<std::string> words = writeModes(changing.done);
    words.insert(words.begin(), channel->name);
    floor.tell(*channel, floor.lineFrom(client, "MODE", words));
}

void ownMode(Floor& floor, Client& client, const Message& message) {
    if (fold(message.parameter(0)) != fold(client.nick)) {
        const bool there = floor.byNick(message.parameter(0)) != nullptr;
        if (!there) return floor.reply(client, Numeric::NoSuchNick, {message.parameter(0)});
        return floor.reply(client, Numeric::UsersDontMatch);
    }
    if (message.parameters.size() == 1) {
        const std::string modes = std::string("+") + (client.invisible ? "i" : "") + (client.oper ? "o" : "");
        return floor.reply(client, Numeric::UserModeIs, {modes});
    }
    std::vector<ModeChange> done;
    bool unknown = false;
    for (const ModeChange& change : readModes({message.parameter(1)})) {
        bool* flag = change.letter == 'i' ? &client.invisible : change.letter == 'o' ? &client.oper : nullptr;
        unknown = unknown || flag == nullptr;
        // Nobody makes himself an operator this way: that is OPER.
        if (flag == nullptr || *flag == change.on || (change.letter == 'o' && change.on)) continue;
        *flag = change.on;
        done.push_back({change.on, change.letter, {}});
    }
    if (unknown) floor.reply(client, Numeric::UserModeUnknown);
    if (done.empty()) return;
    floor.send(client, floor.lineFrom(client, "MODE", {client.nick, writeModes(done).front()}));
}

}  // namespace

void onMode(Floor& floor, Client& client, const Message& message) {
    if (isChannel(message.parameter(0))) return channelMode(floor, client, message);
    ownMode(floor, client, message);
}

}  // namespace postern::chat
