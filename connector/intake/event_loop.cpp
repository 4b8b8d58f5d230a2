// Opening, accepting, turning away, stopping. What becomes of a session's events is in
// event_loop_sessions.cpp.

#include "connector/intake/event_loop.h"

#include <algorithm>
#include <cstdlib>

#include "base/log.h"
#include "base/networks.h"
#include "base/thread.h"

namespace postern::intake {

namespace {
constexpr Millis kAcceptAgain{1'000};  // after the system had none to give
constexpr Millis kLongestWait{3'600'000};

// Octal, as the configuration's check has made sure.
unsigned modeOf(const std::string& octal) {
    return static_cast<unsigned>(std::strtoul(octal.c_str(), nullptr, 8));
}

Client clientOf(const net::Accepted& accepted) {
    if (accepted.address.empty()) return {accepted.name, {}, {}};
    const bool v6 = accepted.address.find(':') != std::string::npos;
    return {accepted.name, (v6 ? "[IPv6:" : "[") + accepted.address + "]", accepted.address};
}

}  // namespace

Result<void> IntakeServer::Loop::openGate(const config::Listener& listener) {
    auto ear = net::Ear::open({listener.host, listener.port, listener.socketPath, modeOf(listener.socketMode),
                               listener.socketOwner});
    if (!ear.ok()) return ear.error().within("listener " + listener.name);
    auto gate = std::make_unique<Gate>();
    bound_.push_back(listener);
    if (listener.socketPath.empty()) bound_.back().port = ear->port();
    Reload found;
    gate->settings =
        std::make_shared<const GateSettings>(GateSettings{bound_.back(), makeTls(listener, found)});
    for (const config::Problem& problem : found.problems)
        LogLine(LogEvent::TlsUnavailable).with("listener", listener.name).with("error", problem.text);
    for (const config::Problem& warning : found.warnings)
        LogLine(LogEvent::ConfigWarning).with("warning", warning.text);
    gate->token = ++lastToken_;
    POSTERN_TRY(poller_->add(ear->handle(), gate->token, true, false));
    gate->ear.emplace(std::move(*ear));
    {
        MutexLock lock(reloadMutex_);
        newest_.push_back(gate->settings);
    }
    gates_.push_back(std::move(gate));
    return {};
}

std::shared_ptr<const net::TlsContext> IntakeServer::Loop::makeTls(const config::Listener& listener,
                                                                   Reload& into) const {
    if (listener.tls == config::Tls::Off) return nullptr;
    auto made = net::TlsContext::make(
        {listener.certificate, listener.key, listener.clientCa, !listener.clientCertificates.empty()},
        clock_.now());
    const std::string where = "listener " + listener.name + ": ";
    if (!made.ok()) {
        into.problems.push_back({listener.place, where + made.error().text});
        return nullptr;
    }
    for (const std::string& warning : (*made)->warnings())
        into.warnings.push_back({listener.place, where + warning});
    return *made;
}

IntakeServer::Reload IntakeServer::Loop::reload(const std::vector<config::Listener>& listeners,
                                                int sessions) {
    Reload result;
    MutexLock lock(reloadMutex_);
    mostSessions_ = sessions;
    for (auto& newest : newest_) {
        const auto found =
            std::find_if(listeners.begin(), listeners.end(),
                         [&](const config::Listener& each) { return each.name == newest->config.name; });
        if (found == listeners.end()) continue;
        GateSettings next{*found, makeTls(*found, result)};
        // What is bound stays; a protocol belongs to its address.
        next.config.protocol = newest->config.protocol;
        next.config.host = newest->config.host;
        next.config.port = newest->config.port;
        next.config.socketPath = newest->config.socketPath;
        if (!next.tls && found->tls != config::Tls::Off) next.tls = newest->tls;
        newest = std::make_shared<const GateSettings>(std::move(next));
    }
    reloaded_ = true;
    tick();
    return result;
}

void IntakeServer::Loop::takeSettings() {
    reloaded_ = false;
    MutexLock lock(reloadMutex_);
    for (std::size_t i = 0; i < gates_.size(); ++i) gates_[i]->settings = newest_[i];
}

Result<void> IntakeServer::Loop::start(std::vector<config::Listener> listeners, int sessions) {
    mostSessions_ = sessions;
    POSTERN_LET(poller, Poller::create());
    poller_ = std::move(poller);
    for (const config::Listener& listener : listeners) {
        if (const auto opened = openGate(listener); !opened.ok()) {
            gates_.clear();
            bound_.clear();
            MutexLock lock(reloadMutex_);
            newest_.clear();
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
        const Millis wait = untilNextLook();
        pulse_.rest(clock_.steady() + wait);
        const auto& events = poller_->wait(wait);
        pulse_.beat();
        for (const Poller::Ready& event : events) onEvent(event);
        bringAnswers();
        readHeld();
        if (reloaded_) takeSettings();
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
    if (!held_.empty()) return Millis(0);
    const SteadyTime now = clock_.steady();
    if (nextLook_ <= now) return Millis(0);
    if (nextLook_ - now > kLongestWait) return kLongestWait;
    return std::chrono::ceil<Millis>(nextLook_ - now);
}

void IntakeServer::Loop::onEvent(const Poller::Ready& event) {
    if (const auto found = connections_.find(event.token); found != connections_.end()) {
        Connection& connection = found->second;
        if (connection.handshake) {
            shakeHands(event.token, connection);
        } else if (event.readable) {
            onReadable(event.token, connection);
        } else {
            if (connection.wire.receiveWantsWrite()) held_.push_back(event.token);
            settle(event.token, connection);
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
        if (gate.ear->isNews(accepted.error())) {
            LogLine(LogEvent::SessionRefused)
                .with("listener", gate.settings->config.name)
                .with("error", accepted.error().text);
        }
        poller_->remove(gate.ear->handle());
        gate.pausedUntil = clock_.steady() + kAcceptAgain;
        return lookBy(*gate.pausedUntil);
    }
    if (!accepted->has_value()) return;
    const config::Limits& limits = gate.settings->config.limits;
    const std::string& address = (*accepted)->address;
    const auto same = address.empty() ? gate.perAddress.end() : gate.perAddress.find(countingKey(address));
    if (open_ >= mostSessions_) return refuse(gate, std::move(**accepted), "sessions of all listeners");
    if (gate.sessions >= limits.sessions) return refuse(gate, std::move(**accepted), "sessions");
    if (same != gate.perAddress.end() && same->second >= limits.sessionsPerAddress) {
        return refuse(gate, std::move(**accepted), "sessions_per_address");
    }
    admit(gate, std::move(**accepted));
}

void IntakeServer::Loop::refuse(Gate& gate, net::Accepted accepted, const char* limit) {
    ++refused_;
    LogLine(LogEvent::SessionRefused)
        .with("listener", gate.settings->config.name)
        .with("client", accepted.name)
        .with("limit", limit);
    if (gate.settings->config.tls == config::Tls::Implicit) return;  // it would take our words for TLS
    (void)accepted.wire.send("421 4.7.0 " + hostname_ + " too many sessions, try again later\r\n");
}

void IntakeServer::Loop::admit(Gate& gate, net::Accepted accepted) {
    const Token token = ++lastToken_;
    if (const auto added = poller_->add(accepted.wire.handle(), token, true, false); !added.ok()) {
        LogLine(LogEvent::SessionRefused)
            .with("listener", gate.settings->config.name)
            .with("error", added.error().text);
        return;
    }
    ++accepted_;
    ++open_;
    mostOpen_ = std::max<std::int64_t>(mostOpen_, open_);
    ++gate.sessions;
    std::string countedAs = accepted.address.empty() ? std::string() : countingKey(accepted.address);
    if (!countedAs.empty()) ++gate.perAddress[countedAs];
    LogLine(LogEvent::SessionOpened)
        .with("listener", gate.settings->config.name)
        .with("client", accepted.name);
    SmtpSession session(hostname_, gate.settings->config, door_, clientOf(accepted), now());
    const auto made = connections_.try_emplace(token, std::move(accepted.wire), std::move(countedAs), gate,
                                               std::move(session));
    Connection& connection = made.first->second;
    if (gate.settings->tls) connection.session.allowTls();
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
        confirmTaken(connection);
        connection.session.shutDown();
        settle(token, connection);
    }
}

}  // namespace postern::intake
