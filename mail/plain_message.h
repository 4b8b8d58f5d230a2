#pragma once
// A converted message as the plainest Internet message (RFC 822): one text/plain in the target's charset, or
// multipart/mixed where the profile keeps attachments as MIME. For readers that know no MIME at all.
// Thread rule: pure.

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/source.h"
#include "mail/convert.h"

namespace postern::mail {

struct PlainLimits {
    int line = 998;           // bytes of a line without its end (RFC 5322 2.1.1); from 80 to 998
    std::int64_t header = 0;  // bytes of all header fields; 0: no limit
};

struct PlainHeader {
    std::string fields;    // with their line ends, no blank line
    std::string boundary;  // of a multipart; empty where there are no files
};

// Whether a text, or a name on the "begin" line of a uuencoded file, has a byte over 127.
bool plainHasEightBit(const Converted& converted);

// The Received fields of a message, newest first, in US-ASCII: they go in front of a plain message, so that
// whoever counts hops sees a loop. Errors are the source's.
Result<std::vector<std::string>> traceFields(ByteSource& source, const PlainLimits& limits);

// The header of `converted`, made from `message` with `profile`, behind the fields of `trace`.
// Fields are US-ASCII always and folded at 78 where they can be (RFC 5322 2.1.1). Text and names with a word
// longer than a line become encoded words. An address that is not US-ASCII stands as an empty group that
// names it (RFC 6857), and so does one that is no address or longer than a line, cut. Ids that no line holds
// are left out. "References" is cut to its first and last ten; over the limit, cutHeader() has the order. A
// charset beyond US-ASCII is declared in MIME fields. What was cut or lost is counted and noted in
// `converted`. Errc::Invalid: the header can not be brought under its limit, or Lossy::Bounce and names lost
// characters.
Result<PlainHeader> plainHeader(const Readable& message, const Profile& profile, const PlainLimits& limits,
                                std::vector<std::string> trace, Converted& converted);

// Writes `header`, a blank line, the texts and the files. Lines end with CRLF. Stops at the sink's first
// error.
Result<void> writePlainMessage(const PlainHeader& header, const Converted& converted, const Profile& profile,
                               const PlainLimits& limits,
                               const std::function<Result<void>(std::string_view)>& sink);

}  // namespace postern::mail
