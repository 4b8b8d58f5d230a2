#pragma once
// Inside of listener.h: the event loop and what it holds. Everything but the atomics, the mailbox and the
// poller's wake() belongs to the loop's thread once it runs.

#include <algorithm>
#include <atomic>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <unordered_map>
#include <utility>
#include <variant>
#include <vector>

#include "base/poller.h"
#include "base/pulse.h"
#include "base/sync.h"
#include "connector/intake/listener.h"
#include "connector/intake/smtp_session.h"
#include "net/wire.h"

namespace postern::intake {

using Token = std::uint64_t;

// What other threads leave for the loop. It outlives the loop as long as answers are out.
class Mailbox {
  public:
    using Letters = std::vector<std::pair<Token, std::variant<Answer, LogOnAnswer>>>;

    void open(Poller* poller) {
        MutexLock lock(mutex_);
        poller_ = poller;
    }
    void post(Token token, std::variant<Answer, LogOnAnswer> answer) {
        MutexLock lock(mutex_);
        if (poller_ == nullptr) return;
        letters_.emplace_back(token, std::move(answer));
        if (letters_.size() == 1) poller_->wake();
    }
    void take(Letters& into) {
        into.clear();
        MutexLock lock(mutex_);
        into.swap(letters_);
    }

  private:
    Mutex mutex_;
    Poller* poller_ GUARDED_BY(mutex_) = nullptr;
    Letters letters_ GUARDED_BY(mutex_);
};

// What a listener's new sessions get. Swapped whole by a reload; a session holds the one it began with.
struct GateSettings {
    config::Listener config;
    std::shared_ptr<const net::TlsContext> tls;  // null: none, or it could not be loaded
};

struct Gate {
    std::shared_ptr<const GateSettings> settings;
    std::optional<net::Ear> ear;
    Token token = 0;
    std::int64_t sessions = 0;
    std::unordered_map<std::string, int> perAddress;
    std::optional<SteadyTime> pausedUntil;
};

struct Connection {
    Connection(net::Wire theWire, std::string theCountedAs, Gate& theGate, SmtpSession theSession)
        : wire(std::move(theWire)),
          countedAs(std::move(theCountedAs)),
          gate(theGate),
          settings(theGate.settings),
          session(std::move(theSession)) {}

    net::Wire wire;
    std::string countedAs;  // empty: not counted by address
    Gate& gate;
    std::shared_ptr<const GateSettings> settings;  // the session refers to them
    SmtpSession session;
    bool watchesRead = true, watchesWrite = false;
    std::optional<net::Handshake> handshake;  // under way: what it waits for
    // Closed by us: when the replies are sent the other side is told so, and what it still sends is read and
    // dropped until it closes too. A socket closed with unread input would take the last reply back.
    std::optional<SteadyTime> endBy;
    bool sendingEnded = false;
    std::int64_t lingered = 0;
};

class IntakeServer::Loop {
  public:
    Loop(Door& door, Clock& clock, std::string hostname)
        : door_(door),
          clock_(clock),
          hostname_(std::move(hostname)),
          buffer_(64 * 1024, '\0'),
          pulse_(clock) {}
    ~Loop() { stop(SteadyTime::min()); }

    Result<void> start(std::vector<config::Listener> listeners, int sessions);
    Reload reload(const std::vector<config::Listener>& listeners, int sessions);
    void stopAccepting() {
        closing_ = true;
        tick();
    }
    void stop(SteadyTime deadline);
    void tick() {
        if (poller_) poller_->wake();
    }

    const std::vector<config::Listener>& bound() const { return bound_; }
    bool stuck() const { return !stopping_ && thread_.joinable() && pulse_.look() != Pulse::Life::Well; }
    IntakeCounters counters() const { return {open_, accepted_, refused_, tlsFailed_}; }

  private:
    using Connections = std::unordered_map<Token, Connection>;

    Now now() const { return {clock_.now(), clock_.steady()}; }
    Result<void> openGate(const config::Listener& listener);
    std::shared_ptr<const net::TlsContext> makeTls(const config::Listener& listener, Reload& into) const;
    void takeSettings();

    void run();
    bool over();
    Millis untilNextLook() const;
    void onEvent(const Poller::Ready& event);
    void acceptAt(Gate& gate);
    void admit(Gate& gate, net::Accepted accepted);
    void refuse(Gate& gate, net::Accepted accepted, const char* limit);
    void closeGates();

    void onReadable(Token token, Connection& connection);
    bool readSome(Connection& connection);
    void beginTls(Token token, Connection& connection);
    void shakeHands(Token token, Connection& connection);
    void handshakeFailed(Connection& connection, const std::string& why);
    void readHeld();
    bool lingerOn(Connection& connection);
    void bringAnswers();
    void settle(Token token, Connection& connection);
    bool sendReplies(Connection& connection);
    void watch(Token token, Connection& connection);
    void confirmTaken(Connection& connection);
    void forget(Token token);
    void lookAtClock();
    void giveBackMemory();
    void lookBy(SteadyTime when) { nextLook_ = std::min(nextLook_, when); }

    Door& door_;
    Clock& clock_;
    const std::string hostname_;
    std::string buffer_;
    Pulse pulse_;
    std::unique_ptr<Poller> poller_;
    std::shared_ptr<Mailbox> mailbox_ = std::make_shared<Mailbox>();
    Mailbox::Letters letters_;
    std::vector<std::unique_ptr<Gate>> gates_;  // the list itself is fixed by start()
    std::vector<config::Listener> bound_;
    std::vector<Token> held_;  // have input that only TLS knows of: to be read in the next turn
    Connections connections_;
    Token lastToken_ = 0;
    // No session is due before this: activity only moves deadlines back, so the sessions are walked when it
    // passes, and not for every byte.
    SteadyTime nextLook_ = SteadyTime::max();
    bool gatesClosed_ = false;
    std::int64_t mostOpen_ = 0;  // since memory was last given back

    std::atomic<bool> closing_{false};
    std::atomic<bool> stopping_{false};
    std::atomic<SteadyTime::rep> stopBy_{0};
    std::atomic<std::int64_t> open_{0}, accepted_{0}, refused_{0}, tlsFailed_{0};
    std::atomic<int> mostSessions_{kSessions};
    Mutex reloadMutex_;
    // By gate, in order; what reload() leaves for the loop.
    std::vector<std::shared_ptr<const GateSettings>> newest_ GUARDED_BY(reloadMutex_);
    std::atomic<bool> reloaded_{false};
    std::jthread thread_;
};

}  // namespace postern::intake
