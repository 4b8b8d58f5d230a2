// What the plain verbs of a session do.

#include "base/log.h"
#include "base/text.h"
#include "connector/intake/smtp_session.h"

namespace postern::intake {

namespace {

constexpr std::size_t kLongestHelo = 255;

bool isIdleVerb(Verb verb) {
    return verb == Verb::Noop || verb == Verb::Rset || verb == Verb::Vrfy || verb == Verb::Help ||
           verb == Verb::Ehlo || verb == Verb::Helo || verb == Verb::Lhlo || verb == Verb::StartTls;
}

// RFC 6531 3.4: addresses, and nothing else.
bool mayBeUtf8(Verb verb) {
    return verb == Verb::Mail || verb == Verb::Rcpt || verb == Verb::Vrfy;
}

}  // namespace

void SmtpSession::dispatch(const Command& command, std::string_view behind) {
    if (isIdleVerb(command.verb) && ++idleCommands_ > listener_.limits.idleCommands) countError();
    if (closing_) return;
    if (command.utf8 && !mayBeUtf8(command.verb)) return refuse(501, "5.5.2", "only ASCII in this command");
    switch (command.verb) {
        case Verb::Ehlo:
        case Verb::Helo:
        case Verb::Lhlo: return onHello(command);
        case Verb::Mail: return onMail(command);
        case Verb::Rcpt: return onRcpt(command);
        case Verb::Data: return onData(command, behind);
        case Verb::Bdat: return onBdat(command);
        case Verb::Rset: return onRset(command);
        case Verb::StartTls: return onStartTls(command);
        case Verb::Auth: return onAuth(command);
        case Verb::Noop: return reply(250, "2.0.0", "Ok");
        case Verb::Vrfy: return onVerify(command);
        case Verb::Help: return reply(214, "2.0.0", "see RFC 5321; the service is Postern");
        case Verb::Quit: return onQuit(command);
        case Verb::NotHere: return refuse(502, "5.5.1", "command not implemented");
        case Verb::Unknown: return refuse(500, "5.5.1", "command not recognized");
    }
}

// RFC 2033 4.1: LMTP is not SMTP by another name, a client at the wrong door is told at once.
void SmtpSession::onHello(const Command& command) {
    const bool lmtp = listener_.protocol == config::Protocol::Lmtp;
    if (lmtp != (command.verb == Verb::Lhlo)) {
        return refuse(500, "5.5.1", lmtp ? "this is LMTP: say LHLO" : "this is SMTP: say EHLO");
    }
    if (command.argument.empty() || command.argument.size() > kLongestHelo) {
        return refuse(501, "5.5.4", "the name of your host is wanted");
    }
    clear();
    helo_ = command.argument;
    hello_ = lmtp ? Hello::Lhlo : command.verb == Verb::Ehlo ? Hello::Ehlo : Hello::Helo;
    if (hello_ == Hello::Helo) return reply(250, {}, hostname_);
    ehloReply();
}

// LIMITS (RFC 9422): only what is enforced here.
void SmtpSession::ehloReply() {
    replies_ += "250-" + hostname_ + "\r\n250-PIPELINING\r\n250-SIZE " +
                std::to_string(listener_.limits.messageSize) + "\r\n";
    if (offersStartTls()) replies_ += "250-STARTTLS\r\n";
    if (mayLogOn()) replies_ += "250-AUTH SCRAM-SHA-256 PLAIN LOGIN\r\n";
    replies_ +=
        "250-8BITMIME\r\n250-CHUNKING\r\n250-BINARYMIME\r\n250-SMTPUTF8\r\n250-DSN\r\n250-LIMITS RCPTMAX=" +
        std::to_string(listener_.limits.recipients) + "\r\n250 ENHANCEDSTATUSCODES\r\n";
}

bool SmtpSession::offersStartTls() const {
    return !overTls() && (listener_.tls == config::Tls::StartTls || listener_.tls == config::Tls::Required);
}

// What came in behind it is dropped by workCommand(): see the header.
void SmtpSession::onStartTls(const Command& command) {
    if (overTls()) return refuse(503, "5.5.1", "TLS is active already");
    if (!offersStartTls()) return refuse(502, "5.5.1", "command not implemented");
    if (!command.argument.empty()) return refuse(501, "5.5.4", "STARTTLS takes no argument");
    if (transaction_) return refuse(503, "5.5.1", "STARTTLS inside a transaction: finish it or say RSET");
    if (!mayStartTls_) return reply(454, "4.7.0", "TLS is not available for now");
    reply(220, "2.0.0", "ready to start TLS");
    phase_ = Phase::Handshake;
    awaitsFirst_ = true;
    firstBy_ = now_.steady + listener_.limits.firstCommand;
}

void SmtpSession::onRset(const Command& command) {
    if (!command.argument.empty()) return refuse(501, "5.5.4", "RSET takes no argument");
    clear();
    reply(250, "2.0.0", "Ok");
}

void SmtpSession::onQuit(const Command& command) {
    if (!command.argument.empty()) return refuse(501, "5.5.4", "QUIT takes no argument");
    reply(221, "2.0.0", "Bye");
    saidQuit_ = true;
    close("quit");
}

}  // namespace postern::intake
