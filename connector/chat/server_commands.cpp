// What is asked of the server itself, and what ends a connection: PING, QUIT, KILL, LUSERS, INFO and the
// like.

#include <algorithm>

#include "connector/chat/commands.h"
#include "connector/chat/names.h"

namespace postern::chat {

namespace {

// Whether a target of INFO, TIME or VERSION means us: our name, a mask of it, or anybody who is here.
bool meansUs(Floor& floor, const std::string& target) {
    return target.empty() || fitsMask(target, floor.settings.serverName) || floor.byNick(target) != nullptr;
}

std::string shown(std::size_t number) {
    return std::to_string(number);
}

}  // namespace

void onPing(Floor& floor, Client& client, const Message& message) {
    if (message.parameter(0).empty()) return floor.reply(client, Numeric::NoOrigin);
    floor.fromServer(client, "PONG", {floor.settings.serverName, message.parameter(0)});
}

// Any whole line shows that a client is there; the token is not looked at.
void onPong(Floor&, Client&, const Message&) {}

void onQuit(Floor& floor, Client& client, const Message& message) {
    const std::string reason(cutReason(floor, message.parameter(0)));
    floor.doom(client, reason.empty() ? "Quit" : "Quit: " + reason);
}

void onKill(Floor& floor, Client& client, const Message& message) {
    if (!client.oper) return floor.reply(client, Numeric::NoPrivileges);
    Client* victim = floor.byNick(message.parameter(0));
    if (victim == nullptr) return floor.reply(client, Numeric::NoSuchNick, {message.parameter(0)});
    const std::string reason(cutReason(floor, message.parameter(1)));
    floor.send(*victim, floor.lineFrom(client, "KILL", {victim->nick, reason}, true));
    // Who killed is told that it was done (Q180397).
    floor.fromServer(client, "NOTICE", {client.nick, victim->nick + " (" + victim->mask() + ") was killed"});
    floor.doom(*victim, "Killed (" + client.nick + " (" + reason + "))");
}

void onLusers(Floor& floor, Client& client, const Message&) {
    std::size_t registered = 0, invisible = 0, opers = 0, unknown = 0;
    for (const auto& [id, each] : floor.clients) {
        if (each->gone || each->doomed) continue;
        ++(each->registered ? registered : unknown);
        invisible += each->registered && each->invisible ? 1 : 0;
        opers += each->oper ? 1 : 0;
    }
    const std::string now = shown(registered), most = shown(floor.mostRegistered);
    floor.reply(client, Numeric::LuserClient, {},
                "There are " + shown(registered - invisible) + " users and " + shown(invisible) +
                    " invisible on 1 servers");
    floor.reply(client, Numeric::LuserOp, {shown(opers)});
    floor.reply(client, Numeric::LuserUnknown, {shown(unknown)});
    floor.reply(client, Numeric::LuserChannels, {shown(floor.channels.size())});
    floor.reply(client, Numeric::LuserMe, {}, "I have " + now + " clients and 0 servers");
    floor.reply(client, Numeric::LocalUsers, {now, most}, "Current local users " + now + ", max " + most);
    floor.reply(client, Numeric::GlobalUsers, {now, most}, "Current global users " + now + ", max " + most);
}

void onMotd(Floor& floor, Client& client, const Message&) {
    floor.reply(client, Numeric::NoMotd);
}

void onInfo(Floor& floor, Client& client, const Message& message) {
    const std::string& target = message.parameter(0);
    if (!meansUs(floor, target)) return floor.reply(client, Numeric::NoSuchServer, {target});
    floor.reply(client, Numeric::Info, {},
                floor.settings.version + ", a mail gateway's chat for its operators");
    floor.reply(client, Numeric::Info, {}, "Running since " + formatRfc5322(floor.started));
    floor.reply(client, Numeric::EndOfInfo);
}

void onTime(Floor& floor, Client& client, const Message& message) {
    const std::string& target = message.parameter(0);
    if (!meansUs(floor, target)) return floor.reply(client, Numeric::NoSuchServer, {target});
    floor.reply(client, Numeric::Time, {floor.settings.serverName}, formatRfc5322(floor.clock.now()));
}

void onVersion(Floor& floor, Client& client, const Message& message) {
    const std::string& target = message.parameter(0);
    if (!meansUs(floor, target)) return floor.reply(client, Numeric::NoSuchServer, {target});
    floor.reply(client, Numeric::Version, {floor.settings.version, floor.settings.serverName},
                floor.settings.network);
}

}  // namespace postern::chat
