// The sessions of the loop: reading, answering, sending, ending.

#include <algorithm>

#include "base/log.h"
#include "base/peer.h"
#include "base/thread.h"
#include "connector/intake/event_loop.h"

namespace postern::intake {

namespace {

constexpr int kReadsPerTurn = 4;  // then the others have their turn
// How much a client may leave unread before it is not read either.
constexpr std::size_t kMostReplies = 64 * 1024;
// How long a closed session's client may take to read its last reply, and what it may still send meanwhile.
constexpr Millis kLinger{5'000};
constexpr std::int64_t kLingerBytes = 1 << 20;
constexpr Millis kAcceptAgain{1'000};  // after the system had none to give
constexpr std::int64_t kCrowd = 200;   // sessions whose memory is worth giving back

bool wantsInput(Connection& connection) {
    return connection.session.wantsInput() && connection.session.replies().size() < kMostReplies;
}

}  // namespace

void IntakeServer::Loop::onReadable(Token token, Connection& connection) {
    if (connection.endBy) {
        if (!lingerOn(connection)) forget(token);
        return;
    }
    if (!wantsInput(connection)) {
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
    for (int turn = 0; turn < kReadsPerTurn && wantsInput(connection); ++turn) {
        const int got = connection.wire.receive(buffer_.data(), buffer_.size());
        if (got < 0) return false;
        if (got == 0) return true;
        connection.session.received(std::string_view(buffer_).substr(0, static_cast<std::size_t>(got)),
                                    now());
        if (static_cast<std::size_t>(got) < buffer_.size() && !connection.wire.holdsInput()) return true;
    }
    return true;
}

// What a TLS connection still held after its turn: no event tells of it.
void IntakeServer::Loop::readHeld() {
    if (held_.empty()) return;
    const std::vector<Token> tokens = std::exchange(held_, {});
    for (const Token token : tokens) {
        const auto found = connections_.find(token);
        if (found == connections_.end() || found->second.endBy || !wantsInput(found->second)) continue;
        if (readSome(found->second)) {
            settle(token, found->second);
        } else {
            forget(token);
        }
    }
}

// The last reply in the clear is sent. A listener whose certificate could not be loaded gets here with
// implicit TLS only.
void IntakeServer::Loop::beginTls(Token token, Connection& connection) {
    const auto& context = connection.settings->tls;
    if (context == nullptr || !connection.wire.startTls(*context)) {
        handshakeFailed(connection, "there is no certificate");
        return settle(token, connection);
    }
    shakeHands(token, connection);
}

void IntakeServer::Loop::shakeHands(Token token, Connection& connection) {
    connection.handshake = connection.wire.handshake();
    if (connection.handshake == net::Handshake::Done) {
        connection.handshake.reset();
        connection.session.tlsStarted(connection.wire.tlsFacts(), now());
    } else if (connection.handshake == net::Handshake::Failed) {
        handshakeFailed(connection, connection.wire.tlsTrouble());
    }
    settle(token, connection);
}

void IntakeServer::Loop::handshakeFailed(Connection& connection, const std::string& why) {
    ++tlsFailed_;
    LogLine(LogEvent::TlsFailed)
        .with("listener", connection.settings->config.name)
        .with("client", connection.session.client().name)
        .with("why", why);
    connection.handshake.reset();
    connection.session.tlsFailed();
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
        SmtpSession& session = found->second.session;
        if (const auto* toMail = std::get_if<Answer>(&answer)) session.answered(*toMail, now());
        if (const auto* toLogOn = std::get_if<LogOnAnswer>(&answer)) session.logOnAnswered(*toLogOn, now());
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
    if (auto step = connection.session.takeLogOn()) {
        door_.logOn(std::move(*step), [mailbox = mailbox_, token,
                                       client = connection.session.client().name](const LogOnAnswer& answer) {
            noteLogOn(client, answer);
            mailbox->post(token, answer);
        });
    }
    if (connection.session.closing() && connection.handshake) {
        handshakeFailed(connection, connection.session.ending());
        return forget(token);
    }
    if (connection.session.closing() && !connection.endBy) {
        connection.endBy = clock_.steady() + kLinger;
        lookBy(*connection.endBy);
    }
    if (!sendReplies(connection)) return forget(token);
    if (connection.session.wantsTls() && !connection.handshake) {
        lookBy(connection.session.deadline());
        if (connection.session.replies().empty()) return beginTls(token, connection);
    }
    if (connection.session.parted() && connection.session.replies().empty()) return forget(token);
    if (connection.endBy && !connection.sendingEnded && connection.session.replies().empty()) {
        connection.wire.endSending();
        connection.sendingEnded = true;
    }
    if (connection.wire.holdsInput() && wantsInput(connection)) held_.push_back(token);
    watch(token, connection);
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
    bool read = connection.handshake == net::Handshake::WantsRead;
    bool write = connection.handshake == net::Handshake::WantsWrite;
    if (!connection.handshake) {
        const bool mayRead =
            connection.endBy.has_value() || wantsInput(connection) || connection.wire.sendWantsRead();
        read = connection.watchesRead || mayRead;
        write = (!connection.session.replies().empty() && !connection.wire.sendWantsRead()) ||
                (connection.wire.receiveWantsWrite() && wantsInput(connection));
    }
    if (read == connection.watchesRead && write == connection.watchesWrite) return;
    connection.watchesRead = read;
    connection.watchesWrite = write;
    if (!poller_->change(connection.wire.handle(), token, read, write).ok()) forget(token);
}

// To be asked before a last word of ours is under way: then the connection no longer tells.
void IntakeServer::Loop::confirmTaken(Connection& connection) {
    SmtpSession& session = connection.session;
    if (session.unconfirmed()) session.clientClosed(peerTookAll(connection.wire.handle()));
}

void IntakeServer::Loop::forget(Token token) {
    const auto found = connections_.find(token);
    Connection& connection = found->second;
    SmtpSession& session = connection.session;
    confirmTaken(connection);
    {
        LogLine line(LogEvent::SessionClosed);
        line.with("client", session.client().name).with("mails", session.accepted());
        if (session.tls()) line.with("tls", session.tls()->protocol);
        line.with("why", session.closing() ? session.ending() : "the client went away");
    }
    poller_->remove(connection.wire.handle());
    --open_;
    --connection.gate.sessions;
    const auto same = connection.gate.perAddress.find(connection.countedAs);
    if (same != connection.gate.perAddress.end() && --same->second == 0)
        connection.gate.perAddress.erase(same);
    connections_.erase(found);
    giveBackMemory();
}

void IntakeServer::Loop::giveBackMemory() {
    if (mostOpen_ < kCrowd || open_ > mostOpen_ / 8) return;
    mostOpen_ = open_;
    returnFreeMemory();
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
            confirmTaken(connection);
            connection.session.checkTime(time);
            settle(token, connection);
        }
    }
}

}  // namespace postern::intake
