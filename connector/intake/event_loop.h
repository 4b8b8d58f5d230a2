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
#include <vector>

#include "base/poller.h"
#include "base/sync.h"
#include "connector/intake/listener.h"
#include "connector/intake/smtp_session.h"
#include "connector/net/wire.h"

namespace postern::intake {

using Token = std::uint64_t;

// What other threads leave for the loop. It outlives the loop as long as answers are out.
class Mailbox {
  public:
    using Letters = std::vector<std::pair<Token, Answer>>;

    void open(Poller* poller) {
        MutexLock lock(mutex_);
        poller_ = poller;
    }
    void post(Token token, const Answer& answer) {
        MutexLock lock(mutex_);
        if (poller_ == nullptr) return;
        letters_.emplace_back(token, answer);
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

struct Gate {
    config::Listener config;
    std::optional<net::Ear> ear;
    Token token = 0;
    std::int64_t sessions = 0;
    std::unordered_map<std::string, int> perAddress;
    std::optional<SteadyTime> pausedUntil;
};

struct Connection {
    Connection(net::Wire theWire, std::string theAddress, Gate& theGate, SmtpSession theSession)
        : wire(std::move(theWire)),
          address(std::move(theAddress)),
          gate(theGate),
          session(std::move(theSession)) {}

    net::Wire wire;
    std::string address;
    Gate& gate;
    SmtpSession session;
    bool watchesRead = true, watchesWrite = false;
    // Closed by us: when the replies are sent the other side is told so, and what it still sends is read and
    // dropped until it closes too. A socket closed with unread input would take the last reply back.
    std::optional<SteadyTime> endBy;
    bool sendingEnded = false;
    std::int64_t lingered = 0;
};

class IntakeServer::Loop {
  public:
    Loop(Door& door, Clock& clock, std::string hostname)
        : door_(door), clock_(clock), hostname_(std::move(hostname)), buffer_(64 * 1024, '\0') {}
    ~Loop() { stop(SteadyTime::min()); }

    Result<void> start(std::vector<config::Listener> listeners);
    void stopAccepting() {
        closing_ = true;
        tick();
    }
    void stop(SteadyTime deadline);
    void tick() {
        if (poller_) poller_->wake();
    }

    const std::vector<config::Listener>& bound() const { return bound_; }
    IntakeCounters counters() const { return {open_, accepted_, refused_}; }

  private:
    using Connections = std::unordered_map<Token, Connection>;

    Now now() const { return {clock_.now(), clock_.steady()}; }
    Result<void> openGate(const config::Listener& listener);

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
    bool lingerOn(Connection& connection);
    void bringAnswers();
    void settle(Token token, Connection& connection);
    bool sendReplies(Connection& connection);
    void watch(Token token, Connection& connection);
    void forget(Token token);
    void lookAtClock();
    void lookBy(SteadyTime when) { nextLook_ = std::min(nextLook_, when); }

    Door& door_;
    Clock& clock_;
    const std::string hostname_;
    std::string buffer_;
    std::unique_ptr<Poller> poller_;
    std::shared_ptr<Mailbox> mailbox_ = std::make_shared<Mailbox>();
    Mailbox::Letters letters_;
    std::vector<std::unique_ptr<Gate>> gates_;
    std::vector<config::Listener> bound_;
    Connections connections_;
    Token lastToken_ = 0;
    // No session is due before this: activity only moves deadlines back, so the sessions are walked when it
    // passes, and not for every byte.
    SteadyTime nextLook_ = SteadyTime::max();
    bool gatesClosed_ = false;

    std::atomic<bool> closing_{false};
    std::atomic<bool> stopping_{false};
    std::atomic<SteadyTime::rep> stopBy_{0};
    std::atomic<std::int64_t> open_{0}, accepted_{0}, refused_{0};
    std::jthread thread_;
};

}  // namespace postern::intake
