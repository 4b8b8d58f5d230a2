// The text of a mail, by DATA or by BDAT: kept, judged at its end, handed on.

#include <algorithm>

#include "base/log.h"
#include "base/text.h"
#include "connector/intake/smtp_session.h"
#include "connector/intake/trace.h"

namespace postern::intake {

namespace {
constexpr std::int64_t kLeastClaim = 64 << 10;  // bytes; doubles as the text grows
}

// Whatever a DATA is refused for, the transaction is over: its recipients must not meet the next mail's text.
void SmtpSession::onData(const Command& command, std::string_view behind) {
    if (!behind.empty()) {
        refuse(503, "5.5.0", "the text of a mail waits for the 354 (RFC 2920 3.1); closing");
        return close("pipelining");
    }
    const auto why = refusesText(command.argument.empty() ? "" : "DATA takes no argument");
    if (why) {
        clear();
        return refuse(why->code, why->enhanced, why->text);
    }
    if (const auto failed = beginText()) {
        clear();
        return reply(failed->code, failed->enhanced, failed->text);
    }
    text_.begin(listener_.limits.textLine);
    phase_ = Phase::Text;
    reply(354, {}, "end with <CR><LF>.<CR><LF>");
}

std::optional<Answer> SmtpSession::refusesText(std::string_view syntax) const {
    const bool lmtp = listener_.protocol == config::Protocol::Lmtp;
    if (!syntax.empty()) return Answer{501, "5.5.4", std::string(syntax)};
    if (!transaction_) return Answer{503, "5.5.1", "MAIL and RCPT come before DATA"};
    if (transaction_->chunked) return Answer{503, "5.5.1", "DATA inside a mail begun with BDAT (RFC 3030 2)"};
    if (transaction_->message.binary) {
        return Answer{503, "5.6.1", "BODY=BINARYMIME is sent with BDAT only (RFC 3030 3)"};
    }
    if (transaction_->recipients.empty()) return Answer{lmtp ? 503 : 554, "5.5.1", "no valid recipients"};
    return std::nullopt;
}

// With our trace fields first, unless what is missing in the header stands right below them and is not known
// yet. An Answer when the mail can not be kept.
std::optional<Answer> SmtpSession::beginText() {
    Transaction& mail = *transaction_;
    mail.message.received = now_.wall;
    mail.trace = traceId();
    mail.body = door_.newBody();
    if (listener_.submission) return std::nullopt;
    if (const auto begun = mail.body->append(traceAbove()); !begun.ok()) return answerFor(begun.error());
    mail.headerKept = true;
    return std::nullopt;
}

std::string SmtpSession::traceAbove() const {
    const Transaction& mail = *transaction_;
    TraceFacts facts;
    facts.helo = helo_;
    facts.literal = client_.literal;
    facts.hostname = hostname_;
    facts.protocol = mail.message.protocol;
    if (tls_) facts.tls = tls_->cipher + " (" + tls_->protocol + ")";
    facts.id = mail.trace;
    if (mail.recipients.size() == 1) facts.recipient = mail.recipients.front().address;
    facts.storeId = door_.storeId();
    facts.when = mail.message.received;
    return traceLines(facts);
}

void SmtpSession::workText(std::string_view& input) {
    const bool end = text_.take(input, [this](std::string_view text) { keep(text); });
    if (text_.flaws().any()) {
        transaction_->body.reset();
        transaction_->room = {};  // its sender may go on for hours
    }
    if (end) return endText(text_.flaws());
    if (transaction_->size / kReadOnFactor > listener_.limits.messageSize) {
        endText({});
        close("size");
    }
}

Answer SmtpSession::tooLarge() const {
    return {552, "5.3.4",
            "the message is larger than " + std::to_string(listener_.limits.messageSize) + " bytes"};
}

// A refused mail gives its memory and its file back at once; what comes of it is counted and dropped.
void SmtpSession::keep(std::string_view text) {
    Transaction& mail = *transaction_;
    mail.size += static_cast<std::int64_t>(text.size());
    if (mail.size > listener_.limits.messageSize) refuseText(tooLarge());
    if (!mail.body) return;
    if (mail.size > mail.claimed && !claimMore()) return;
    if (!mail.header.over()) mail.header.feed(text);
    mail.digest.update(text);
    if (mail.headerKept) return append(text);
    mail.held += text;
    if (mail.header.over()) keepHeader();
}

// The sender announced nothing, or too little: room is kept as its text comes in.
bool SmtpSession::claimMore() {
    Transaction& mail = *transaction_;
    const std::int64_t step = std::max(kLeastClaim, mail.size);
    auto more = door_.claimRoom(step);
    if (!more.ok()) {
        refuseText(answerFor(more.error()));
        return false;
    }
    mail.room.add(std::move(*more));
    mail.claimed = mail.size + step;
    return true;
}

void SmtpSession::append(std::string_view bytes) {
    const auto kept = transaction_->body->append(bytes);
    if (kept.ok()) return;
    LogLine(LogEvent::StoreTrouble).with("client", client_.name).with("error", kept.error().text);
    refuseText(answerFor(kept.error()));
}

// RFC 6409 8: what a person's program left out is added. A header too long to be looked at is left alone.
void SmtpSession::keepHeader() {
    Transaction& mail = *transaction_;
    mail.headerKept = true;
    std::string above = traceAbove();
    if (!mail.header.tooLong() && !mail.header.hasDate()) {
        above += "Date: " + formatRfc5322(mail.message.received) + "\r\n";
    }
    if (!mail.header.tooLong() && !mail.header.hasMessageId()) {
        const auto millis = mail.message.received.time_since_epoch().count();
        mail.message.headerId = "<" + std::to_string(millis) + "." + mail.trace + "@" + hostname_ + ">";
        above += "Message-ID: " + mail.message.headerId + "\r\n";
    }
    append(above + std::exchange(mail.held, {}));
}

void SmtpSession::refuseText(Answer answer) {
    if (!transaction_->refusal) transaction_->refusal = std::move(answer);
    transaction_->body.reset();
    transaction_->room = {};
}

// Line ends come before everything else: a mail that could mean two things is not believed in any part.
void SmtpSession::refuseFlaws(const TextFlaws& flaws) {
    HeaderScan& header = transaction_->header;
    const auto set = [this](std::string_view enhanced, std::string_view text) {
        transaction_->refusal = Answer{550, std::string(enhanced), std::string(text)};
    };
    if (flaws.bareLf) {
        set("5.5.2", "bare LF in the message: only CR LF ends a line (RFC 5321 2.3.8)");
    } else if (flaws.bareCr) {
        set("5.5.2", "bare CR in the message: only CR LF ends a line (RFC 5321 2.3.8)");
    } else if (flaws.nul) {
        set("5.6.0", "NUL in the message (RFC 5322 4)");
    } else if (flaws.longLine) {
        refuseText(
            {554, "5.6.0", "a line is longer than " + std::to_string(listener_.limits.textLine) + " bytes"});
    } else if (header.receivedCount() > listener_.limits.hops) {
        refuseText({554, "5.4.6", "too many hops: the message is in a loop"});
    } else if (header.traceCount() >= kMostOwnTraces) {
        refuseText({554, "5.4.6", "the message was here before: it is in a loop"});
    }
}

void SmtpSession::refuseMail() {
    const Transaction& mail = *transaction_;
    const Answer answer = *mail.refusal;
    LogLine(LogEvent::MessageRefused)
        .with("client", client_.name)
        .with("sender", mail.message.sender)
        .with("reply", std::to_string(answer.code) + " " + answer.enhanced + " " + answer.text);
    finish(answer);
}

// After DATA the bytes behind a mail with wrong line ends may be its smuggled part: none of them is believed.
// In chunks the client has counted them.
void SmtpSession::endText(const TextFlaws& flaws) {
    Transaction& mail = *transaction_;
    mail.header.end();
    refuseFlaws(flaws);
    if (mail.body && !mail.headerKept) keepHeader();
    waitingReplies_ =
        listener_.protocol == config::Protocol::Lmtp ? static_cast<int>(mail.recipients.size()) : 1;
    if (mail.refusal) {
        const bool closes = !mail.chunked && (flaws.lineEnds() || flaws.nul);
        if (closes) mail.refusal->text += "; closing";
        refuseMail();
        if (closes) close("line ends");
        return;
    }
    if (mail.message.headerId.empty()) mail.message.headerId = mail.header.messageId();
    mail.message.subject = mail.header.subject();
    IncomingMail& finished = finished_.emplace();
    finished.message = std::move(mail.message);
    finished.recipients = std::move(mail.recipients);
    finished.body = std::move(mail.body);
    finished.room = std::move(mail.room);
    finished.header = std::move(mail.header.block());
    finished.digest = mail.digest.finish();
    finished.trace = mail.trace;
    finished.duplicatesWithin = listener_.duplicatesWithin;
    phase_ = Phase::Waiting;
}

}  // namespace postern::intake
