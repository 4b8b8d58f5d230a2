// What each verb of a session does.

#include "base/log.h"
#include "base/text.h"
#include "connector/intake/smtp_session.h"
#include "mail/address.h"

namespace postern::intake {

namespace {

constexpr std::size_t kLongestHelo = 255;

bool isIdleVerb(Verb verb) {
    return verb == Verb::Noop || verb == Verb::Rset || verb == Verb::Vrfy || verb == Verb::Help ||
           verb == Verb::Ehlo || verb == Verb::Helo || verb == Verb::Lhlo || verb == Verb::StartTls;
}

}  // namespace

void SmtpSession::dispatch(const Command& command, std::string_view behind) {
    if (isIdleVerb(command.verb) && ++idleCommands_ > listener_.limits.idleCommands) countError();
    if (closing_) return;
    switch (command.verb) {
        case Verb::Ehlo:
        case Verb::Helo:
        case Verb::Lhlo: return onHello(command);
        case Verb::Mail: return onMail(command);
        case Verb::Rcpt: return onRcpt(command);
        case Verb::Data: return onData(command, behind);
        case Verb::Rset: return onRset(command);
        case Verb::StartTls: return onStartTls(command);
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

void SmtpSession::ehloReply() {
    replies_ += "250-" + hostname_ + "\r\n250-PIPELINING\r\n250-SIZE " +
                std::to_string(listener_.limits.messageSize) + "\r\n250-8BITMIME\r\n" +
                (offersStartTls() ? "250-STARTTLS\r\n" : "") + "250 ENHANCEDSTATUSCODES\r\n";
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

// A client that says MAIL inside a transaction has lost its place; going on with the old recipients could
// send its next mail to them (KB Q241502).
void SmtpSession::onMail(const Command& command) {
    if (hello_ == Hello::None) return refuse(503, "5.5.1", "say hello first");
    if (listener_.tls == config::Tls::Required && !overTls())
        return refuse(530, "5.7.0", "no mail in the clear: say STARTTLS first");
    if (transaction_) {
        clear();
        return refuse(503, "5.5.1", "MAIL inside a transaction: all of it is forgotten");
    }
    const auto rest = afterKeyword(command.argument, "FROM:");
    if (!rest) return refuse(501, "5.5.4", "say MAIL FROM:<address>");
    const auto path = mail::parsePath(*rest, mail::PathUse::MailFrom);
    if (!path.ok()) return refuse(501, "5.1.7", path.error().text);
    const auto parameters = parseMailParameters(path->rest);
    if (!parameters.ok()) {
        const bool unknown = parameters.error().code == Errc::NotFound;
        return refuse(unknown ? 555 : 501, "5.5.4", parameters.error().text);
    }
    beginMail(*path, *parameters);
}

void SmtpSession::beginMail(const mail::Path& path, const MailParameters& parameters) {
    if (parameters.size > listener_.limits.messageSize) {
        return refuse(
            552, "5.3.4",
            "the message is larger than " + std::to_string(listener_.limits.messageSize) + " bytes");
    }
    if (const auto room = door_.checkRoom(parameters.size); !room.ok()) {
        const Answer answer = answerFor(room.error());
        reply(answer.code, answer.enhanced, answer.text);
        if (answer.code == 421) close("shutdown");
        return;
    }
    Transaction& transaction = transaction_.emplace();
    transaction.message.sender = path.isNull ? std::string() : path.address.text();
    transaction.message.source = listener_.name;
    transaction.message.client = client_.name;
    transaction.message.helo = helo_;
    transaction.message.protocol = protocolName();
    transaction.message.eightBit = parameters.eightBit;
    transaction.announced = parameters.size;
    reply(250, "2.1.0", "Ok");
}

void SmtpSession::onRcpt(const Command& command) {
    if (!transaction_) return refuse(503, "5.5.1", "MAIL comes before RCPT");
    const auto rest = afterKeyword(command.argument, "TO:");
    if (!rest) return refuse(501, "5.5.4", "say RCPT TO:<address>");
    const auto path = mail::parsePath(*rest, mail::PathUse::RcptTo);
    if (!path.ok()) return refuse(501, "5.1.3", path.error().text);
    if (!path->rest.empty()) return refuse(555, "5.5.4", "RCPT takes no parameters here");
    mail::Address address = path->address;
    if (address.domain.empty()) address.domain = hostname_;  // <postmaster> is ours (RFC 5321 4.5.1)
    addRecipient(address.text());
}

// The same recipient named twice is accepted twice; the router makes one delivery of it (KB Q181797).
void SmtpSession::addRecipient(const std::string& address) {
    if (static_cast<int>(transaction_->recipients.size()) >= listener_.limits.recipients) {
        return refuseRecipient(address, {452, "4.5.3", "too many recipients: send the rest in another mail"});
    }
    auto routed = door_.routeRecipient(
        address, {transaction_->message.sender, transaction_->announced, listener_.name, {}});
    if (!routed.ok()) {
        Answer answer = answerFor(routed.error());
        if (answer.code >= 500) answer.text = "<" + address + ">: " + answer.text;
        return refuseRecipient(address, answer);
    }
    transaction_->recipients.push_back(std::move(*routed));
    reply(250, "2.1.5", "Ok");
}

// A long list with some dead addresses is no attack: refused recipients count as errors only when there are
// more of them than a mail may have recipients.
void SmtpSession::refuseRecipient(const std::string& address, const Answer& answer) {
    reply(answer.code, answer.enhanced, answer.text);
    LogLine(LogEvent::RecipientRefused)
        .with("client", client_.name)
        .with("recipient", address)
        .with("reply", std::to_string(answer.code) + " " + answer.enhanced + " " + answer.text);
    if (answer.code == 421) return close("shutdown");
    if (++refusedRecipients_ > listener_.limits.recipients) countError();
}

// Whatever a DATA is refused for, the transaction is over: its recipients must not meet the next mail's text.
void SmtpSession::onData(const Command& command, std::string_view behind) {
    const bool begun = transaction_.has_value();
    const bool anyone = begun && !transaction_->recipients.empty();
    if (!behind.empty()) {
        refuse(503, "5.5.0", "the text of a mail waits for the 354 (RFC 2920 3.1); closing");
        return close("pipelining");
    }
    if (anyone && command.argument.empty()) return beginText();
    clear();
    if (!command.argument.empty()) return refuse(501, "5.5.4", "DATA takes no argument");
    if (!begun) return refuse(503, "5.5.1", "MAIL and RCPT come before DATA");
    const bool lmtp = listener_.protocol == config::Protocol::Lmtp;
    refuse(lmtp ? 503 : 554, "5.5.1", "no valid recipients");
}

void SmtpSession::beginText() {
    Transaction& mail = *transaction_;
    mail.message.received = now_.wall;
    mail.body = door_.newBody();
    if (const auto begun = mail.body->append(receivedLine(mail.message)); !begun.ok()) {
        const Answer answer = answerFor(begun.error());
        clear();
        return reply(answer.code, answer.enhanced, answer.text);
    }
    text_.begin(listener_.limits.textLine);
    phase_ = Phase::Text;
    reply(354, {}, "end with <CR><LF>.<CR><LF>");
}

void SmtpSession::onRset(const Command& command) {
    if (!command.argument.empty()) return refuse(501, "5.5.4", "RSET takes no argument");
    clear();
    reply(250, "2.0.0", "Ok");
}

void SmtpSession::onVerify(const Command& command) {
    if (command.argument.empty()) return refuse(501, "5.5.4", "say VRFY address");
    reply(252, "2.5.0", "addresses are not verified here; mail is taken or refused at RCPT");
}

void SmtpSession::onQuit(const Command& command) {
    if (!command.argument.empty()) return refuse(501, "5.5.4", "QUIT takes no argument");
    reply(221, "2.0.0", "Bye");
    saidQuit_ = true;
    close("quit");
}

}  // namespace postern::intake
