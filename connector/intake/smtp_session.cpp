// The way of the bytes through a session: lines, text, waiting, ending. What each verb does is in
// smtp_verbs.cpp.

#include "connector/intake/smtp_session.h"

#include <algorithm>

#include "base/log.h"
#include "base/text.h"

namespace postern::intake {

namespace {

// RFC 5321 6.3 asks for at least 100 before a count of Received lines is called a loop.
constexpr int kMostHops = 100;
// A sender that does not stop behind the size limit is read on to so many times the limit, then cut off.
constexpr int kReadOnFactor = 4;
constexpr std::size_t kMostReplyText = 400;  // a reply line has at most 512 bytes (RFC 5321 4.5.3.1.5)

void appendReplyText(std::string& out, std::string_view text) {
    for (const char c : text.substr(0, kMostReplyText)) out += c >= ' ' && c <= '~' ? c : '?';
}

std::string heloForTrace(std::string_view helo) {
    std::string out;
    for (const char c : helo) {
        const bool plain = (c >= '0' && c <= '9') || (lowerAscii(c) >= 'a' && lowerAscii(c) <= 'z') ||
                           std::string_view("._-:[]").find(c) != std::string_view::npos;
        out += plain ? c : '?';
    }
    return out;
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
        } else if (phase_ == Phase::Text && !input.empty()) {
            workText(input);
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
    if (line->kind == Line::Kind::Good) {
        dispatch(parseCommand(line->text), input);
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
        case Line::Kind::EightBit:
            return refuse(501, "5.6.7", "only ASCII in commands: SMTPUTF8 is not offered");
        case Line::Kind::Good: return;
    }
}

void SmtpSession::workText(std::string_view& input) {
    const bool end = text_.take(input, [this](std::string_view text) { keep(text); });
    if (text_.flaws().lineEnds() || text_.flaws().nul || text_.flaws().longLine) transaction_->body.reset();
    if (end) return endText();
    if (transaction_->size / kReadOnFactor > listener_.limits.messageSize) {
        text_.begin(listener_.limits.textLine);
        endText();
        close("size");
    }
}

// A refused mail gives its memory and its file back at once; what comes of it is counted and dropped.
void SmtpSession::keep(std::string_view text) {
    Transaction& mail = *transaction_;
    mail.size += static_cast<std::int64_t>(text.size());
    if (mail.size > listener_.limits.messageSize) {
        refuseText({552, "5.3.4",
                    "the message is larger than " + std::to_string(listener_.limits.messageSize) + " bytes"});
    }
    if (!mail.body) return;
    if (!mail.header.over()) mail.header.feed(text);
    if (const auto kept = mail.body->append(text); !kept.ok()) {
        LogLine(LogEvent::StoreTrouble).with("client", client_.name).with("error", kept.error().text);
        refuseText(answerFor(kept.error()));
    }
}

void SmtpSession::refuseText(Answer answer) {
    if (!transaction_->refusal) transaction_->refusal = std::move(answer);
    transaction_->body.reset();
}

// Line ends come before everything else: a mail that could mean two things is not believed in any part.
void SmtpSession::refuseFlaws() {
    const TextFlaws& flaws = text_.flaws();
    const auto set = [this](std::string_view enhanced, std::string_view text) {
        transaction_->refusal = Answer{550, std::string(enhanced), std::string(text)};
    };
    if (flaws.bareLf) {
        set("5.5.2", "bare LF in the message: only CR LF ends a line (RFC 5321 2.3.8); closing");
    } else if (flaws.bareCr) {
        set("5.5.2", "bare CR in the message: only CR LF ends a line (RFC 5321 2.3.8); closing");
    } else if (flaws.nul) {
        set("5.6.0", "NUL in the message (RFC 5322 4); closing");
    } else if (flaws.longLine) {
        refuseText(
            {554, "5.6.0", "a line is longer than " + std::to_string(listener_.limits.textLine) + " bytes"});
    } else if (transaction_->header.receivedCount() > kMostHops) {
        refuseText({554, "5.4.6", "too many hops: the message is in a loop"});
    }
}

void SmtpSession::endText() {
    transaction_->header.end();
    refuseFlaws();
    Transaction& mail = *transaction_;
    waitingReplies_ =
        listener_.protocol == config::Protocol::Lmtp ? static_cast<int>(mail.recipients.size()) : 1;
    if (mail.refusal) {
        const Answer answer = *mail.refusal;
        const TextFlaws flaws = text_.flaws();
        LogLine(LogEvent::MessageRefused)
            .with("client", client_.name)
            .with("sender", mail.message.sender)
            .with("reply", std::to_string(answer.code) + " " + answer.enhanced + " " + answer.text);
        finish(answer);
        if (flaws.lineEnds() || flaws.nul) close("line ends");
        return;
    }
    mail.message.headerId = mail.header.messageId();
    mail.message.subject = mail.header.subject();
    IncomingMail& finished = finished_.emplace();
    finished.message = std::move(mail.message);
    finished.recipients = std::move(mail.recipients);
    finished.body = std::move(mail.body);
    phase_ = Phase::Waiting;
}

std::optional<IncomingMail> SmtpSession::takeMail() {
    return std::exchange(finished_, std::nullopt);
}

void SmtpSession::answered(const Answer& answer, Now now) {
    if (phase_ != Phase::Waiting || closing_) return;
    now_ = now;
    finish(answer);
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
        ++acceptedMails_;
        errors_ = idleCommands_ = refusedRecipients_ = 0;
    } else if (answer.code >= 500) {
        countError();
    }
    if (answer.code == 421) close("shutdown");
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

std::string SmtpSession::protocolName() const {
    static constexpr const char* kNames[] = {"", "SMTP", "ESMTP", "LMTP"};
    std::string name = kNames[static_cast<int>(hello_)];
    if (overTls() && hello_ != Hello::Helo) name += 'S';  // there is no word for HELO over TLS
    return name;
}

// RFC 5321 4.4; the protocol's name by RFC 3848, the tls clause by RFC 8314 7.4. No id: the message's does
// not exist yet.
std::string SmtpSession::receivedLine(const store::NewMessage& message) const {
    return "Received: from " + heloForTrace(message.helo) + " (" +
           (client_.literal.empty() ? "local" : client_.literal) + ")\r\n\tby " + hostname_ +
           " (Postern) with " + message.protocol +
           (tls_ && !tls_->cipher.empty() ? "\r\n\ttls " + tls_->cipher : "") + ";\r\n\t" +
           formatRfc5322(message.received) + "\r\n";
}

}  // namespace postern::intake
