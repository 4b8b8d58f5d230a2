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

using Sink = std::function<Result<void>(std::string_view)>;

enum class LongText { Attach, Split };                       // what becomes of a text over the limit
enum class AttachmentMode { Native, Uuencode, Mime, Drop };  // Native and Mime: the format writes `files`
enum class FileNames { Long, Dos };                          // Dos: 8.3 without collisions
enum class Lossy { Allow, Note, Bounce };                    // of characters the target lacks

// What a target can hold of one message. Zero means no limit. How many recipients, and bytes of their
// addresses, an artifact may have is no part of it: an adapter's grouping makes several items of a message
// for that.
struct Profile {
    std::string charset = "utf-8";  // "utf-8", "us-ascii" or what knownCodePage() accepts
    bool crlf = false;              // lines of texts end with CRLF, and limits count it; otherwise with LF
    int columns = 0;                // lines of text are wrapped at this display column
    std::int64_t textLimit = 0;     // bytes of one text, in the target's charset; at least 128
    LongText longText = LongText::Attach;  // Uuencode and Drop always split: such a target holds no files
    std::string longTextName = "UNNAMED.TXT";
    int subjectLimit = 0;  // see convertLine(); the whole of a cut subject leads the text (KB Q156844)
    int nameLimit = 0;     // likewise, of a person's name
    FileNames fileNames = FileNames::Long;
    int fileNameLimit = 255;  // bytes, in the target's charset; Long only; at least 16
    std::string forbiddenInNames =
        {};  // US-ASCII that a file name may not have; each becomes "_" (KB Q190557)
    AttachmentMode attachments = AttachmentMode::Native;
    std::int64_t attachmentLimit = 0;  // bytes of one attachment; a larger one is left out with a note
    Lossy lossy = Lossy::Note;
    bool expandTabs = false;  // to stops of 8 (KB Q168533)
    bool notesInText = true;  // losses stand at the end of the text
    int firstYear = 0;        // years the target can write; a date outside counts as none
    int lastYear = 0;
    TimeZone zone = {};  // of the dates written: local() gives them
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
    // Fails when the source does, or gives another number of bytes than size().
    Result<void> writeTo(const Sink& sink) const;
};

struct Converted {
    Line fromName;            // may be empty
    std::string fromAddress;  // UTF-8, as the header has it, else the envelope's; empty: the null sender
    Line subject;
    WallTime date;                   // the header's, or the time of receipt where it says none or nonsense
    std::vector<std::string> texts;  // at least one; in the target's charset; joined they are the whole text
    std::vector<ConvertedFile> files;    // Native and Mime: the attachments, and a text that became a file
    std::vector<ConvertedFile> encoded;  // Uuencode: they follow the texts; see writeTexts()
    std::vector<std::string> notes;      // for the item's history, UTF-8, a line each
    int lost = 0;                        // characters that became "?", or "_" in a file's name
    int changed = 0;  // characters written in another way: "EUR" for a sign, letters without accents
    std::int64_t textLimit = 0;  // the profile's: where writeTexts() begins a new text
    bool crlf = false;

    // The exact sizes of the texts as writeTexts() gives them: more than `texts` has where uuencoded files
    // are behind them and the limit asks for it.
    std::vector<std::int64_t> textSizes() const;
    // The texts in order, uuencoded files behind the last, in pieces of at most 64 KiB. `begin`, where given,
    // is called before the first byte of each text, with its size. Memory is flat whatever the files' size.
    Result<void> writeTexts(const Sink& sink,
                            const std::function<Result<void>(std::int64_t size)>& begin = nullptr) const;
};

struct Origin {
    std::string_view sender;  // of the envelope
    WallTime received;
};

// How a message is read that will be converted: tables are laid out for this target.
ReadOptions readingFor(const Profile& profile);

// Errc::Invalid when the message can never be held by this target (Lossy::Bounce with losses), with a reason
// for people; other errors come from the message's source.
Result<Converted> convert(const Readable& message, const Origin& origin, const Profile& profile);

// `utf8` in the profile's charset on one line of at most `limit` (0: all), a cut marked by "...". The limit
// counts characters of UTF-8 and bytes of any other charset: what a DOS program calls a character.
// Losses are counted into `into` and noted as those of `what` ("subject"), in its notes only.
Line convertLine(std::string_view utf8, int limit, std::string_view what, const Profile& profile,
                 Converted& into);

// "Ann Lee <ann@x>, Bob, and 12 more": for showing, UTF-8, at most `limit` bytes (KB Q193035); the first is
// always there, cut if need be. Empty for an empty list. REQUIRES: limit >= 32.
std::string shownRecipients(const std::vector<Mailbox>& people, std::size_t limit);

}  // namespace postern::mail
