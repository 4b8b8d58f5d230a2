// From the connection to 001 (RFC 2812 3.1, IRCv3 capability negotiation): nothing that is refused changes
// anything.

#include <algorithm>

#include "base/digest.h"
#include "base/text.h"
#include "connector/chat/commands.h"
#include "connector/chat/mail_board.h"
#include "connector/chat/names.h"
#include "connector/chat/steward.h"

namespace postern::chat {

namespace {

std::string mechanisms(const Client& client) {
    return client.peer.mayPlain ? "PLAIN,SCRAM-SHA-256" : "SCRAM-SHA-256";
}

void capReply(Floor& floor, Client& client, std::string_view verb, std::string_view list) {
    floor.fromServer(client, "CAP", {client.nickOrStar(), std::string(verb), std::string(list)});
}

void capList(Floor& floor, Client& client, const Message& message) {
    const auto version = parseInt(message.parameter(1));
    if (!client.registered) client.capsOpen = true;
    if (version && *version >= 302) {
        client.version302 = true;
        client.caps.set(Cap::CapNotify);
    }
    capReply(floor, client, "LS", offeredCaps(client.version302 ? mechanisms(client) : ""));
}

void capRequest(Floor& floor, Client& client, const Message& message) {
    if (!client.registered) client.capsOpen = true;
    const std::string& wanted = message.parameter(1);
    const auto next = requestedCaps(client.caps, wanted, client.version302);
    // Said as it was before: the answer to "-server-time" has no time any more, that to "server-time" may.
    if (next) client.caps = *next;
    capReply(floor, client, next ? "ACK" : "NAK", wanted);
}

std::vector<std::string> supported(const Floor& floor) {
    const Limits& limits = floor.settings.limits;
    const auto with = [](const char* name, std::size_t value) { return name + std::to_string(value); };
    const std::string targets = std::to_string(limits.targets);
    return {with("AWAYLEN=", limits.reason),
            "CASEMAPPING=ascii",
            with("CHANLIMIT=#:", limits.channels),
            "CHANMODES=b,k,l,imnst",
            with("CHANNELLEN=", limits.channel),
            "CHANTYPES=#",
            "ELIST=CMNTU",
            with("KEYLEN=", limits.key),
            with("KICKLEN=", limits.reason),
            with("MAXLIST=b:", limits.bans),
            "MODES=20",
            "NETWORK=" + floor.settings.network,
            with("NICKLEN=", limits.nick),
            "PREFIX=(ov)@+",
            "TARGMAX=INVITE:1,JOIN:,KICK:" + targets + ",LIST:,NAMES:" + targets + ",NOTICE:" + targets +
                ",PART:,PRIVMSG:" + targets + ",TAGMSG:" + targets + ",WHOIS:1",
            with("TOPICLEN=", limits.topic),
            with("USERLEN=", limits.user),
            "UTF8ONLY",
            "WHOX"};
}

void saySupported(Floor& floor, Client& client) {
    constexpr std::size_t kTokens = 13;  // of one line: 15 parameters with the nick and the text
    const std::vector<std::string> tokens = supported(floor);
    for (std::size_t i = 0; i < tokens.size(); i += kTokens) {
        const auto begin = tokens.begin() + static_cast<std::ptrdiff_t>(i);
        const auto end = begin + static_cast<std::ptrdiff_t>(std::min(kTokens, tokens.size() - i));
        floor.reply(client, Numeric::Support, {begin, end});
    }
}

void welcome(Floor& floor, Client& client) {
    const Settings& settings = floor.settings;
    floor.reply(client, Numeric::Welcome, {},
                "Welcome to the " + settings.network + " chat " + client.mask());
    floor.reply(client, Numeric::YourHost, {},
                "Your host is " + settings.serverName + ", running version " + settings.version);
    floor.reply(client, Numeric::Created, {}, "This server was started " + formatRfc5322(floor.started));
    floor.reply(client, Numeric::MyInfo,
                {settings.serverName, settings.version, "io", "bklimnostv", "bklov"});
    saySupported(floor, client);
    onLusers(floor, client, {});
    onMotd(floor, client, {});
}

}  // namespace

void onCap(Floor& floor, Client& client, const Message& message) {
    const std::string verb = upperAscii(message.parameter(0));
    if (verb == "LS") return capList(floor, client, message);
    if (verb == "LIST") return capReply(floor, client, "LIST", capNames(client.caps));
    if (verb == "REQ") return capRequest(floor, client, message);
    if (verb != "END") return floor.reply(client, Numeric::InvalidCapCommand, {message.parameter(0)});
    client.capsOpen = false;
    // Who goes on without finishing its log-on gives it up (IRCv3 sasl-3.1).
    if (!client.registered && client.sasl) {
        client.sasl.reset();
        floor.reply(client, Numeric::SaslAborted);
    }
    tryRegister(floor, client);
}

void onPass(Floor& floor, Client& client, const Message& message) {
    if (client.registered) return floor.reply(client, Numeric::AlreadyRegistered);
    client.passwordGood = equalConstantTime(message.parameter(0), floor.settings.password);
}

void onNick(Floor& floor, Client& client, const Message& message) {
    const std::string& wanted = message.parameter(0);
    if (wanted.empty()) return floor.reply(client, Numeric::NoNicknameGiven);
    if (!validNick(wanted, floor.settings.limits.nick))
        return floor.reply(client, Numeric::ErroneousNickname, {wanted});
    const auto owner = floor.nicks.find(fold(wanted));
    const bool ours = floor.steward != nullptr && floor.steward->is(wanted);
    if (ours || (owner != floor.nicks.end() && owner->second != client.id)) {
        ++floor.counters.nickInUse;
        return floor.reply(client, Numeric::NicknameInUse, {wanted});
    }
    if (wanted == client.nick) return;
    if (client.registered) {
        const Line line = floor.lineFrom(client, "NICK", {wanted});
        floor.send(client, line);
        floor.tellFriends(client, line);
    }
    floor.setNick(client, wanted);
    tryRegister(floor, client);
}

void onUser(Floor& floor, Client& client, const Message& message) {
    if (client.registered) return floor.reply(client, Numeric::AlreadyRegistered);
    if (message.parameter(0).empty() || message.parameter(3).empty())
        return floor.reply(client, Numeric::NeedMoreParams, {"USER"});
    const std::string_view user =
        std::string_view(message.parameter(0)).substr(0, floor.settings.limits.user);
    if (!validUser(user)) return floor.reply(client, Numeric::InvalidUsername);
    client.user = user;
    client.realName = cutUtf8(message.parameter(3), floor.settings.limits.realName);
    tryRegister(floor, client);
}

void tryRegister(Floor& floor, Client& client) {
    const bool busy = client.sasl || client.waiting != Client::Waiting::Nothing;
    if (client.registered || client.doomed || client.capsOpen || busy) return;
    if (client.nick.empty() || client.user.empty()) return;
    if (!floor.settings.password.empty() && !client.passwordGood) {
        ++floor.counters.wrongPasswords;
        floor.reply(client, Numeric::PasswordMismatch);
        return floor.doom(client, "Bad password");
    }
    if (floor.settings.accountNeeded && client.account.empty()) {
        floor.fromServer(client, "FAIL",
                         {"*", "ACCOUNT_REQUIRED_TO_CONNECT", "Log on with SASL: AUTHENTICATE"});
        return floor.doom(client, "Log on with SASL first");
    }
    client.registered = true;
    client.signedOn = floor.clock.now();
    client.spoke = client.commandsPaid = client.bytesPaid = floor.clock.steady();
    ++floor.counters.registered;
    ++floor.comings;
    floor.mostRegistered = std::max(floor.mostRegistered, floor.registeredNow());
    welcome(floor, client);
    if (floor.board != nullptr) floor.board->welcome(client);
}

}  // namespace postern::chat
