#pragma once
// A header block made fit for a carrier, field by field; a field that fits stays byte for byte. Internal to
// this room. Thread rule: pure. Linear time; memory is a few times the block's, which mail/bounds.h limits.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "mail/encoded_words.h"

namespace postern::mail {

struct HeaderNeeds {
    bool ascii = false;           // no byte over 127
    bool utf8 = false;            // fields with bytes over 127 that are no UTF-8 are encoded
    bool clean = false;           // lines end with CRLF; no NUL, no CR or LF alone
    int lineLimit = 0;            // 0: none
    std::int64_t blockLimit = 0;  // bytes of the whole; 0: none
    WordStyle words;
    // Of the entity itself; empty: as it is.
    std::string encoding;  // the Content-Transfer-Encoding from now on
    std::string charset;   // the charset parameter of its Content-Type from now on
    std::string type;      // the type of its Content-Type from now on
    bool addMime = false;  // it is a message's own: MIME-Version is added where it lacks
};

struct RewrittenHeader {
    std::string bytes;
    bool changed = false;
    std::vector<std::string> notes;
    int notesLeft = 0;  // so many more were not kept
};

// `block` is a header block with the blank line behind it, if it has one. Errc::Invalid: over `blockLimit`
// with nothing left that may go.
Result<RewrittenHeader> rewriteHeader(std::string_view block, const HeaderNeeds& needs);

}  // namespace postern::mail
