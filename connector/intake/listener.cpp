#include "connector/intake/listener.h"

#include <algorithm>
#include <atomic>
#include <thread>
#include <unordered_map>
#include <utility>

#include "base/log.h"
#include "base/poller.h"
#include "base/sync.h"
#include "base/thread.h"
#include "connector/intake/smtp_session.h"
#include "connector/intake/wire.h"

namespace postern::intake {

namespace {

constexpr std::size_t kReadSize = 64 * 1024;
constexpr int kReadsPerTurn = 4;  // then the others have their turn
constexpr std::size_t kMostReplies =
    64 * 1024;                    // bytes a client may leave unread before it is not read either
constexpr Millis kLinger{5'000};  // how long a closed session's client may take to read its last reply
constexpr std::int64_t kLingerBytes = 1 << 20;  // what it may still send meanwhile
constexpr Millis kAcceptAgain{1'000};           // after the system ran out of handles
constexpr Millis kLongestWait{3'600'000};

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
    std::optional<Ear> ear;
    Token token = 0;
    std::int64_t sessions = 0;
    std::unordered_map<std::string, int> perAddress;
    std::optional<SteadyTime> pausedUntil;
};

struct Connection {
    Connection(Wire theWire, std::string theAddress, Gate& theGate, SmtpSession theSession)
        : wire(std::move(theWire)),
          address(std::move(theAddress)),
          gate(theGate),
          session(std::move(theSession)) {}

    Wire wire;
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

}  // namespace

class IntakeServer::Loop {
  public:
    Loop(Door& door, Clock& clock, std::string hostname)
        : door_(door), clock_(clock), hostname_(std::move(hostname)), buffer_(kReadSize, '\0') {}
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
    void admit(Gate& gate, Accepted accepted);
    void refuse(Gate& gate, Accepted accepted, const char* limit);
    void closeGates();

    void onReadable(Token token, Connection& connection);
    bool readSome(Connection& connection);
    bool lingerOn(Connection& connection);
    void bringAnswers();
    void settle(Token token, Connection& connection);
    void end(Connection& connection);
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

Result<void> IntakeServer::Loop::openGate(const config::Listener& listener) {
    POSTERN_LET(ear, Ear::open(listener));
    auto gate = std::make_unique<Gate>();
    gate->config = listener;
    if (listener.socketPath.empty()) gate->config.port = ear.port();
    gate->token = ++lastToken_;
    POSTERN_TRY(poller_->add(ear.handle(), gate->token, true, false));
    gate->ear.emplace(std::move(ear));
    bound_.push_back(gate->config);
    gates_.push_back(std::move(gate));
    return {};
}

Result<void> IntakeServer::Loop::start(std::vector<config::Listener> listeners) {
    POSTERN_LET(poller, Poller::create());
    poller_ = std::move(poller);
    for (const config::Listener& listener : listeners) {
        if (const auto opened = openGate(listener); !opened.ok()) {
            gates_.clear();
            bound_.clear();
            return opened.error();
        }
    }
    for (const config::Listener& listener : bound_) {
        LogLine line(LogEvent::ListenerOpened);
        line.with("listener", listener.name);
        if (!listener.socketPath.empty()) {
            line.with("socket", listener.socketPath);
        } else {
            line.with("host", listener.host).with("port", listener.port);
        }
    }
    mailbox_->open(poller_.get());
    thread_ = std::jthread([this] {
        nameThisThread("intake");
        run();
    });
    return {};
}

void IntakeServer::Loop::stop(SteadyTime deadline) {
    if (!thread_.joinable()) return;
    stopBy_ = deadline.time_since_epoch().count();
    closing_ = true;
    stopping_ = true;
    tick();
    thread_.join();
}

void IntakeServer::Loop::run() {
    while (!over()) {
        for (const Poller::Ready& event : poller_->wait(untilNextLook())) onEvent(event);
        bringAnswers();
        if (closing_ && !gatesClosed_) closeGates();
        if (clock_.steady() >= nextLook_) lookAtClock();
    }
    mailbox_->open(nullptr);
    for (auto& [token, connection] : connections_) {
        connection.session.abort("shutting down");
        (void)sendReplies(connection);
    }
    connections_.clear();
    open_ = 0;
}

bool IntakeServer::Loop::over() {
    if (!stopping_) return false;
    if (!gatesClosed_) closeGates();
    const SteadyTime by{SteadyTime::duration(stopBy_)};
    lookBy(by);
    return connections_.empty() || clock_.steady() >= by;
}

Millis IntakeServer::Loop::untilNextLook() const {
    const SteadyTime now = clock_.steady();
    if (nextLook_ <= now) return Millis(0);
    if (nextLook_ - now > kLongestWait) return kLongestWait;
    return std::chrono::ceil<Millis>(nextLook_ - now);
}

void IntakeServer::Loop::onEvent(const Poller::Ready& event) {
    if (const auto found = connections_.find(event.token); found != connections_.end()) {
        if (event.readable) {
            onReadable(event.token, found->second);
        } else {
            settle(event.token, found->second);
        }
        return;
    }
    for (const auto& gate : gates_) {
        if (gate->token == event.token && gate->ear) return acceptAt(*gate);
    }
}

// One per turn and listener: the next wait() costs less than the exception by which Poco says that nobody
// else is waiting.
void IntakeServer::Loop::acceptAt(Gate& gate) {
    auto accepted = gate.ear->accept();
    if (!accepted.ok()) {
        LogLine(LogEvent::SessionRefused)
            .with("listener", gate.config.name)
            .with("error", accepted.error().text);
        poller_->remove(gate.ear->handle());
        gate.pausedUntil = clock_.steady() + kAcceptAgain;
        return lookBy(*gate.pausedUntil);
    }
    if (!accepted->has_value()) return;
    const config::Limits& limits = gate.config.limits;
    const std::string& address = (*accepted)->address;
    const auto same = address.empty() ? gate.perAddress.end() : gate.perAddress.find(address);
    if (gate.sessions >= limits.sessions) return refuse(gate, std::move(**accepted), "sessions");
    if (same != gate.perAddress.end() && same->second >= limits.sessionsPerAddress) {
        return refuse(gate, std::move(**accepted), "sessions_per_address");
    }
    admit(gate, std::move(**accepted));
}

void IntakeServer::Loop::refuse(Gate& gate, Accepted accepted, const char* limit) {
    ++refused_;
    LogLine(LogEvent::SessionRefused)
        .with("listener", gate.config.name)
        .with("client", accepted.client.name)
        .with("limit", limit);
    (void)accepted.wire.send("421 4.7.0 " + hostname_ + " too many sessions, try again later\r\n");
}

void IntakeServer::Loop::admit(Gate& gate, Accepted accepted) {
    const Token token = ++lastToken_;
    if (const auto added = poller_->add(accepted.wire.handle(), token, true, false); !added.ok()) {
        LogLine(LogEvent::SessionRefused)
            .with("listener", gate.config.name)
            .with("error", added.error().text);
        return;
    }
    ++accepted_;
    ++open_;
    ++gate.sessions;
    if (!accepted.address.empty()) ++gate.perAddress[accepted.address];
    LogLine(LogEvent::SessionOpened).with("listener", gate.config.name).with("client", accepted.client.name);
    SmtpSession session(hostname_, gate.config, door_, std::move(accepted.client), now());
    const auto made = connections_.try_emplace(token, std::move(accepted.wire), std::move(accepted.address),
                                               gate, std::move(session));
    Connection& connection = made.first->second;
    connection.session.greet();
    lookBy(connection.session.deadline());
    settle(token, connection);
}

void IntakeServer::Loop::closeGates() {
    gatesClosed_ = true;
    for (const auto& gate : gates_) {
        if (gate->ear && !gate->pausedUntil) poller_->remove(gate->ear->handle());
        gate->ear.reset();
        gate->pausedUntil.reset();
    }
    std::vector<Token> tokens;
    for (const auto& [token, connection] : connections_) tokens.push_back(token);
    for (const Token token : tokens) {
        Connection& connection = connections_.at(token);
        connection.session.shutDown();
        settle(token, connection);
    }
}

void IntakeServer::Loop::onReadable(Token token, Connection& connection) {
    if (connection.endBy) {
        if (!lingerOn(connection)) forget(token);
        return;
    }
    const bool mayRead =
        connection.session.wantsInput() && connection.session.replies().size() < kMostReplies;
    if (!mayRead) {
        // It sends while it should wait: not looked at until we want it. An event in spite of that is a
        // broken connection.
        if (!connection.watchesRead) return forget(token);
        connection.watchesRead = false;
        if (!poller_->change(connection.wire.handle(), token, false, connection.watchesWrite).ok())
            forget(token);
        return;
    }
    if (!readSome(connection)) return forget(token);
    settle(token, connection);
}

bool IntakeServer::Loop::readSome(Connection& connection) {
    for (int turn = 0; turn < kReadsPerTurn && connection.session.wantsInput(); ++turn) {
        const int got = connection.wire.receive(buffer_.data(), buffer_.size());
        if (got < 0) return false;
        if (got == 0) return true;
        connection.session.received(std::string_view(buffer_).substr(0, static_cast<std::size_t>(got)),
                                    now());
        if (static_cast<std::size_t>(got) < buffer_.size()) return true;
    }
    return true;
}

bool IntakeServer::Loop::lingerOn(Connection& connection) {
    const int got = connection.wire.receive(buffer_.data(), buffer_.size());
    if (got < 0) return false;
    connection.lingered += got;
    return connection.lingered <= kLingerBytes;
}

void IntakeServer::Loop::bringAnswers() {
    mailbox_->take(letters_);
    for (const auto& [token, answer] : letters_) {
        const auto found = connections_.find(token);
        if (found == connections_.end()) continue;  // its client did not wait
        found->second.session.answered(answer, now());
        lookBy(found->second.session.deadline());
        settle(token, found->second);
    }
}

// After anything that happened to a session: hands on its mail, sends, closes, and asks for the next event.
void IntakeServer::Loop::settle(Token token, Connection& connection) {
    if (auto mail = connection.session.takeMail()) {
        door_.accept(std::move(*mail),
                     [mailbox = mailbox_, token](const Answer& answer) { mailbox->post(token, answer); });
    }
    if (!sendReplies(connection)) return forget(token);
    if (connection.session.closing()) end(connection);
    watch(token, connection);
}

void IntakeServer::Loop::end(Connection& connection) {
    if (!connection.endBy) {
        connection.endBy = clock_.steady() + kLinger;
        lookBy(*connection.endBy);
    }
    if (connection.sendingEnded || !connection.session.replies().empty()) return;
    connection.wire.endSending();
    connection.sendingEnded = true;
}

bool IntakeServer::Loop::sendReplies(Connection& connection) {
    std::string& replies = connection.session.replies();
    while (!replies.empty()) {
        const int sent = connection.wire.send(replies);
        if (sent < 0) return false;
        if (sent == 0) return true;
        replies.erase(0, static_cast<std::size_t>(sent));
    }
    return true;
}

// Reading is given up only when a client sends while it should wait (onReadable): most never do, and are
// spared two calls a mail.
void IntakeServer::Loop::watch(Token token, Connection& connection) {
    const bool mayRead = connection.endBy.has_value() || (connection.session.wantsInput() &&
                                                          connection.session.replies().size() < kMostReplies);
    const bool read = connection.watchesRead || mayRead;
    const bool write = !connection.session.replies().empty();
    if (read == connection.watchesRead && write == connection.watchesWrite) return;
    connection.watchesRead = read;
    connection.watchesWrite = write;
    if (!poller_->change(connection.wire.handle(), token, read, write).ok()) forget(token);
}

void IntakeServer::Loop::forget(Token token) {
    const auto found = connections_.find(token);
    Connection& connection = found->second;
    const SmtpSession& session = connection.session;
    LogLine(LogEvent::SessionClosed)
        .with("client", session.client().name)
        .with("mails", session.accepted())
        .with("why", session.closing() ? session.ending() : "the client went away");
    poller_->remove(connection.wire.handle());
    --open_;
    --connection.gate.sessions;
    const auto same = connection.gate.perAddress.find(connection.address);
    if (same != connection.gate.perAddress.end() && --same->second == 0)
        connection.gate.perAddress.erase(same);
    connections_.erase(found);
}

void IntakeServer::Loop::lookAtClock() {
    const Now time = now();
    nextLook_ = SteadyTime::max();
    for (const auto& gate : gates_) {
        if (!gate->pausedUntil) continue;
        if (*gate->pausedUntil > time.steady ||
            !poller_->add(gate->ear->handle(), gate->token, true, false).ok()) {
            lookBy(std::max(*gate->pausedUntil, time.steady + kAcceptAgain));
        } else {
            gate->pausedUntil.reset();
        }
    }
    std::vector<Token> due;
    for (const auto& [token, connection] : connections_) {
        const SteadyTime when = connection.endBy.value_or(connection.session.deadline());
        if (when <= time.steady) {
            due.push_back(token);
        } else {
            lookBy(when);
        }
    }
    for (const Token token : due) {
        Connection& connection = connections_.at(token);
        if (connection.endBy) {
            forget(token);
        } else {
            connection.session.checkTime(time);
            settle(token, connection);
        }
    }
}

IntakeServer::IntakeServer(Door& door, Clock& clock, std::string hostname)
    : loop_(std::make_unique<Loop>(door, clock, std::move(hostname))) {}
IntakeServer::~IntakeServer() = default;

Result<void> IntakeServer::start(std::vector<config::Listener> listeners) {
    return loop_->start(std::move(listeners));
}
const std::vector<config::Listener>& IntakeServer::bound() const {
    return loop_->bound();
}
void IntakeServer::stopAccepting() {
    loop_->stopAccepting();
}
void IntakeServer::stop(SteadyTime deadline) {
    loop_->stop(deadline);
}
IntakeCounters IntakeServer::counters() const {
    return loop_->counters();
}
void IntakeServer::tick() {
    loop_->tick();
}

}  // namespace postern::intake
