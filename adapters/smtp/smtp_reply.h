#pragma once
// Answers of an SMTP or LMTP server (RFC 5321 4.2, RFC 3463): read with bounds, and what they mean.
// Thread rule: one thread for each link; the rest is pure.

#include <string>
#include <string_view>

#include "adapters/outcome.h"
#include "net/link.h"

namespace postern::adapters {

struct SmtpReply {
    int code = 0;
    std::string status;              // "5.1.1" where it says one that fits its code, else empty
    std::vector<std::string> lines;  // behind the code, the status included

    bool good() const { return code / 100 == 2; }
    bool temporary() const { return code / 100 == 4; }
    bool permanent() const { return code / 100 == 5; }
    std::string text() const;  // "550 5.1.1 no such user", one safe line
};

// Errors as the Link's; Errc::Invalid also when it is no answer: then nobody knows what the server meant.
// At most 256 lines of 4096 bytes.
Result<SmtpReply> readSmtpReply(net::Link& link, Millis limit, const net::Waiting& waiting);

// The status of `reply`, or `fallback` when it says none ("5.3.4").
std::string statusOr(const SmtpReply& reply, std::string_view fallback);
Cause causeOfReply(const SmtpReply& reply);
// What a refusal (any code but 2xx) makes of a mail: 5xx Rejected, everything else Deferred. `where` is the
// host, and the command where that helps.
Outcome outcomeOfReply(const SmtpReply& reply, const std::string& where);

}  // namespace postern::adapters
