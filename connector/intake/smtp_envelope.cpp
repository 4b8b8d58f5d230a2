// MAIL and RCPT: who sends, to whom, and whether this client may.

#include <algorithm>

#include "base/log.h"
#include "base/networks.h"
#include "base/text.h"
#include "connector/intake/smtp_parameters.h"
#include "connector/intake/smtp_session.h"
#include "mail/address.h"

namespace postern::intake {

namespace {

bool unknownParameter(const Error& error) {
    return error.code == Errc::NotFound;
}

}  // namespace

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
    const auto path = mail::parsePath(*rest, mail::PathUse::MailFrom, addressOptions(command));
    if (!path.ok()) return refuse(501, "5.1.7", path.error().text);
    const auto parameters = parseMailParameters(path->rest, offersAuth());
    if (!parameters.ok()) {
        return refuse(unknownParameter(parameters.error()) ? 555 : 501, "5.5.4", parameters.error().text);
    }
    if (command.utf8 && !parameters->utf8) return refuse(553, "5.6.7", "say SMTPUTF8 with such an address");
    beginMail(*path, *parameters);
}

mail::AddressOptions SmtpSession::addressOptions(const Command& command) const {
    return {.utf8 = command.utf8, .relaxed = listener_.relaxedAddresses};
}

void SmtpSession::beginMail(const mail::Path& path, const MailParameters& parameters) {
    if (parameters.size > listener_.limits.messageSize) {
        const Answer answer = tooLarge();
        return refuse(answer.code, answer.enhanced, answer.text);
    }
    if (const auto room = door_.checkRoom(parameters.size); !room.ok()) {
        const Answer answer = answerFor(room.error());
        reply(answer.code, answer.enhanced, answer.text);
        if (answer.code == 421) close("shutdown");
        return;
    }
    Transaction& transaction = transaction_.emplace(door_.storeId());
    store::NewMessage& message = transaction.message;
    message.sender = path.isNull ? std::string() : path.address.text();
    message.source = listener_.name;
    message.client = client_.name;
    message.helo = helo_;
    message.protocol = protocolName(parameters.utf8);
    message.eightBit = parameters.body != Body::SevenBit;
    message.binary = parameters.body == Body::Binary;
    message.account = account_;
    message.envelopeId = parameters.envelopeId;
    message.ret = parameters.ret;
    message.utf8 = parameters.utf8;
    transaction.announced = parameters.size;
    reply(250, "2.1.0", "Ok");
}

// RFC 3848, RFC 6531 4.3. There is no word for HELO over TLS.
std::string SmtpSession::protocolName(bool utf8) const {
    if (hello_ == Hello::Helo && !utf8) return "SMTP";
    std::string name = hello_ == Hello::Lhlo ? "LMTP" : utf8 ? "SMTP" : "ESMTP";
    if (utf8) name.insert(0, "UTF8");
    if (overTls()) name += 'S';
    if (!account_.empty()) name += 'A';
    return name;
}

void SmtpSession::onRcpt(const Command& command) {
    if (!transaction_) return refuse(503, "5.5.1", "MAIL comes before RCPT");
    if (transaction_->chunked) return refuse(503, "5.5.1", "RCPT comes before the first BDAT");
    const auto rest = afterKeyword(command.argument, "TO:");
    if (!rest) return refuse(501, "5.5.4", "say RCPT TO:<address>");
    const auto path = mail::parsePath(*rest, mail::PathUse::RcptTo, addressOptions(command));
    if (!path.ok()) return refuse(501, "5.1.3", path.error().text);
    const auto parameters = parseRcptParameters(path->rest);
    if (!parameters.ok()) {
        return refuse(unknownParameter(parameters.error()) ? 555 : 501, "5.5.4", parameters.error().text);
    }
    if (command.utf8 && !transaction_->message.utf8) {
        return refuse(553, "5.6.7", "such an address wants SMTPUTF8 at MAIL");
    }
    mail::Address address = path->address;
    if (address.domain.empty()) address.domain = hostname_;  // <postmaster> is ours (RFC 5321 4.5.1)
    if (!maySendTo(address)) return refuseSender();
    addRecipient(address.text(), *parameters);
}

// Asked at RCPT and not before, as Postfix does: the log then tells what was wanted, and <postmaster> here
// can be reached by those who want to ask why they are refused (RFC 5321 4.5.1), as far as a route takes it.
bool SmtpSession::maySendTo(const mail::Address& recipient) {
    if (!maySend_) maySend_ = maySend();
    if (*maySend_) return true;
    return listener_.auth != config::Auth::Required && equalsIgnoreCase(recipient.local, "postmaster") &&
           equalsIgnoreCase(recipient.domain, hostname_);
}

bool SmtpSession::maySend() const {
    if (!account_.empty()) return true;
    if (listener_.auth == config::Auth::Required) return false;
    if (client_.address.empty()) return true;  // a Unix socket: its file's mode says who may
    const auto networks = Networks::parse(listener_.networks);
    return showedCertificate() || (networks.ok() && networks->contains(client_.address));
}

// A fingerprint names one certificate, whoever signed it; a name is worth what its authority is.
bool SmtpSession::showedCertificate() const {
    if (!tls_) return false;
    const auto& listed = listener_.clientCertificates;
    return std::any_of(listed.begin(), listed.end(), [this](const std::string& each) {
        if (each.starts_with("sha256:")) return equalsIgnoreCase(each, tls_->clientFingerprint);
        return tls_->clientVerified && !each.empty() && each == tls_->clientName;
    });
}

void SmtpSession::refuseSender() {
    if (listener_.auth != config::Auth::Off) return refuse(530, "5.7.0", "Authentication required");
    refuse(554, "5.7.1", client_.literal + ": this client may not send here");
}

// The same recipient named twice is accepted twice; the router makes one delivery of it (KB Q181797).
void SmtpSession::addRecipient(const std::string& address, const RcptParameters& parameters) {
    if (static_cast<int>(transaction_->recipients.size()) >= listener_.limits.recipients) {
        return refuseRecipient(address, {452, "4.5.3", "too many recipients: send the rest in another mail"});
    }
    auto routed = door_.routeRecipient(
        address, {transaction_->message.sender, transaction_->announced, listener_.name, account_});
    if (!routed.ok()) {
        Answer answer = answerFor(routed.error());
        if (answer.code >= 500) answer.text = "<" + address + ">: " + answer.text;
        return refuseRecipient(address, answer);
    }
    // Not at MAIL: who may not send here must not keep others' room.
    if (transaction_->recipients.empty()) {
        auto room = door_.claimRoom(transaction_->announced);
        if (!room.ok()) return refuseRecipient(address, answerFor(room.error()));
        transaction_->room = std::move(*room);
        transaction_->claimed = transaction_->announced;
    }
    routed->notify = parameters.notify;
    routed->original = parameters.original;
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

// Addresses are not verified, but the rules of their letters are the same (RFC 6531 3.7.4.2).
void SmtpSession::onVerify(const Command& command) {
    if (command.argument.empty()) return refuse(501, "5.5.4", "say VRFY address");
    const bool said = equalsIgnoreCase(
        command.argument.substr(command.argument.size() - std::min<std::size_t>(command.argument.size(), 9)),
        " SMTPUTF8");
    if (command.utf8 && !said) return refuse(553, "5.6.7", "say SMTPUTF8 with such an address");
    reply(252, "2.5.0", "addresses are not verified here; mail is taken or refused at RCPT");
}

}  // namespace postern::intake
