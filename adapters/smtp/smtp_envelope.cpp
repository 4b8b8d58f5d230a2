#include "adapters/smtp/smtp_envelope.h"

#include <algorithm>

#include "base/text.h"
#include "mail/address.h"

namespace postern::adapters {

namespace {

constexpr std::size_t kLongestPath = 254;  // RFC 5321 4.5.3.1.3, without the brackets
constexpr std::size_t kAtOnce = 50;        // RCPTs sent before their answers are read: they fit any buffer

bool ascii(std::string_view text) {
    return std::all_of(text.begin(), text.end(), [](unsigned char c) { return c < 0x80; });
}

// Something on both sides of its "@", and no blanks that folding would change: two such names that fold to
// one are one address.
bool wholeAddress(std::string_view name) {
    const std::size_t at = name.rfind('@');
    return at != std::string_view::npos && at > 0 && at + 1 < name.size() &&
           mail::foldLegacyName(name) == lowerAscii(name);
}

std::string mailLine(const SmtpEnvelope& envelope) {
    std::string line = "MAIL FROM:<" + envelope.sender + ">";
    if (envelope.size > 0) line += " SIZE=" + std::to_string(envelope.size);
    if (envelope.eightBit) line += " BODY=8BITMIME";
    if (envelope.utf8) line += " SMTPUTF8";
    if (!envelope.ret.empty()) line += " RET=" + envelope.ret;
    if (!envelope.envelopeId.empty()) line += " ENVID=" + envelope.envelopeId;
    return line + "\r\n";
}

std::string rcptLine(const SmtpRecipient& to) {
    std::string line = "RCPT TO:<" + to.path + ">";
    if (!to.notify.empty()) line += " NOTIFY=" + to.notify;
    if (!to.original.empty()) line += " ORCPT=" + to.original;
    return line + "\r\n";
}

// One transaction's dialogue.
class Dialogue {
  public:
    Dialogue(SmtpSession& session, const SmtpEnvelope& envelope, Millis patience, const Beat& beat)
        : session_(session), envelope_(envelope), patience_(patience), beat_(beat) {}

    EnvelopeEnd run() {
        const auto done = session_.offer().pipelining ? together() : oneByOne();
        if (!done.ok()) {
            end_.kind = EnvelopeEnd::Kind::Lost;
            end_.lost = done.error();
        }
        return std::move(end_);
    }

  private:
    using Kind = EnvelopeEnd::Kind;

    Result<SmtpReply> hear() {
        auto reply = session_.hear(patience_, beat_);
        // 421 before anything else: it closes a connection that was idle (RFC 5321 3.8), and says nothing of
        // a mail.
        end_.spoke = end_.spoke || (reply.ok() && reply->code != 421);
        if (reply.ok() && reply->code == 421)
            return fail(Errc::Unavailable, session_.peer() + ": " + reply->text());
        return reply;
    }
    Result<SmtpReply> say(const std::string& line) {
        POSTERN_TRY(session_.send(line, patience_, beat_));
        return hear();
    }

    Result<void> oneByOne() {
        POSTERN_LET(mail, say(mailLine(envelope_)));
        if (!mail.good()) return refuse(std::move(mail), true);
        for (const SmtpRecipient& to : envelope_.to) {
            POSTERN_LET(reply, say(rcptLine(to)));
            note(to, reply);
        }
        if (end_.accepted.empty()) return nobody();
        POSTERN_LET(data, say("DATA\r\n"));
        return dataAnswered(std::move(data));
    }

    // Everything up to DATA in one go where it is short; the answers come in order (RFC 2920 3.1).
    Result<void> together() {
        std::string group = mailLine(envelope_);
        std::optional<SmtpReply> mail;
        std::size_t sent = 0;
        do {
            const std::size_t end = std::min(sent + kAtOnce, envelope_.to.size());
            for (std::size_t i = sent; i < end; ++i) group += rcptLine(envelope_.to[i]);
            if (end == envelope_.to.size()) group += "DATA\r\n";
            POSTERN_TRY(session_.send(group, patience_, beat_, net::Link::Meanwhile::Answers));
            group.clear();
            if (!mail) {
                POSTERN_LET(reply, hear());
                mail = std::move(reply);
            }
            for (; sent < end; ++sent) {
                POSTERN_LET(reply, hear());
                if (mail->good()) note(envelope_.to[sent], reply);
            }
        } while (sent < envelope_.to.size() && mail->good());
        if (sent < envelope_.to.size()) return refuse(std::move(*mail), true);
        POSTERN_LET(data, hear());
        return concludePipelined(std::move(*mail), std::move(data));
    }

