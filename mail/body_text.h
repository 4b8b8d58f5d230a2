#pragma once
// The text of one text part. Internal to this room. Thread rule: pure.

#include <string>

#include "base/source.h"
#include "mail/structure.h"
#include "mail/text.h"

namespace postern::mail {

struct BodyText {
    std::string text;              // UTF-8, LF lines, ends with LF unless empty
    bool cut = false;              // there is more than `limit`
    bool damaged = false;          // the transfer encoding was broken
    bool replaced = false;         // bytes that are illegal in the charset
    bool controls = false;         // control characters were left out
    bool hiddenIsShown = false;    // HTML that hides all its text
    std::size_t linksLeftOut = 0;  // of HTML, beyond the most that become footnotes
    bool unknownCharset = false;   // a name we do not know, on bytes that are not US-ASCII
};

// text/html and text/enriched are converted, format=flowed is unflowed. Reads no more than needed for `limit`
// bytes of text.
Result<BodyText> readText(ByteSource& source, const Entity& entity, std::size_t limit,
                          const TextTarget& target);

// Whether a part shows nothing: blanks of any kind and characters without a width. Not more than 64 KiB of
// its text are judged; a part that has more counts as text.
Result<bool> isBlankText(ByteSource& source, const Entity& entity);

}  // namespace postern::mail
