#pragma once
// The front door's sockets: every listener and every session on one event loop. The sessions are pure state
// machines (smtp_session.h); here are the bytes, the limits on how many there are, and the clock.
//
// Thread rule: any thread, but start() and stop() once each, in this order.

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "connector/config/config.h"
#include "connector/intake/door.h"

namespace postern::intake {

struct IntakeCounters {
    std::int64_t open = 0;       // sessions now
    std::int64_t accepted = 0;   // sessions since the start
    std::int64_t refused = 0;    // connections turned away by a limit
    std::int64_t tlsFailed = 0;  // TLS handshakes that came to nothing
};

class IntakeServer {
  public:
    static constexpr int kSessions = 2000;

    // REQUIRES: `door` and `clock` outlive the server.
    IntakeServer(Door& door, Clock& clock, std::string hostname);
    ~IntakeServer();  // as stop() with a deadline that has passed

    // Binds every listener, then accepts. An error names the listener that can not be bound; none is open
    // then. A certificate that can not be loaded is logged; its listener says 454 to STARTTLS, and one with
    // implicit TLS has no session, until a reload brings a good one. All listeners together have at most
    // `sessions` sessions.
    Result<void> start(std::vector<config::Listener> listeners, int sessions = kSessions);

    // New sessions get the new settings, certificates are read again; running sessions keep what they began
    // with. A listener is known by its name; a changed address or socket is left as it is (the caller says
    // so), and so are listeners that are new or gone. Each problem is a certificate that can not be loaded:
    // the old one stays. Warnings are about certificates too. REQUIRES: after start().
    struct Reload {
        std::vector<config::Problem> problems, warnings;
    };
    Reload reload(const std::vector<config::Listener>& listeners, int sessions);

    // The listeners as they are bound: with the ports that the system chose for port 0.
    const std::vector<config::Listener>& bound() const;

    // Closes the listening sockets, says 421 to idle sessions, and to the others once their mail is over.
    void stopAccepting();

    // As stopAccepting(), then waits until the sessions are gone or `deadline` (of the clock) has passed,
    // ends those left with a 421, and joins the loop. A mail whose answer is still out is stored or refused
    // without its sender being told: it asks again (RFC 1047).
    void stop(SteadyTime deadline);

    IntakeCounters counters() const;

    // The loop has not been heard of for longer than its work can take (base/pulse.h).
    bool stuck() const;

    // Looks at the clock now. For tests, whose clock moves when they say so; the loop wakes by itself
    // otherwise.
    void tick();

  private:
    class Loop;
    std::unique_ptr<Loop> loop_;
};

}  // namespace postern::intake
