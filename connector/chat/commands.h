#pragma once
// Inside of hall.h: the commands in one list, and how each begins. Each function carries out one line of one
// client; who is to leave by it is doomed, not freed (floor.h, F1).

#include <string_view>

#include "connector/chat/floor.h"
#include "connector/chat/message.h"

namespace postern::chat {

struct Command {
    const char* name;
    std::size_t least;  // parameters; fewer are 461
    bool early;         // also before 001
    void (*run)(Floor& floor, Client& client, const Message& message);
};
const Command* findCommand(std::string_view name);  // upper case; null: there is none

// registration.cpp
void onCap(Floor& floor, Client& client, const Message& message);
void onNick(Floor& floor, Client& client, const Message& message);
void onPass(Floor& floor, Client& client, const Message& message);
void onUser(Floor& floor, Client& client, const Message& message);
void tryRegister(Floor& floor, Client& client);  // 001, when nothing is missing any more
// log_on.cpp
void onAuthenticate(Floor& floor, Client& client, const Message& message);
void onOper(Floor& floor, Client& client, const Message& message);
void onReply(Floor& floor, Client& client, const accounts::LogOnReply& reply);
// Of a try whose connection has ended: it counts all the same.
void onReplyTooLate(Floor& floor, const Peer& peer, const accounts::LogOnReply& reply);
// channels.cpp
void onInvite(Floor& floor, Client& client, const Message& message);
void onJoin(Floor& floor, Client& client, const Message& message);
void onKick(Floor& floor, Client& client, const Message& message);
void onPart(Floor& floor, Client& client, const Message& message);
void onTopic(Floor& floor, Client& client, const Message& message);
// channel_modes.cpp
void onMode(Floor& floor, Client& client, const Message& message);
// listings.cpp
void onList(Floor& floor, Client& client, const Message& message);
void onNames(Floor& floor, Client& client, const Message& message);
void sayNames(Floor& floor, Client& client, const Channel& channel);  // without the end
void goOnListing(Floor& floor, Client& client);  // until it is over or enough waits to be sent
// talk.cpp
void onAway(Floor& floor, Client& client, const Message& message);
void onNotice(Floor& floor, Client& client, const Message& message);
void onPrivmsg(Floor& floor, Client& client, const Message& message);
void onTagmsg(Floor& floor, Client& client, const Message& message);
// people.cpp
void onIson(Floor& floor, Client& client, const Message& message);
void onUserhost(Floor& floor, Client& client, const Message& message);
void onWho(Floor& floor, Client& client, const Message& message);
void onWhois(Floor& floor, Client& client, const Message& message);
// server_commands.cpp
void onInfo(Floor& floor, Client& client, const Message& message);
void onKill(Floor& floor, Client& client, const Message& message);
void onLusers(Floor& floor, Client& client, const Message& message);
void onMotd(Floor& floor, Client& client, const Message& message);
void onPing(Floor& floor, Client& client, const Message& message);
void onPong(Floor& floor, Client& client, const Message& message);
void onQuit(Floor& floor, Client& client, const Message& message);
void onTime(Floor& floor, Client& client, const Message& message);
void onVersion(Floor& floor, Client& client, const Message& message);

// "@+" before a nick: all of them with multi-prefix, else the highest.
std::string prefixes(const Client& to, const Member& member);
std::string_view cutReason(const Floor& floor, std::string_view text);

}  // namespace postern::chat
