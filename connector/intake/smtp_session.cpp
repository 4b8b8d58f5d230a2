// The way of the bytes through a session: lines, text, waiting, ending. What the verbs do is in
// smtp_verbs.cpp, smtp_envelope.cpp (MAIL, RCPT), smtp_text.cpp (DATA), smtp_chunks.cpp (BDAT) and
// smtp_auth.cpp.

#include "connector/intake/smtp_session.h"

#include <algorithm>

#include "base/log.h"
#include "base/text.h"

namespace postern::intake {

namespace {

constexpr std::size_t kMostReplyText = 400;  // a reply line has at most 512 bytes (RFC 5321 4.5.3.1.5)

void appendReplyText(std::string& out, std::string_view text) {
    for (const char c : text.substr(0, kMostReplyText)) out += c >= ' ' && c <= '~' ? c : '?';
}

}  // namespace

SmtpSession::SmtpSession(const std::string& hostname, const config::Listener& listener, Door& door,
                         Client client, Now now)
    : hostname_(hostname),
      listener_(listener),
      door_(door),
      client_(std::move(client)),
      opened_(now.steady),
      firstBy_(now.steady + listener.limits.firstCommand),
      now_(now),
      phase_(listener.tls == config::Tls::Implicit ? Phase::Handshake : Phase::Command) {}

void SmtpSession::greet() {
    if (phase_ == Phase::Handshake) return;
    const bool lmtp = listener_.protocol == config::Protocol::Lmtp;
    reply(220, {}, hostname_ + (lmtp ? " LMTP Postern" : " ESMTP Postern"));
}

void SmtpSession::received(std::string_view bytes, Now now) {
    if (closing_) return;
    now_ = now;
    if (input_.empty() && wantsInput()) {
        if (replies_.empty()) confirm();
        work(bytes);
        input_.assign(bytes);
        return;
    }
    input_.append(bytes);
    std::string_view input = input_;
    work(input);
    input_.erase(0, input_.size() - input.size());
    if (input_.empty()) std::string().swap(input_);
}

void SmtpSession::work(std::string_view& input) {
    bool more = true;
    while (more && !closing_) {
        if (shuttingDown_ && !transaction_) {
            closeWith421("4.3.2", "shutting down", "shutdown");
        } else if (phase_ == Phase::Command) {
            more = workCommand(input);
        } else if (phase_ == Phase::LogOn) {
            more = workLogOn(input);
        } else if (phase_ == Phase::Text && !input.empty()) {
            workText(input);
            more = phase_ == Phase::Command;
        } else if (phase_ == Phase::Chunk && !input.empty()) {
            workChunk(input);
            more = phase_ == Phase::Command;
        } else {
            more = false;
        }
    }
    if (closing_) leftBehind_ = !input.empty();
    if (closing_) input = {};
}

bool SmtpSession::workCommand(std::string_view& input) {
    const auto line = lines_.take(input, listener_.limits.commandLine);
    if (!line) return false;
    awaitsFirst_ = false;
    if (line->kind == Line::Kind::Good || line->kind == Line::Kind::Utf8) {
        Command command = parseCommand(line->text);
        command.utf8 = line->kind == Line::Kind::Utf8;
        dispatch(command, input);
    } else {
        badLine(*line);
    }
    if (phase_ == Phase::Handshake) input = {};
    return true;
}

void SmtpSession::badLine(const Line& line) {
    switch (line.kind) {
        case Line::Kind::TooLong: return refuse(500, "5.5.2", "the line is too long");
        case Line::Kind::BareCr: return refuse(500, "5.5.2", "bare CR: only CR LF ends a line");
        case Line::Kind::BareLf: return refuse(500, "5.5.2", "bare LF: only CR LF ends a line");
        case Line::Kind::Control: return refuse(500, "5.5.2", "a control character in a command");
        case Line::Kind::EightBit: return refuse(501, "5.5.2", "the command is not valid UTF-8");
        case Line::Kind::Good:
        case Line::Kind::Utf8: return;
    }
}

std::optional<IncomingMail> SmtpSession::takeMail() {
    return std::exchange(finished_, std::nullopt);
}

void SmtpSession::answered(const Answer& answer, Now now) {
    if (phase_ != Phase::Waiting || !transaction_ || closing_) return;
    now_ = now;
    finish(answer);
    resume();
}

// With what came in while it waited.
void SmtpSession::resume() {
    std::string_view input = input_;
    work(input);
    input_.erase(0, input_.size() - input.size());
    if (input_.empty()) std::string().swap(input_);
}

// LMTP says it once per accepted recipient (RFC 2033 4.2), also when it refuses them all.
void SmtpSession::finish(const Answer& answer) {
    for (; waitingReplies_ > 0; --waitingReplies_) reply(answer.code, answer.enhanced, answer.text);
    clear();
    phase_ = Phase::Command;
    if (answer.accepted()) {
        if (answer.message && !answer.part) unconfirmed_.push_back(answer.message);
        ++acceptedMails_;
        errors_ = idleCommands_ = refusedRecipients_ = 0;
    } else if (answer.code >= 500) {
        countError();
    }
    if (answer.code == 421) close("shutdown");
}

// What begins behind a 250 that was sent shows that it was read. What came before it, and waited, shows
// nothing.
void SmtpSession::confirm() {
    for (const MessageId message : unconfirmed_) door_.confirm(message);
    unconfirmed_.clear();
}

void SmtpSession::shutDown() {
    shuttingDown_ = true;
    if (phase_ == Phase::Handshake) return close("shutdown");
    if (!transaction_ && !closing_) closeWith421("4.3.2", "shutting down", "shutdown");
}

void SmtpSession::tlsStarted(net::TlsFacts facts, Now now) {
    if (!wantsTls()) return;
    now_ = now;
    tls_ = std::move(facts);
    maySend_.reset();
    account_.clear();
    logOn_.reset();
    clear();
    hello_ = Hello::None;
    helo_.clear();
    lines_ = {};
    std::string().swap(input_);
    phase_ = Phase::Command;
    if (listener_.tls == config::Tls::Implicit) greet();
}

void SmtpSession::tlsFailed() {
    close("TLS handshake");
}

void SmtpSession::abort(std::string_view why) {
    if (closing_) return;
    if (phase_ == Phase::Waiting || phase_ == Phase::Handshake) return close("shutdown");
    closeWith421("4.3.2", why, "shutdown");
}

SteadyTime SmtpSession::deadline() const {
    if (phase_ == Phase::Waiting || closing_) return SteadyTime::max();
    const SteadyTime last = std::min(opened_ + listener_.limits.total, now_.steady + listener_.limits.idle);
    return awaitsFirst_ ? std::min(last, firstBy_) : last;
}

void SmtpSession::checkTime(Now now) {
    if (closing_ || now.steady < deadline()) return;
    if (phase_ == Phase::Handshake) return close("TLS handshake");  // nobody could read a word of ours
    if (now.steady >= opened_ + listener_.limits.total) {
        closeWith421("4.4.2", "the session took too long", "total time");
    } else if (awaitsFirst_ && now.steady >= firstBy_) {
        closeWith421("4.4.2", "no command came in time", "first command");
    } else {
        closeWith421("4.4.2", "nothing heard for too long", "idle");
    }
}

void SmtpSession::reply(int code, std::string_view enhanced, std::string_view text) {
    replies_ += std::to_string(code);
    replies_ += ' ';
    if (!enhanced.empty()) {
        replies_ += enhanced;
        replies_ += ' ';
    }
    appendReplyText(replies_, text);
    replies_ += "\r\n";
}

void SmtpSession::refuse(int code, std::string_view enhanced, std::string_view text) {
    reply(code, enhanced, text);
    LogLine(LogEvent::CommandRefused)
        .with("client", client_.name)
        .with("reply", std::to_string(code) + " " + std::string(enhanced) + " " + std::string(text));
    countError();
}

void SmtpSession::countError() {
    if (++errors_ >= listener_.limits.errors && !closing_) closeWith421("4.7.0", "too many errors", "errors");
}

void SmtpSession::close(const char* why) {
    if (closing_) return;
    closing_ = true;
    ending_ = why;
    clear();
}

void SmtpSession::closeWith421(std::string_view enhanced, std::string_view text, const char* why) {
    reply(421, enhanced, hostname_ + " " + std::string(text) + ", closing");
    close(why);
}

}  // namespace postern::intake
