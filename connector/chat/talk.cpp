// PRIVMSG, NOTICE, TAGMSG and AWAY. One way for all three: what may not be said in a channel may not be said
// in any of them.

#include <algorithm>
#include <set>

#include "base/text.h"
#include "connector/chat/commands.h"
#include "connector/chat/names.h"
#include "connector/chat/steward.h"

namespace postern::chat {

namespace {

bool maySpeak(const Client& client, const Channel& channel) {
    const Member* member = channel.member(client.id);
    if (member == nullptr && (channel.noExternal || channel.secret)) return false;
    if (member != nullptr && (member->op || member->voice)) return true;
    return !channel.moderated && !channel.bars(client.mask());
}

// What one client says to one or more others.
struct Talk {
    Floor& floor;
    Client& client;
    std::string command;
    std::string text;  // TAGMSG has none
    std::shared_ptr<const Tags> clientTags{};

    bool silent() const { return command == "NOTICE"; }  // errors are never answered (RFC 2812 3.3.2)
    bool tagsOnly() const { return command == "TAGMSG"; }

    void refuse(Numeric numeric, const std::string& target) const {
        if (!silent()) floor.reply(client, numeric, {target});
    }
    Line lineTo(const std::string& target) const {
        std::vector<std::string> parameters{target};
        if (!tagsOnly()) parameters.push_back(text);
        Line line = floor.lineFrom(client, command, parameters, !tagsOnly());
        line.id = floor.freshMessageId();
        line.clientTags = clientTags;
        return line;
    }
    void hand(Client& to, const Line& line, bool answer) const {
        if (!tagsOnly() || to.caps.has(Cap::MessageTags)) floor.send(to, line, answer);
    }
    void echo(const Line& line) const {
        if (client.caps.has(Cap::EchoMessage)) hand(client, line, true);
    }
    void toChannel(const std::string& target) const {
        const Channel* channel = floor.channel(target);
        if (channel == nullptr) return refuse(Numeric::NoSuchChannel, target);
        if (!maySpeak(client, *channel)) return refuse(Numeric::CannotSendToChannel, channel->name);
        const Line line = lineTo(channel->name);
        for (const auto& [id, member] : channel->members) {
            Client* to = id == client.id ? nullptr : floor.find(id);
            if (to != nullptr) hand(*to, line, true);
        }
        echo(line);
        if (floor.steward != nullptr && command == "PRIVMSG" && floor.steward->keeps(*channel))
            floor.steward->overhear(client, text);
    }
    void toSteward() const {
        echo(lineTo(floor.settings.queue.nick));
        if (command == "PRIVMSG") floor.steward->hear(client, text);
    }
    void toNick(const std::string& target) const {
        if (floor.steward != nullptr && floor.steward->is(target)) return toSteward();
        Client* to = floor.byNick(target);
        if (to == nullptr) return refuse(Numeric::NoSuchNick, target);
        const Line line = lineTo(to->nick);
        // To oneself it comes twice with echo-message; only the echo answers the command.
        hand(*to, line, !client.caps.has(Cap::EchoMessage));
        echo(line);
        if (!to->away.empty() && command == "PRIVMSG")
            floor.reply(client, Numeric::Away, {to->nick}, to->away);
    }
};

void talk(Floor& floor, Client& client, const Message& message) {
    Talk talk{floor, client, message.command, message.parameter(1)};
    if (message.parameter(0).empty()) {
        if (!talk.silent())
            floor.reply(client, Numeric::NoRecipient, {}, "No recipient given (" + talk.command + ")");
        return;
    }
    if (talk.text.empty() && !talk.tagsOnly()) {
        if (!talk.silent()) floor.reply(client, Numeric::NoTextToSend);
        return;
    }
    Tags tags;
    for (const auto& [name, value] : message.tags) {
        if (name.starts_with('+')) tags.emplace(name, value);
    }
    if (!tags.empty()) talk.clientTags = std::make_shared<const Tags>(std::move(tags));
    client.spoke = floor.clock.steady();
    std::set<std::string> told;
    for (const std::string_view part : split(message.parameter(0), ',')) {
        const std::string target(part);
        if (target.empty() || told.count(fold(target)) > 0) continue;
        if (told.size() == floor.settings.limits.targets) return talk.refuse(Numeric::TooManyTargets, target);
        told.insert(fold(target));
        isChannel(target) ? talk.toChannel(target) : talk.toNick(target);
    }
}

}  // namespace

void onPrivmsg(Floor& floor, Client& client, const Message& message) {
    talk(floor, client, message);
}
void onNotice(Floor& floor, Client& client, const Message& message) {
    talk(floor, client, message);
}
void onTagmsg(Floor& floor, Client& client, const Message& message) {
    talk(floor, client, message);
}

void onAway(Floor& floor, Client& client, const Message& message) {
    const std::string away(cutReason(floor, message.parameter(0)));
    const bool changed = away != client.away;
    client.away = away;
    floor.reply(client, away.empty() ? Numeric::Unaway : Numeric::NowAway);
    if (!changed) return;
    std::vector<std::string> parameters;
    if (!away.empty()) parameters.push_back(away);
    const Line line = floor.lineFrom(client, "AWAY", parameters, !away.empty());
    std::set<ConnectionId> told{client.id};
    for (const std::string& name : client.channels) {
        for (const auto& [id, member] : floor.channels.at(name).members) {
            Client* other = told.insert(id).second ? floor.find(id) : nullptr;
            if (other != nullptr && other->caps.has(Cap::AwayNotify)) floor.send(*other, line);
        }
    }
}

}  // namespace postern::chat
