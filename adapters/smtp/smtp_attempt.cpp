#include "adapters/smtp/smtp_attempt.h"

#include <algorithm>
#include <cstdio>

#include "adapters/smtp/smtp_text.h"
#include "adapters/smtp/smtp_verdicts.h"
#include "base/text.h"

namespace postern::adapters {

namespace {

using Kind = SmtpAttempt::Kind;

constexpr std::size_t kLongestEnvelopeId = 100;  // RFC 3461 4.4
constexpr int kLongestLine = 998;                // RFC 5321 4.5.3.1.6, without CRLF

bool ascii(std::string_view text) {
    return std::all_of(text.begin(), text.end(), [](unsigned char c) { return c < 0x80; });
}

// xtext of RFC 3461 4: printable US-ASCII, "+" and "=" as "+HH".
std::string xtext(std::string_view text) {
    std::string out;
    for (const unsigned char c : text) {
        char hex[4];
        std::snprintf(hex, sizeof hex, "+%02X", c);
        if (c > 0x20 && c < 0x7f && c != '+' && c != '=')
            out += static_cast<char>(c);
        else
            out += hex;
    }
    return out;
}

bool plainWord(std::string_view text) {
    return std::all_of(text.begin(), text.end(), [](unsigned char c) { return c > 0x20 && c < 0x7f; });
}

Outcome rejectedWith(const char* status, std::string reason) {
    Outcome outcome = rejected(std::move(reason));
    outcome.status = status;
    return outcome;
}

class Attempt {
  public:
    Attempt(const SmtpPlan& plan, std::unique_ptr<SmtpSession> session, const Delivery& delivery,
            bool hasSuccessor, const Beat& beat)
        : plan_(plan),
          session_(std::move(session)),
          delivery_(delivery),
          hasSuccessor_(hasSuccessor),
          beat_(beat) {}

    SmtpAttempt run() {
        step();
        return std::move(made_);
    }

  private:
    void step() {
        const SmtpOffer& offer = session_->offer();
        auto formed = FormedMessage::make(delivery_, plan_.format, carrierOf(offer), made_.notes);
        if (!formed.ok()) return noMessage(formed.error());
        envelope_.eightBit = formed->eightBit() && offer.eightBit;
        if (!address(formed->utf8Header()) || !measure(*formed)) return;
        askForReports(offer);
        const EnvelopeEnd end = sendEnvelope(*session_, envelope_, plan_.patience.command, beat_);
        made_.flight.notTaken.insert(made_.flight.notTaken.end(), end.notTaken.begin(), end.notTaken.end());
        if (end.kind != EnvelopeEnd::Kind::Ready) return notWanted(end);
        sendText(*formed, end);
    }

    void settle(Outcome outcome) {
        made_.kind = Kind::Settled;
        made_.outcome = std::move(outcome);
    }
    void next(Outcome outcome) {
        made_.kind = Kind::NextHost;
        made_.outcome = std::move(outcome);
    }
    // Nobody has it. Refused for good ends here, whatever else another host may say otherwise.
    void turnedAway(Outcome outcome) {
        outcome.verdict == Verdict::Rejected ? settle(std::move(outcome)) : next(std::move(outcome));
    }
    // Those to whom the host said nothing yet are told `verdict`; the others keep what they were told.
    Outcome withOthers(RecipientVerdict verdict) const {
        std::vector<RecipientVerdict> known = made_.flight.notTaken;
        for (const Recipient& recipient : delivery_.recipients) {
            verdict.ordinal = recipient.ordinal;
            const bool told = std::any_of(known.begin(), known.end(), [&](const RecipientVerdict& each) {
                return each.ordinal == recipient.ordinal;
            });
            if (!told) known.push_back(verdict);
        }
        return combined(std::move(known), "");
    }
    // A connection that broke before the dot took nothing with it.
    void lost(const Error& error) {
        made_.hostTrouble = true;
        turnedAway(withOthers({0, Verdict::Deferred, error.text, {}, Cause::Connection}));
    }
    void keepSession() { made_.spare = std::move(session_); }

    void noMessage(const Error& error) {
        keepSession();
        if (error.code != Errc::Invalid) return settle(deferred(error));
        next(rejectedWith("5.6.3", error.text));  // RFC 3463 3.7: conversion required but not supported
    }

    // Who gets it, and in which words. False: it is over.
    bool address(bool utf8Header) {
        const bool offered = session_->offer().utf8;
        envelope_.sender = delivery_.sender;
        const bool said = fitsPath(envelope_.sender);
        if (!said || (!offered && !ascii(envelope_.sender))) {
            const std::string why =
                "the sender's address, " + escapeLine(delivery_.sender, 300) + ", can not be said to ";
            if (said)
                next(rejectedWith("5.6.7", why + session_->peer()));
            else
                settle(rejectedWith("5.1.7", why + "any host"));
            keepSession();
            return false;
        }
        envelope_.utf8 = offered && (utf8Header || !ascii(envelope_.sender));
        for (const Recipient& recipient : delivery_.recipients) {
            auto path = smtpPath(recipient, offered);
            if (!path.ok()) continue;
            envelope_.utf8 = envelope_.utf8 || !ascii(*path);
            envelope_.to.push_back({recipient.ordinal, std::move(*path), {}, {}});
        }
        for (const Recipient& recipient : delivery_.recipients)
            if (const auto path = smtpPath(recipient, offered); !path.ok())
                notSaid(recipient, path.error().text);
        if (!envelope_.to.empty()) return true;
        keepSession();
        next(combined(made_.flight.notTaken, ""));
        return false;
    }

