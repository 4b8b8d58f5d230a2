#include "connector/chat/floor.h"

#include <algorithm>
#include <cstdio>

#include "base/random.h"
#include "connector/chat/mail_board.h"
#include "connector/chat/names.h"
#include "connector/chat/steward.h"

namespace postern::chat {

namespace {
constexpr Millis kLinger{5'000};  // for a finished connection to take its last lines
}

Floor::Floor(Settings theSettings, Clock& theClock, std::shared_ptr<Tries> theWrongTries)
    : settings(std::move(theSettings)),
      clock(theClock),
      started(theClock.now()),
      newConnections(settings.limits.newPerMinute, Millis(60'000)),
      keptTries(theWrongTries ? std::move(theWrongTries) : triesOf(settings.limits)),
      wrongTries(*keptTries),
      messagePrefix_(randomName(8)) {
    for (const std::string& name : settings.lasting) {
        Channel channel;
        channel.name = name;
        channel.created = started;
        channel.lasting = true;
        channels.emplace(fold(name), std::move(channel));
    }
    if (!settings.queue.channel.empty()) steward = std::make_unique<Steward>(*this);
    if (steward && !settings.mail.empty()) board = std::make_unique<MailBoard>(*this);
}

Floor::~Floor() = default;

Client* Floor::find(ConnectionId id) {
    const auto found = clients.find(id);
    return found == clients.end() || found->second->gone ? nullptr : found->second.get();
}

Client* Floor::byNick(std::string_view nick) {
    const auto found = nicks.find(fold(nick));
    if (found == nicks.end()) return nullptr;
    Client* client = find(found->second);
    return client != nullptr && client->registered ? client : nullptr;
}

Channel* Floor::channel(std::string_view name) {
    const auto found = channels.find(fold(name));
    return found == channels.end() ? nullptr : &found->second;
}

std::size_t Floor::registeredNow() const {
    return static_cast<std::size_t>(std::count_if(clients.begin(), clients.end(), [](const auto& each) {
        return each.second->registered && !each.second->gone;
    }));
}

bool Floor::share(const Client& a, const Client& b) const {
    if (a.id == b.id) return true;
    return std::any_of(a.channels.begin(), a.channels.end(),
                       [&](const std::string& name) { return b.channels.count(name) > 0; });
}

bool Floor::mayOperate(const Client& client, const Channel& channel) const {
    const Member* member = channel.member(client.id);
    return member != nullptr && member->op;
}

bool Floor::speaksIn(const Channel& channel) const {
    return (steward && steward->keeps(channel)) || (board && board->keeps(channel));
}

void Floor::reply(Client& to, Numeric numeric, std::vector<std::string> parameters, std::string_view text) {
    parameters.insert(parameters.begin(), to.nickOrStar());
    const std::string_view last = text.empty() ? numericText(numeric) : text;
    if (!last.empty()) parameters.emplace_back(last);
    send(to, {writeMessage(settings.serverName, numericCode(numeric), parameters, !last.empty())});
}

void Floor::fromServer(Client& to, std::string_view command, const std::vector<std::string>& parameters) {
    send(to, {writeMessage(settings.serverName, command, parameters, true)});
}

Line Floor::lineFrom(const Client& from, std::string_view command, const std::vector<std::string>& parameters,
                     bool colon) const {
    Line line;
    line.text = writeMessage(from.mask(), command, parameters, colon);
    line.account = from.account;
    return line;
}

void Floor::send(Client& to, const Line& line, bool answer) {
    if (answer && speaking_ == to.id && to.capture) return capture(to, line);
    write(to, line, {});
}

void Floor::capture(Client& to, const Line& line) {
    Capture& capture = *to.capture;
    if (capture.batch.empty() && !capture.held) {
        capture.held = line;
        return;
    }
    if (capture.batch.empty()) {
        capture.batch = std::to_string(++lastBatch_);
        write(to, {writeMessage(settings.serverName, "BATCH", {"+" + capture.batch, "labeled-response"})},
              {{"label", capture.label}});
        write(to, *capture.held, {{"batch", capture.batch}});
        capture.held.reset();
    }
    write(to, line, {{"batch", capture.batch}});
}

void Floor::write(Client& to, const Line& line, Tags tags) {
    if (to.caps.has(Cap::ServerTime)) tags.emplace("time", serverTime(line.at.value_or(clock.now())));
    if (!line.batch.empty()) tags.emplace("batch", line.batch);
    if (to.caps.has(Cap::AccountTag) && !line.account.empty()) tags.emplace("account", line.account);
    if (to.caps.has(Cap::MessageTags)) {
        if (!line.id.empty()) tags.emplace("msgid", line.id);
        if (line.clientTags) tags.insert(line.clientTags->begin(), line.clientTags->end());
    }
    enqueue(to, tagText(tags) + line.text + "\r\n");
}

void Floor::enqueue(Client& to, std::string_view text) {
    if (to.gone) return;
    if (to.output.size() + text.size() > settings.limits.sendQueueHard) {
        if (!to.doomed) ++counters.overflown;
        return doom(to, "SendQ exceeded");
    }
    if (to.output.empty()) {
        to.progress = clock.steady();
        arm(to, to.progress + settings.limits.stalled);
    }
    to.output += text;
    touch(to);
}

void Floor::touch(Client& client) {
    if (client.touched) return;
    client.touched = true;
    touched.push_back(client.id);
}

void Floor::tell(const Channel& channel, const Line& line, ConnectionId except) {
    for (const auto& [id, member] : channel.members) {
        if (id == except) continue;
        if (Client* client = find(id)) send(*client, line);
    }
}

void Floor::tellFriends(const Client& client, const Line& line) {
    std::set<ConnectionId> told{client.id};
    for (const std::string& name : client.channels) {
        for (const auto& [id, member] : channels.at(name).members) {
            if (!told.insert(id).second) continue;
            if (Client* other = find(id)) send(*other, line);
        }
    }
}

std::string Floor::freshMessageId() {
    return messagePrefix_ + "-" + std::to_string(++lastMessage_);
}

void Floor::beginAnswer(Client& client, const std::string& label) {
    speaking_ = client.id;
    client.capture.reset();
    if (!label.empty()) client.capture = Capture{label};
}

void Floor::endAnswer(Client& client) {
    const bool more = client.waiting != Client::Waiting::Nothing || client.listing;
    if (client.capture && !more) {
        const Capture capture = std::move(*client.capture);
        client.capture.reset();
        if (capture.held) {
            write(client, *capture.held, {{"label", capture.label}});
        } else if (!capture.batch.empty()) {
            write(client, {writeMessage(settings.serverName, "BATCH", {"-" + capture.batch})}, {});
        } else {
            write(client, {writeMessage(settings.serverName, "ACK", {})}, {{"label", capture.label}});
        }
    }
    speaking_ = 0;
}

void Floor::join(Client& client, Channel& channel, bool op) {
    channel.members[client.id] = Member{op, false};
    client.channels.insert(fold(channel.name));
    channel.invited.erase(client.id);
    client.invitedTo.erase(fold(channel.name));
}

void Floor::part(Client& client, std::string folded) {
    client.channels.erase(folded);
    const auto found = channels.find(folded);
    if (found == channels.end()) return;
    found->second.members.erase(client.id);
    if (!found->second.members.empty() || found->second.lasting) return;
    for (const ConnectionId id : found->second.invited) {
        if (Client* invited = find(id)) invited->invitedTo.erase(folded);
    }
    channels.erase(found);
}

void Floor::setNick(Client& client, const std::string& nick) {
    if (!client.nick.empty()) nicks.erase(fold(client.nick));
    client.nick = nick;
    nicks[fold(nick)] = client.id;
}

void Floor::doom(Client& client, std::string_view reason) {
    if (client.doomed) return;
    client.doomed = true;
    doomed_.emplace_back(client.id, reason);
}

void Floor::sweep() {
    // Leaving tells others, and one of them may overflow by that: the list grows while it is walked.
    for (std::size_t i = 0; i < doomed_.size(); ++i) {
        const auto [id, reason] = doomed_[i];
        if (Client* client = find(id)) leave(*client, reason);
    }
    doomed_.clear();
}

void Floor::leave(Client& client, const std::string& reason) {
    if (steward) steward->forget(client.id);
    if (client.registered) ++comings;
    if (client.registered) tellFriends(client, lineFrom(client, "QUIT", {reason}, true));
    while (!client.channels.empty()) part(client, *client.channels.begin());
    for (const std::string& name : client.invitedTo) {
        if (Channel* channel = this->channel(name)) channel->invited.erase(client.id);
    }
    client.invitedTo.clear();
    const auto nick = nicks.find(fold(client.nick));
    if (nick != nicks.end() && nick->second == client.id) nicks.erase(nick);
    if (!client.registered) ++counters.notRegistered;
    const std::string last =
        writeMessage("", "ERROR", {"Closing Link: " + client.nickOrStar() + " (" + reason + ")"}, true);
    // A client that is full has no room for a last word either; it would come in the middle of a line.
    if (client.output.size() + last.size() + 2 > settings.limits.sendQueueHard) {
        client.output.clear();
    } else {
        client.output += last + "\r\n";
    }
    client.gone = true;
    client.sasl.reset();
    client.capture.reset();
    client.listing.reset();
    client.input.clear();
    client.endBy = clock.steady() + kLinger;
    arm(client, client.endBy);
    touch(client);
}

void Floor::remove(ConnectionId id, std::string_view why) {
    const auto found = clients.find(id);
    if (found == clients.end()) return;
    Client& client = *found->second;
    if (!client.gone) {
        doom(client, why);
        sweep();
    }
    timers.erase({client.timer, id});
    const auto counted = perAddress.find(client.peer.countedAs);
    if (counted != perAddress.end() && --counted->second == 0) perAddress.erase(counted);
    clients.erase(found);
}

void Floor::arm(Client& client, SteadyTime when) {
    if (client.timer <= when) return;
    timers.erase({client.timer, client.id});
    client.timer = when;
    timers.emplace(when, client.id);
}

std::string serverTime(WallTime time) {
    const std::string seconds = formatUtc(time);
    char millis[8];
    std::snprintf(millis, sizeof millis, ".%03dZ", static_cast<int>(((toMillis(time) % 1000) + 1000) % 1000));
    return seconds.substr(0, seconds.size() - 1) + millis;
}

std::string joined(const std::vector<std::string>& words, char between) {
    std::string out;
    for (const std::string& word : words) {
        if (!out.empty()) out += between;
        out += word;
    }
    return out;
}

}  // namespace postern::chat
