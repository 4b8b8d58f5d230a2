#include "connector/chat/commands.h"

#include <algorithm>
#include <array>

#include "base/text.h"

namespace postern::chat {

namespace {

// By name: looked up in halves.
constexpr std::array kCommands = {
    Command{"AUTHENTICATE", 1, true, onAuthenticate},
    Command{"AWAY", 0, false, onAway},
    Command{"CAP", 1, true, onCap},
    Command{"INFO", 0, false, onInfo},
    Command{"INVITE", 0, false, onInvite},
    Command{"ISON", 1, false, onIson},
    Command{"JOIN", 1, false, onJoin},
    Command{"KICK", 2, false, onKick},
    Command{"KILL", 1, false, onKill},
    Command{"LIST", 0, false, onList},
    Command{"LUSERS", 0, false, onLusers},
    Command{"MODE", 1, false, onMode},
    Command{"MOTD", 0, false, onMotd},
    Command{"NAMES", 0, false, onNames},
    Command{"NICK", 0, true, onNick},
    Command{"NOTICE", 0, false, onNotice},
    Command{"OPER", 2, false, onOper},
    Command{"PART", 1, false, onPart},
    Command{"PASS", 1, true, onPass},
    Command{"PING", 0, true, onPing},
    Command{"PONG", 0, true, onPong},
    Command{"PRIVMSG", 0, false, onPrivmsg},
    Command{"QUIT", 0, true, onQuit},
    Command{"TAGMSG", 0, false, onTagmsg},
    Command{"TIME", 0, false, onTime},
    Command{"TOPIC", 1, false, onTopic},
    Command{"USER", 4, true, onUser},
    Command{"USERHOST", 1, false, onUserhost},
    Command{"VERSION", 0, false, onVersion},
    Command{"WHO", 0, false, onWho},
    Command{"WHOIS", 0, false, onWhois},
};

}  // namespace

const Command* findCommand(std::string_view name) {
    const auto found = std::lower_bound(kCommands.begin(), kCommands.end(), name,
                                        [](const Command& command, std::string_view wanted) {
                                            return std::string_view(command.name) < wanted;
                                        });
    return found != kCommands.end() && found->name == name ? &*found : nullptr;
}

std::string prefixes(const Client& to, const Member& member) {
    if (!member.op) return member.voice ? "+" : "";
    return member.voice && to.caps.has(Cap::MultiPrefix) ? "@+" : "@";
}

std::string_view cutReason(const Floor& floor, std::string_view text) {
    return cutUtf8(text, floor.settings.limits.reason);
}

}  // namespace postern::chat
