#pragma once
// Who is there and in which channels. Plain values: who changes them is floor.h. Channels hold ids, never
// pointers; an id is never given to a second connection. Thread rule: the chat's one thread.

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/clock.h"
#include "connector/accounts/accounts.h"
#include "connector/accounts/scram.h"
#include "connector/admin/role.h"
#include "connector/chat/capabilities.h"
#include "connector/chat/line_buffer.h"

namespace postern::chat {

using ConnectionId = std::uint64_t;

// The other side of a connection, as the sockets know it.
struct Peer {
    std::string name = "local";  // for logs: "192.0.2.1:4711"
    std::string host = "local";  // shown to others: an address, or "local"
    std::string countedAs{};     // connections with the same are one client's; empty: not counted
    bool loopback = true;        // this machine
    bool mayPlain = true;        // nobody can overhear a password
    admin::Role mostRole = admin::Role::Admin;  // the most that anybody may who comes this way
};

// A try to log on, for the log.
struct Try {
    bool good = false;
    std::string client{}, account{};  // the account may not be known
};

// One line to be sent, and what tags may go with it.
struct Line {
    std::string text{};     // without tags and end
    std::string account{};  // of whom it is from; empty: none
    std::string id{};       // of a message; empty: it has none
    std::shared_ptr<const std::map<std::string, std::string>> clientTags{};  // names with "+"
    std::optional<WallTime> at{};                                            // of the past: when it was
    std::string batch{};                                                     // it stands in; empty: none
};

// What is said in answer to a command with a label (IRCv3 labeled-response): one line bears the label itself,
// more stand in a batch that is opened with the second.
struct Capture {
    std::string label;
    std::string batch{};  // open; empty: not yet
    std::optional<Line> held{};
};

// An answer too long to be written at once.
struct Listing {
    enum class Kind { Channels, Names };
    Kind kind = Kind::Channels;
    std::vector<std::string> channels;  // folded
    std::size_t next = 0;
};

// An AUTHENTICATE exchange.
struct SaslExchange {
    enum class Step { Plain, ScramFirst, ScramLast, ScramDone };
    Step step = Step::Plain;
    std::string received{};  // base64, as far as it has come
    std::shared_ptr<accounts::ScramServer> scram{};
    std::string account{};  // ScramDone: proven
    accounts::Roles roles{};
};

struct Client {
    ConnectionId id = 0;
    Peer peer;

    // The connection.
    LineBuffer input;
    std::string output;                        // not sent yet
    SteadyTime progress;                       // when output last became shorter, or began
    SteadyTime connected, heard;               // heard: the last whole line came, and nothing else
    SteadyTime pinged;                         // the last of `pings`
    int pings = 0;                             // since then
    SteadyTime timer = SteadyTime::max();      // when it is looked at
    std::size_t linesSeen = 0, bytesSeen = 0;  // before 001
    SteadyTime commandsPaid, bytesPaid;        // up to when its commands and bytes are paid for
    bool doomed = false;                       // leaves at the end of this turn
    bool gone = false;                         // has left; the rest of the output is still to be sent
    SteadyTime endBy;                          // gone: then the rest is given up
    bool touched = false;                      // has something new for the sockets

    // Who it is.
    std::string nick, user, realName;  // empty: not said yet
    std::string account;               // empty: not logged on
    accounts::Roles roles;
    Caps caps;
    bool capsOpen = false, version302 = false, passwordGood = false;
    bool registered = false;  // has had 001
    std::optional<SaslExchange> sasl;
    enum class Waiting { Nothing, Sasl, Oper } waiting = Waiting::Nothing;  // for the log-on desk
    int wrongTries = 0;

    std::string away;  // empty: here
    bool invisible = false, oper = false;
    std::set<std::string> channels, invitedTo;  // folded
    WallTime signedOn;
    SteadyTime spoke;

    std::optional<Capture> capture;
    std::optional<Listing> listing;

    const std::string& nickOrStar() const;
    std::string mask() const;  // "nick!user@host"
};

struct Member {
    bool op = false, voice = false;
};

struct Ban {
    std::string mask, by;
    WallTime at;
};

struct Channel {
    std::string name;  // as the first one wrote it
    WallTime created;
    bool lasting = false;
    std::string topic, topicBy;
    WallTime topicAt;
    bool inviteOnly = false, moderated = false, noExternal = true, secret = false, topicLocked = true;
    std::string key;        // empty: none
    std::size_t limit = 0;  // 0: none
    std::vector<Ban> bans;
    std::map<ConnectionId, Member> members;
    std::set<ConnectionId> invited;

    const Member* member(ConnectionId id) const;  // null: not in it
    bool bars(const std::string& who) const;      // by a ban; `who`: a whole mask
};

}  // namespace postern::chat
