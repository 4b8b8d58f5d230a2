#pragma once
// A converted message as the plainest Internet message (RFC 822): one text/plain in the target's charset, or
// multipart/mixed where the profile keeps attachments as MIME. For readers that know no MIME at all.
// Thread rule: pure.

#include <functional>
#include <string>
#include <string_view>

#include "base/source.h"
#include "mail/convert.h"

namespace postern::mail {

// Writes `converted`, made from `message` with `profile`. Lines end with CRLF and have at most 998 bytes;
// fields are folded at 78 where they can be (RFC 5322 2.1.1), "References" is cut to its first and last ten.
// A charset beyond US-ASCII is declared in MIME fields. Header fields are US-ASCII always; an address that is
// not stands as an empty group that names it (RFC 6857). Stops at the sink's first error.
Result<void> writePlainMessage(const Readable& message, const Converted& converted, const Profile& profile,
                               const std::function<Result<void>(std::string_view)>& sink);

// The Received fields of a message, newest first, in US-ASCII: they go in front of a plain message, so that
// whoever counts hops sees a loop. Errors are the source's.
Result<std::string> traceFields(ByteSource& source);

}  // namespace postern::mail
