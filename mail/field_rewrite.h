#pragma once
// One header field made fit for a carrier: US-ASCII only, lines short. Encoded words stand only where a
// reader decodes them (RFC 2047 5): in unstructured text, phrases and comments. An address that is not
// US-ASCII is never rewritten into another: its mailbox becomes an empty group that names it (RFC 6857), and
// the whole field is kept as "Downgraded-...". Internal to this room. Thread rule: pure. Linear time.

#include <optional>
#include <string>
#include <string_view>

#include "mail/encoded_words.h"

namespace postern::mail {

struct FieldNeeds {
    int lineLimit = 998;  // bytes of a line; folded at 78 where there are blanks
    WordStyle words;
};

struct RewrittenField {
    std::string bytes;    // with CRLF; several fields where one was kept as "Downgraded-..."; or empty:
    std::string leftOut;  // why the field is gone
    bool addressRemoved = false;  // a mailbox that is not US-ASCII became a group that names it
};

// `name` as written, `value` raw: folded or not, any bytes.
RewrittenField rewriteField(std::string_view name, std::string_view value, const FieldNeeds& needs);

// "Content-Type" or "Content-Disposition" written anew, with its main value and the charset parameter
// replaced where those are not empty. US-ASCII, in lines of at most `limit` bytes. REQUIRES: limit >= 80.
std::string contentField(std::string_view name, std::string_view rawValue, std::string_view newValue,
                         std::string_view newCharset, int limit);

// "Name: value" with CRLF, folded at 78 before blanks and nowhere else, so that unfolding gives the same
// (KB Q275504). Nothing when a piece without blanks is longer than `limit`.
std::optional<std::string> folded(std::string_view name, std::string_view value, int limit);

}  // namespace postern::mail
