#pragma once
// The ESMTP parameters of MAIL and RCPT: SIZE (RFC 1870), BODY (RFC 6152, 3030), SMTPUTF8 (RFC 6531), RET,
// ENVID, NOTIFY and ORCPT (RFC 3461), AUTH (RFC 4954 5). Read strictly: each once at most, with its limits;
// names and keywords in any case.
//
// Errors: NotFound for a parameter we do not know (555), Invalid for one with a wrong value or given twice
// (501). Thread rule: pure functions.

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace postern::intake {

enum class Body { SevenBit, EightBit, Binary };

struct MailParameters {
    std::int64_t size = 0;  // 0: not announced; a number too large for 64 bits is the largest
    Body body = Body::SevenBit;
    bool utf8 = false;
    std::string ret;         // "", "full", "hdrs"
    std::string envelopeId;  // decoded; printable ASCII
};
// `auth`: AUTH was offered, so that its parameter is known. Its value is checked and not believed: nobody
// here is trusted to name another sender (RFC 4954 5).
Result<MailParameters> parseMailParameters(std::string_view text, bool auth);

struct RcptParameters {
    std::string notify;    // "", "never", or of "success,failure,delay" what was given, in this order
    std::string original;  // "rfc822;xtext" as given
};
Result<RcptParameters> parseRcptParameters(std::string_view text);

}  // namespace postern::intake
