#pragma once
// The chat's sockets: listeners and connections on one event loop, around the hall (hall.h). It never touches
// the mail: what it shares with the rest are the accounts and the log. When its loop dies of an exception,
// that is logged, its connections end, and after a moment it begins anew on the same sockets.
//
// Thread rule: start() and stop() from one thread, all else from any.

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "connector/accounts/accounts.h"
#include "connector/admin/feed.h"
#include "connector/chat/hall.h"
#include "connector/chat/order_desk.h"
#include "connector/chat/presence.h"
#include "connector/chat/settings.h"
#include "net/tls_context.h"
#include "net/wire.h"

namespace postern::chat {

// One address or Unix socket to listen at.
struct Place {
    std::string name;  // for the log
    net::EarPlace at;
    std::shared_ptr<const net::TlsContext> tls{};  // null: in the clear
    admin::Role mostRole = admin::Role::Admin;     // the most that anybody may who comes this way
};

// What the channel of the queue stands on. Both may be called and read until the server has stopped.
struct Queue {
    OrderDesk::CarryOut carryOut{};        // empty: there is no such channel
    admin::Feed* feed = nullptr;           // null: nothing is told
    std::shared_ptr<Presence> presence{};  // told who is here, where there is mail for people; may be null
};

struct Figures {
    Counters counters;
    std::int64_t connected = 0, tlsFailed = 0;
    std::int64_t deaths = 0;  // of the loop, since the start
    std::string lastDeath{};  // why; empty: never
    bool running = false;     // false: not started, stopped, or between a death and the next beginning
    std::int64_t orders = 0;  // there are now (Q254282)
};

class ChatServer {
  public:
    // REQUIRES: the store behind `directory`, and `clock`, outlive the server.
    // `wrongTries`: of servers before this one, which have stopped; null: it begins with none.
    ChatServer(Settings settings, accounts::Directory directory, Clock& clock, Queue queue = {},
               std::shared_ptr<Tries> wrongTries = nullptr);
    ~ChatServer();  // stops

    // Binds all places, or none: an error names the place. Invalid: one is in the clear and neither of this
    // machine nor a Unix socket, so that others could listen.
    Result<void> start(std::vector<Place> places);
    // Tells everybody `why`, closes, and joins the loop.
    void stop(std::string why = "The service is shutting down");

    std::vector<int> ports() const;  // as bound, by place; 0 for a Unix socket
    Figures figures() const;
    bool stuck() const;  // the loop has not been heard of for too long (base/pulse.h)

    // There may be something new in the feed. Never waits. REQUIRES: start() has returned.
    void hint();
    // For new connections; those that are there keep what they have.
    void useTls(const std::string& place, std::shared_ptr<const net::TlsContext> tls);

    // Looks at the clock now. For tests, whose clock moves when they say so.
    void tick();
    // Called by the loop in each turn, and may throw. For tests. REQUIRES: before start().
    void disturb(std::function<void()> peril);

  private:
    class Loop;
    const std::unique_ptr<Loop> loop_;
};

}  // namespace postern::chat
