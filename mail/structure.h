#pragma once
// The parts of a message as offsets into its bytes, found in one bounded pass. Internal to this room; the
// limits are those of mail/bounds.h. Thread rule: pure.

#include <cstdint>
#include <string>
#include <vector>

#include "base/source.h"
#include "mail/bounds.h"
#include "mail/encoding.h"

namespace postern::mail {

// One entity: the message itself, a part, a message inside a part.
struct Entity {
    int parent = -1;
    std::int64_t header = 0;  // where its header block begins
    std::int64_t body = 0;    // behind the blank line
    std::int64_t end = 0;     // without the line break that belongs to the boundary
    std::vector<int> children;

    std::string type = "text/plain";  // lower case
    std::string charset, boundary;
    std::string name;         // UTF-8, as written; empty when there is none
    std::string disposition;  // lower case: "inline", "attachment" or empty
    TransferEncoding encoding = TransferEncoding::Identity;
    std::string unknownEncoding;  // its name, when it is none we know
    std::string declared;         // "7bit", "8bit" or "binary" where it says so
    bool flowed = false, delSp = false;
    bool badType = false;  // a Content-Type that makes no sense
    bool hasType = false;  // there is a Content-Type, whatever it says
    bool mimeVersion = false;

    bool isMultipart() const { return type.starts_with("multipart/"); }
    bool isMessage() const { return type == "message/rfc822" || type == "message/global"; }
};

struct Structure {
    Shape shape;
    std::vector<Entity> entities;  // the first is the message; parents before their children
    std::string header;            // the message's own header block
};

// Errc::Invalid: over a bound, the text says which. Other errors come from the source.
Result<Structure> readStructure(ByteSource& source, const Bounds& bounds);

}  // namespace postern::mail
