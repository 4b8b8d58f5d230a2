// Opening, accepting, turning away, stopping. What becomes of a session's events is in
// event_loop_sessions.cpp.

#include "connector/intake/event_loop.h"

#include <algorithm>

#include "base/log.h"
#include "base/thread.h"

namespace postern::intake {

namespace {
constexpr Millis kAcceptAgain{1'000};  // after the system ran out of handles
constexpr Millis kLongestWait{3'600'000};

Client clientOf(const net::Accepted& accepted) {
    if (accepted.address.empty()) return {accepted.name, {}, {}};
    const bool v6 = accepted.address.find(':') != std::string::npos;
    return {accepted.name, (v6 ? "[IPv6:" : "[") + accepted.address + "]", accepted.address};
}

}  // namespace

Result<void> IntakeServer::Loop::openGate(const config::Listener& listener) {
    auto ear = net::Ear::open({listener.host, listener.port, listener.socketPath});
    if (!ear.ok()) return ear.error().within("listener " + listener.name);
    auto gate = std::make_unique<Gate>();
    gate->config = listener;
    if (listener.socketPath.empty()) gate->config.port = ear->port();
    gate->token = ++lastToken_;
    POSTERN_TRY(poller_->add(ear->handle(), gate->token, true, false));
    gate->ear.emplace(std::move(*ear));
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

void IntakeServer::Loop::refuse(Gate& gate, net::Accepted accepted, const char* limit) {
    ++refused_;
    LogLine(LogEvent::SessionRefused)
        .with("listener", gate.config.name)
        .with("client", accepted.name)
        .with("limit", limit);
    (void)accepted.wire.send("421 4.7.0 " + hostname_ + " too many sessions, try again later\r\n");
}

void IntakeServer::Loop::admit(Gate& gate, net::Accepted accepted) {
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
    LogLine(LogEvent::SessionOpened).with("listener", gate.config.name).with("client", accepted.name);
    SmtpSession session(hostname_, gate.config, door_, clientOf(accepted), now());
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

}  // namespace postern::intake
