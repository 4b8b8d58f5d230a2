#pragma once
// MAIL, RCPT and DATA of one transaction, up to the 354, and what each recipient was told.
// Thread rule: one thread.

#include <optional>
#include <string>
#include <vector>

#include "adapters/adapter.h"
#include "adapters/smtp/smtp_session.h"

namespace postern::adapters {

struct SmtpRecipient {
    int ordinal = 0;
    std::string path;      // what stands between "<" and ">"
    std::string notify;    // as RFC 3461 has it, ready to be sent; empty: nothing
    std::string original;  // ORCPT, likewise
};

struct SmtpEnvelope {
    std::string sender;
    std::vector<SmtpRecipient> to;
    bool eightBit = false, utf8 = false;  // BODY=8BITMIME, SMTPUTF8
    std::int64_t size = 0;                // SIZE=; 0: not said
    std::string ret, envelopeId;          // RET=, ENVID= (xtext); empty: not said
};

// The name that the host is to know a recipient by: the legacy name, or the Internet address where the route
// gives none. Nothing ever stands in for a legacy name: recipients of one legacy name are named once, so what
// is sent must be what they were folded by (mail::foldLegacyName). Errc::Invalid: no path can be made of it,
// or it is beyond ASCII and the host lacks SMTPUTF8 (`utf8`); the text begins with its status ("5.6.7 ...").
Result<std::string> smtpPath(const Recipient& recipient, bool utf8);
// Whether `path` can stand between "<" and ">": nothing that ends it or the line, at most 254 bytes.
bool fitsPath(std::string_view path);

// What this sender asked for, in words that leave success to us: we say "relayed" ourselves, so the host is
// not asked to report a delivery as well (RFC 3461 5.2).
std::string notifyForHost(std::string_view asked);

struct EnvelopeEnd {
    enum class Kind {
        Ready,    // 354: the text is wanted
        NoOne,    // no recipient was taken; the transaction is over, or was reset
        Refused,  // MAIL or DATA was; `reply`
        Lost,     // the connection; `lost`
    };
    Kind kind = Kind::Ready;
    std::vector<int> accepted;               // ordinals, in the order of RCPT
    std::vector<RecipientVerdict> notTaken;  // Rejected or Deferred
    bool tooMany = false;                    // some were not taken because others were (KB Q176477)
    bool spoke = false;                      // the host answered something of it but 421
    bool atMail = false;                     // Refused: at MAIL
    bool reusable = false;                   // another transaction may follow on this connection
    std::optional<SmtpReply> reply;
    std::optional<Error> lost;
};

EnvelopeEnd sendEnvelope(SmtpSession& session, const SmtpEnvelope& envelope, Millis patience,
                         const Beat& beat);

}  // namespace postern::adapters
