#pragma once
// What readMessage() takes from a header block. Internal to this room. Thread rule: pure.

#include <string>

#include "mail/mime.h"

namespace postern::mail {

// Fills everything of `message` but text, attachments and opaque.
void readHeader(std::string block, Readable& message);

// "From: ...", "Date: ...", "To: ...", "Cc: ...", "Subject: ..." of a message inside another, as lines of
// text.
std::string headerAsText(std::string block);

// Where the file of a message/external-body lies: its parameters, a line each.
std::string externalAsText(std::string block);

struct LooseHeader {
    std::string block;      // what fits in the bounds: at most so many headers of at most so many bytes
    std::int64_t body = 0;  // where the text begins
};
// The header of a message that is over a bound: over-long headers are left out, never cut.
Result<LooseHeader> readLooseHeader(ByteSource& source, const Bounds& bounds);

}  // namespace postern::mail
