#pragma once
// An Internet message as a legacy reader needs it: who, when, about what, one text, and attachments.
// FORMATS.md section 2 has the rules. Thread rule: pure; several threads may read different messages, or the
// same bytes through different sources, at once.

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "base/source.h"
#include "mail/bounds.h"
#include "mail/encoding.h"
#include "mail/mailboxes.h"
#include "mail/text.h"

namespace postern::mail {

// One attachment: its bytes stay in the message and are decoded on the way out, in pieces; those of a file
// that was unpacked from another (TNEF, BinHex) are in memory, shared by copies. An Attachment refers to the
// ByteSource given to readMessage(), which must outlive it.
class Attachment {
  public:
    std::string name;       // UTF-8, no path, no control characters, never empty ("ATT00001.DAT"), not unique
    std::string type;       // "image/png", lower case; "application/octet-stream" when unknown
    std::int64_t size = 0;  // decoded bytes: exactly what writeTo() will write
    bool damaged = false;   // the encoding was broken; what could be decoded is there (KB Q190556)

    // Calls `sink` with the decoded bytes in order, in pieces of at most 64 KiB; stops at its first error.
    Result<void> writeTo(const std::function<Result<void>(std::string_view)>& sink) const;
    // For small ones. NoSpace when longer than `limit`.
    Result<std::string> read(std::size_t limit) const;

  private:
    friend class MessageReader;
    Result<void> measure();  // sets size and damaged
    EncodedRange range_;
    std::shared_ptr<const std::string> memory_;  // set: range_ is a part of it, as it is
};

struct Readable {
    Mailbox from;  // first of From, else Sender; both parts may be empty: show the envelope's
    std::vector<Mailbox> to, cc, replyTo;
    std::string subject;           // UTF-8, one line, leading blanks kept (KB Q146782)
    std::optional<WallTime> date;  // nothing when missing or unreadable: use the time of receipt
    std::string dateText;          // the header as written, when it could not be read
    std::string text;              // UTF-8, lines end with LF, the last one too; empty for an empty body
    std::vector<Attachment> attachments;
    std::string messageId;  // with brackets; may be empty
    std::string inReplyTo;
    std::vector<std::string> references;  // each with brackets
    bool automatic = false;  // Auto-Submitted says other than "no": nothing may answer it (RFC 3834)
    bool opaque = false;     // over a bound: `text` is the raw body, the whole message is attached
    std::vector<std::string>
        notes;                     // what was lost, cut, guessed or left out: one line each, for the history
    std::size_t historyNotes = 0;  // so many of them, the first, are for the history alone: about the header,
                                   // or said by the text itself
};

struct ReadOptions {
    Bounds bounds;
    std::size_t textLimit = 1024 * 1024;  // bytes of Readable::text; a longer part is also attached whole
    std::int64_t unpackLimit =
        48 * 1024 * 1024;    // bytes of TNEF, BinHex and the like that are held in memory
                             // for one message, with what comes out of them; what is larger, or gives more
                             // than 1000 files with the others, is attached as it is
    TextTarget target = {};  // who reads the text: tables of HTML are laid out for it
    int nestedDepth = 20;    // message/rfc822 rendered into the text to this depth, attached as .eml below it
};

// Fails only when the source fails. A message over a bound, or without any structure, comes back as opaque
// text with a note (never lost, never a crash). Memory: the headers, the text and one buffer, whatever the
// message's size; of an HTML part four times textLimit are read, and twelve times as much as was read is held
// at the most while it is laid out; of TNEF and the like what unpackLimit says.
Result<Readable> readMessage(ByteSource& source, const ReadOptions& options = {});

}  // namespace postern::mail