    Result<void> concludePipelined(SmtpReply mail, SmtpReply data) {
        // A host that wants a text for nobody gets none, not even a RSET, which would be text: the connection
        // is left as it is, which it must take as nothing sent (RFC 2920 3.1 would end it with a lone dot).
        const bool wantsText = data.code == 354;
        if (!mail.good()) return refuse(std::move(mail), true, !wantsText);
        if (!end_.accepted.empty()) return dataAnswered(std::move(data));
        if (!wantsText) return nobody();
        end_.kind = Kind::NoOne;
        end_.reusable = false;
        return {};
    }

    Result<void> refuse(SmtpReply reply, bool atMail, bool mayReset = true) {
        end_.kind = Kind::Refused;
        end_.atMail = atMail;
        end_.reply = std::move(reply);
        return mayReset ? reset() : Result<void>();
    }
    Result<void> nobody() {
        end_.kind = Kind::NoOne;
        return reset();
    }
    Result<void> dataAnswered(SmtpReply reply) {
        if (reply.code == 354) return {};
        return refuse(std::move(reply), false);
    }
    // Whether it worked is no matter for this mail.
    Result<void> reset() {
        const auto reply = say("RSET\r\n");
        end_.reusable = reply.ok() && reply->good();
        return {};
    }

    void note(const SmtpRecipient& to, const SmtpReply& reply) {
        if (reply.good()) {
            end_.accepted.push_back(to.ordinal);
            return;
        }
        // 552 is what some say for "too many recipients" (RFC 5321 4.5.3.1.10), 522 what KB Q176477 prints:
        // they mean that only behind others.
        const bool crowd =
            (reply.code == 452 || reply.code == 552 || reply.code == 522) && !end_.accepted.empty();
        Outcome outcome = outcomeOfReply(reply, session_.peer() + ": RCPT");
        if (crowd) {
            outcome.verdict = Verdict::Deferred;
            if (outcome.status.starts_with('5')) outcome.status.clear();  // a 552's says that it is over
        }
        end_.tooMany = end_.tooMany || crowd;
        end_.notTaken.push_back(
            {to.ordinal, outcome.verdict, outcome.reason, outcome.status, causeOfReply(reply)});
    }

    SmtpSession& session_;
    const SmtpEnvelope& envelope_;
    const Millis patience_;
    const Beat& beat_;
    EnvelopeEnd end_;
};

}  // namespace

bool fitsPath(std::string_view path) {
    if (path.size() > kLongestPath || !validUtf8(path)) return false;
    bool quoted = false, escaped = false;
    for (const unsigned char c : path) {
        if (c < 0x20 || c == 0x7f) return false;
        if (escaped) {
            escaped = false;
        } else if (quoted && c == '\\') {
            escaped = true;
        } else if (c == '"') {
            quoted = !quoted;
        } else if (!quoted && (c == ' ' || c == '<' || c == '>')) {
            return false;
        }
    }
    return !quoted;
}

Result<std::string> smtpPath(const Recipient& recipient, bool utf8) {
    const std::string& path = recipient.legacy.empty() ? recipient.address : recipient.legacy;
    if (!recipient.legacy.empty() && !wholeAddress(path))
        return fail(Errc::Invalid, "5.1.3 its legacy name '" + escapeLine(path, 300) +
                                       "' is no address; the route's legacy must make one, as in "
                                       "\"{address}\" or \"{local}@old.example\"");
    if (path.empty() || !fitsPath(path))
        return fail(Errc::Invalid, "5.1.3 '" + escapeLine(path, 300) + "' can not be sent as an address");
    if (!utf8 && !ascii(path))
        return fail(Errc::Invalid, "5.6.7 the host takes no address beyond ASCII, and the route gives " +
                                       recipient.address + " no other name");
    return path;
}

std::string notifyForHost(std::string_view asked) {
    if (asked.empty()) return {};
    std::string kept;
    for (const std::string_view word : split(asked, ','))
        if (word == "failure" || word == "delay") kept += (kept.empty() ? "" : ",") + upperAscii(word);
    return kept.empty() ? "NEVER" : kept;
}

EnvelopeEnd sendEnvelope(SmtpSession& session, const SmtpEnvelope& envelope, Millis patience,
                         const Beat& beat) {
    return Dialogue(session, envelope, patience, beat).run();
}

}  // namespace postern::adapters