    // `text` begins with its status. Another host may know how to take it: then the recipient waits for its
    // turn there, by itself, when the others are served.
    void notSaid(const Recipient& recipient, const std::string& text) {
        const bool waits = hasSuccessor_ && !envelope_.to.empty() && smtpPath(recipient, true).ok();
        made_.flight.tooMany = made_.flight.tooMany || waits;
        if (waits)
            made_.flight.notTaken.push_back({recipient.ordinal,
                                             Verdict::Deferred,
                                             session_->peer() + ": " + text.substr(6),
                                             {},
                                             Cause::Refused});
        else
            made_.flight.notTaken.push_back(
                {recipient.ordinal, Verdict::Rejected, text.substr(6), text.substr(0, 5)});
    }

    // False: it is too large for the host, or for us.
    bool measure(const FormedMessage& formed) {
        const SmtpOffer& offer = session_->offer();
        if (!offer.size && plan_.maxSize == 0) return true;
        std::int64_t size = 0;
        const auto counted = formed.writeTo([&](std::string_view bytes) -> Result<void> {
            size += static_cast<std::int64_t>(bytes.size());
            return {};
        });
        if (!counted.ok()) {
            keepSession();
            settle(deferred(counted.error()));
            return false;
        }
        std::int64_t most = plan_.maxSize;
        if (offer.largest > 0 && (most == 0 || offer.largest < most)) most = offer.largest;
        if (offer.size) envelope_.size = size;
        if (most == 0 || size <= most) return true;
        const std::string where = session_->peer();
        keepSession();
        next(rejectedWith("5.3.4", where + " takes mail of at most " + std::to_string(most) +
                                       " bytes, and this is of " + std::to_string(size)));
        return false;
    }

    void askForReports(const SmtpOffer& offer) {
        if (!offer.dsn) return;
        envelope_.ret = upperAscii(delivery_.ret);
        const std::string id = xtext(delivery_.envelopeId);
        if (id.size() <= kLongestEnvelopeId) envelope_.envelopeId = id;
        for (SmtpRecipient& to : envelope_.to) {
            for (const Recipient& recipient : delivery_.recipients) {
                if (recipient.ordinal != to.ordinal) continue;
                to.notify = notifyForHost(recipient.notify);
                if (plainWord(recipient.original)) to.original = recipient.original;
            }
        }
    }

    // No text went out. What another host may say otherwise is left to it.
    void notWanted(const EnvelopeEnd& end) {
        const std::string where = session_->peer();
        if (end.kind == EnvelopeEnd::Kind::Lost) {
            // A host that is there and silent is no connection that had ended.
            if (session_->used() && !end.spoke && end.lost->code == Errc::Unavailable) {
                made_.kind = Kind::Stale;
                return;
            }
            return lost(*end.lost);
        }
        if (end.reusable) keepSession();
        if (end.kind == EnvelopeEnd::Kind::NoOne) return turnedAway(combined(made_.flight.notTaken, ""));
        if (!end.atMail) return turnedAway(withOthers(verdictOf(0, *end.reply, where + ": DATA")));
        // What it has against the size, the sender or a parameter another host may not have.
        made_.hostTrouble = !end.reply->permanent();
        next(outcomeOfReply(*end.reply, where + ": MAIL"));
    }

    void sendText(const FormedMessage& formed, const EnvelopeEnd& end) {
        std::optional<Error> broken;
        SmtpText text([&](std::string_view bytes) -> Result<void> {
            auto sent = session_->send(bytes, plan_.patience.data, beat_);
            if (!sent.ok()) broken = sent.error();
            if (beat_) beat_();
            return sent;
        });
        auto written = formed.writeTo([&](std::string_view bytes) { return text.write(bytes); });
        if (written.ok()) written = text.finish();
        if (broken) return brokenText(*broken);
        if (!written.ok())
            return settle(deferred(written.error()));  // the session ends with its text cut off
        made_.kind = Kind::Staged;
        made_.flight.accepted = end.accepted;
        made_.flight.tooMany = made_.flight.tooMany || end.tooMany;
        made_.flight.session = std::move(session_);
    }

    // KB Q152940: some answer in the middle of the text, and close.
    void brokenText(const Error& error) {
        if (error.code != Errc::Exists) return lost(error);
        const auto reply = session_->hear(Millis(1'000), beat_);
        if (!reply.ok() || reply->good() || reply->code == 421) return lost(error);
        turnedAway(withOthers(verdictOf(0, *reply, session_->peer() + ": in the middle of the text")));
    }

    const SmtpPlan& plan_;
    std::unique_ptr<SmtpSession> session_;
    const Delivery& delivery_;
    const bool hasSuccessor_;
    const Beat& beat_;
    SmtpEnvelope envelope_;
    SmtpAttempt made_;
};

}  // namespace

mail::Carrier carrierOf(const SmtpOffer& offer) {
    mail::Carrier carrier;
    carrier.eightBit = offer.eightBit;
    carrier.utf8Header = offer.utf8;
    carrier.rawHeader = false;
    carrier.binary = false;
    carrier.lineLimit = kLongestLine;
    return carrier;
}

SmtpAttempt attemptAt(const SmtpPlan& plan, std::unique_ptr<SmtpSession> session, const Delivery& delivery,
                      bool hasSuccessor, const Beat& beat) {
    return Attempt(plan, std::move(session), delivery, hasSuccessor, beat).run();
}

}  // namespace postern::adapters
