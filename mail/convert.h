#pragma once
// One message made fit for one legacy target: what readMessage() gives, cut, transliterated, wrapped, renamed
// and split until the target's profile can hold it. One core for all adapters; a format adds its syntax.
// FORMATS.md section 2 has the rules. Nothing is lost without a word: `notes` has a line for each change, and
// what is lost stands in the text as well.
//
// Thread rule: pure; several threads may convert at once. A Converted refers to the Readable's attachments,
// which must outlive it.

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/time_zone.h"
#include "mail/mime.h"

namespace postern::mail {

enum class LongText { Attach, Split };                       // what becomes of a text over the limit
enum class AttachmentMode { Native, Uuencode, Mime, Drop };  // Native and Mime: the format writes `files`
enum class FileNames { Long, Dos };                          // Dos: 8.3 without collisions
enum class Lossy { Allow, Note, Bounce };                    // of characters the target lacks

// What a target can hold. Zero means no limit.
struct Profile {
    std::string charset = "utf-8";  // "utf-8", "us-ascii" or what knownCodePage() accepts
    int columns = 0;                // lines of text are wrapped at this display column
    std::int64_t textLimit = 0;     // bytes of one text, in the target's charset
    LongText longText = LongText::Attach;
    std::string longTextName = "UNNAMED.TXT";
    int subjectLimit = 0;  // characters; a cut is marked and the whole subject leads the text (KB Q156844)
    int nameLimit = 0;     // characters of a person's name
    FileNames fileNames = FileNames::Long;
    int fileNameLimit = 255;       // bytes, in the target's charset
    std::string forbiddenInNames;  // characters a file name may not have; each becomes "_" (KB Q190557)
    AttachmentMode attachments = AttachmentMode::Native;
    std::int64_t attachmentLimit = 0;  // bytes of one attachment; a larger one is left out with a note
    Lossy lossy = Lossy::Note;
    int headerLimit = 0;      // bytes of addresses in one artifact: an adapter's Grouping
    int recipientLimit = 0;   // recipients in one artifact: an adapter's Grouping
    bool expandTabs = false;  // to stops of 8 (KB Q168533)
    bool notesInText = true;  // losses stand at the end of the text
    TimeZone zone;            // of the dates written
};

struct Line {
    std::string bytes;  // in the target's charset, without control characters
    bool cut = false;
};

struct ConvertedFile {
    std::string name;   // in the target's charset, unique within the message without regard to case
    std::string shown;  // the name as it was, UTF-8
    const Attachment* attachment = nullptr;  // or:
    std::string bytes;
    std::int64_t size() const {
        return attachment ? attachment->size : static_cast<std::int64_t>(bytes.size());
    }
    Result<void> writeTo(const std::function<Result<void>(std::string_view)>& sink) const;
};

struct Converted {
    Line fromName;            // may be empty
    std::string fromAddress;  // as the header has it, else the envelope's; may be empty (null sender)
    Line subject;
    WallTime date;                     // the header's, or the time of receipt where it says none or nonsense
    std::vector<std::string> texts;    // at least one; LF lines, in the target's charset; no character is cut
    std::vector<ConvertedFile> files;  // Native and Mime: the attachments; always: a text that became a file
    std::vector<std::string> notes;    // for the item's history, UTF-8, a line each
    int lost = 0;                      // characters that became "?"
    int changed = 0;                   // characters written in another way
};

struct Origin {
    std::string_view sender;  // of the envelope
    WallTime received;
};

// Errc::Invalid when the message can never be held by this target (Lossy::Bounce with losses), with a reason
// for people; other errors come from the message's source.
Result<Converted> convert(const Readable& message, const Origin& origin, const Profile& profile);

// `utf8` in the profile's charset on one line, at most `limit` characters (0: all), a cut marked by "...".
// Losses are counted into `into` and noted as those of `what` ("subject").
Line convertLine(std::string_view utf8, int limit, std::string_view what, const Profile& profile,
                 Converted& into);

}  // namespace postern::mail
