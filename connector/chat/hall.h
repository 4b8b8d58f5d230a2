#pragma once
// The chat as a pure machine: bytes of clients go in, bytes for clients come out, and time is a clock that is
// asked. No socket, no thread, no lock; passwords are decided elsewhere and the answers brought in by id, so
// that a client may vanish meanwhile.
//
// Each call is one turn. Whoever is to leave in it (QUIT, KILL, too much unsent) leaves when the turn ends,
// so that nobody is freed while lists are walked.
//
//   connected ─▶ NICK, USER, CAP and AUTHENTICATE in any order ─▶ registered (001) ─▶ gone ─▶ disconnect()
//
// A refused NICK changes nothing (Q178627). Before 001 PASS, NICK, USER, CAP, AUTHENTICATE, PING, PONG and
// QUIT are carried out, all else is 451. While a password is decided the client's later lines wait.
//
// Silence (Q233512) is measured from the last whole line a client sent, and from nothing else: two PINGs,
// then the end. A client that we ourselves do not read is not silent.
//
// Thread rule: one thread.

#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "connector/accounts/log_on_desk.h"
#include "connector/admin/feed.h"
#include "connector/chat/mail_desk.h"
#include "connector/chat/model.h"
#include "connector/chat/order_desk.h"
#include "connector/chat/settings.h"
#include "connector/chat/tries.h"

namespace postern::chat {

class Floor;

struct Counters {
    std::int64_t connections = 0, refused = 0;  // since the start; refused by a limit
    std::int64_t registered = 0;                // since the start: had 001
    std::int64_t notRegistered = 0;             // ended before 001, for whatever reason
    std::int64_t nickInUse = 0, wrongPasswords = 0;
    std::int64_t barred = 0;  // tries that were refused unseen: too many were wrong lately
    std::int64_t commands = 0;
    std::int64_t silent = 0, overflown = 0, stalled = 0, late = 0;  // ended for that reason
};

// What is held now; all zero when nobody is there and no channel lasts.
struct Held {
    std::size_t clients = 0, nicks = 0, channels = 0, members = 0, invites = 0, addresses = 0, timers = 0,
                unregistered = 0, opers = 0, watchers = 0, orders = 0;
    bool operator==(const Held&) const = default;
};

// Tries to log on that were refused because too many were wrong lately.
struct Barred {
    std::int64_t tries = 0;
    std::string client, account{};  // of the last one; the account may not be known
};

// Wrong passwords lately: who is barred for them stays so whatever becomes of a hall.
std::shared_ptr<Tries> triesOf(const Limits& limits);

class Hall {
  public:
    // REQUIRES: `clock` outlives the hall. `wrongTries` is used by one hall at a time; null: it has its own.
    Hall(Settings settings, Clock& clock, std::shared_ptr<Tries> wrongTries = nullptr);
    ~Hall();

    // Nothing: turned away by a limit (clients, of one address, new ones of one address).
    std::optional<ConnectionId> connect(Peer peer);
    // The socket is gone, or everything of a finished connection was sent. An id that is not known is no
    // error.
    void disconnect(ConnectionId id, std::string_view why);

    // How many bytes it may be given now; 0: do not read from it.
    std::size_t room(ConnectionId id) const;
    void receive(ConnectionId id, std::string_view bytes);

    // What is to be sent; empty for an id that is not known.
    std::string_view output(ConnectionId id) const;
    void sent(ConnectionId id, std::size_t bytes);
    // Once its output is sent the connection is to be closed, and disconnect() called.
    bool finished(ConnectionId id) const;
    // It is finished, and has had its time to take what was left: close it as it is.
    bool overdue(ConnectionId id) const;
    // Those for whom there is something new to send, or that finished; each once.
    std::vector<ConnectionId> takeTouched();

    // Questions for the log-on desk. At most one of each connection is out.
    std::vector<std::pair<ConnectionId, accounts::LogOnQuestion>> takeQuestions();
    // It counts whatever has become of the connection since.
    void answer(ConnectionId id, const accounts::LogOnReply& reply);
    // What came of tries to log on, since the last call; each once, also of connections that are gone.
    std::vector<Try> takeTries();
    // Those since the last call; they are not among the tries.
    Barred takeBarred();

    // What operators want done with the queue; settle() brings what came of it, tell() what happens there.
    // Nothing of this where settings.queue has no channel.
    std::vector<std::unique_ptr<const Order>> takeOrders();
    void settle(Outcome outcome);
    void tell(const admin::FeedEvent& event);
    void missed(std::int64_t events);  // happened, and can not be told any more

    // Mail for the people here; nothing of this where settings.mail is empty.
    void bring(const MailFound& mail);
    // Changes whenever accountsHere() may have changed.
    std::uint64_t comings() const;
    std::set<std::string, std::less<>> accountsHere() const;  // in lower case

    // When lookAtClock() has something to do next; it may find nothing to do.
    SteadyTime nextLook() const;
    void lookAtClock();

    // Tells everybody, and finishes all connections.
    void shutDown(std::string_view why);

    const Counters& counters() const;
    Held held() const;
    const Client* client(ConnectionId id) const;  // for logs and tests; null when there is none

  private:
    const std::unique_ptr<Floor> floor_;
};

}  // namespace postern::chat
