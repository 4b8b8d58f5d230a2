#pragma once
// Inside of hall.h: the state, and how things are said to clients. The commands are in commands.h.
//
// F1 enqueueing never ends a connection: doom() writes it down, sweep() carries it out when the turn is over.
// F2 leave() takes a client out of every list that knows it; remove() of the rest when its socket is gone.
// F3 references to clients and channels hold for a turn at most, and no channel lives without a member unless
//    it is lasting.

#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "connector/chat/hall.h"
#include "connector/chat/message.h"
#include "connector/chat/numerics.h"
#include "connector/chat/tries.h"

namespace postern::chat {

class MailBoard;
class Steward;

class Floor {
  public:
    Floor(Settings theSettings, Clock& theClock, std::shared_ptr<Tries> theWrongTries);
    ~Floor();

    const Settings settings;
    Clock& clock;
    const WallTime started;
    Counters counters;

    // --- who is there
    std::unordered_map<ConnectionId, std::unique_ptr<Client>> clients;
    std::map<std::string, ConnectionId> nicks;  // folded; also of clients that have not had 001
    std::map<std::string, Channel> channels;    // folded
    std::size_t mostRegistered = 0;
    std::unique_ptr<Steward> steward;  // null: there is no channel of the queue
    std::unique_ptr<MailBoard> board;  // null: no mail comes here
    std::uint64_t comings = 0;         // of accounts, and goings
    std::uint64_t lastReplay = 0;

    Client* find(ConnectionId id);
    Client* byNick(std::string_view nick);  // registered ones only
    Channel* channel(std::string_view name);
    std::size_t registeredNow() const;
    bool share(const Client& a, const Client& b) const;  // a channel
    bool mayOperate(const Client& client, const Channel& channel) const;
    // The service tells something there, by itself: events, mail.
    bool speaksIn(const Channel& channel) const;

    // --- saying something
    // `text`: instead of the table's.
    void reply(Client& to, Numeric numeric, std::vector<std::string> parameters = {},
               std::string_view text = {});
    // The server's own lines: CAP, AUTHENTICATE, FAIL, PONG; the last parameter always with ":".
    void fromServer(Client& to, std::string_view command, const std::vector<std::string>& parameters);
    Line lineFrom(const Client& from, std::string_view command, const std::vector<std::string>& parameters,
                  bool colon = false) const;
    // `answer`: part of what is said in answer to the client's own command, if one of its is being carried
    // out.
    void send(Client& to, const Line& line, bool answer = true);
    // To all members but `except`.
    void tell(const Channel& channel, const Line& line, ConnectionId except = 0);
    // To each client that shares a channel with it, once, and not to itself.
    void tellFriends(const Client& client, const Line& line);
    std::string freshMessageId();

    // --- a command's turn
    void beginAnswer(Client& client, const std::string& label);
    void resumeAnswer(Client& client) { speaking_ = client.id; }
    // Unless it still waits for something.
    void endAnswer(Client& client);

    // --- coming and going
    void join(Client& client, Channel& channel, bool op);
    // Out of the channel; the channel may be gone afterwards.
    void part(Client& client, std::string folded);  // by value: it may be the one that is erased
    void setNick(Client& client, const std::string& nick);
    void doom(Client& client, std::string_view reason);
    void sweep();
    void remove(ConnectionId id, std::string_view why);

    // --- time
    void arm(Client& client, SteadyTime when);  // looked at by then
    std::set<std::pair<SteadyTime, ConnectionId>> timers;

    std::map<std::string, std::size_t> perAddress;
    Tries newConnections;
    const std::shared_ptr<Tries> keptTries;
    Tries& wrongTries;
    Barred barred;
    std::vector<Try> tries;
    std::vector<std::pair<ConnectionId, accounts::LogOnQuestion>> questions;
    std::unordered_map<ConnectionId, Peer>
        asking;  // until the desk answers, also of connections that are gone
    std::vector<ConnectionId> touched;

  private:
    void capture(Client& to, const Line& line);
    void write(Client& to, const Line& line, Tags tags);
    void enqueue(Client& to, std::string_view text);
    void touch(Client& client);
    void leave(Client& client, const std::string& reason);

    ConnectionId speaking_ = 0;  // whose command is being carried out
    std::uint64_t lastBatch_ = 0, lastMessage_ = 0;
    std::string messagePrefix_;
    std::vector<std::pair<ConnectionId, std::string>> doomed_;
};

// "2026-11-22T12:34:56.789Z" (IRCv3 server-time).
std::string serverTime(WallTime time);
std::string joined(const std::vector<std::string>& words, char between);

}  // namespace postern::chat
