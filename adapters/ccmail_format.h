#pragma once
// The cc:Mail import file (FORMATS.md section 3): what each field may hold, and the bytes of the whole.
// Everything here is pure; the adapter in ccmail.cpp joins it to the spool. No IMPORT program exists to check
// against: the format follows the public samples and articles, which FORMATS.md names.
//
// Text is UTF-8 until the last step and leaves in one code page. Sizes count every byte between the end of
// their own line and the end of their container.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "adapters/adapter.h"
#include "adapters/staged_file.h"
#include "mail/mime.h"

namespace postern::adapters::ccmail {

enum class DateOrder { Mdy, Dmy, Ymd };
enum class SenderForm { Both, Name, Address };

struct Options {
    std::string codePage = "cp850";
    int sizeColumns = 12;        // width of a size on its line; 0: no padding
    int headerLimit = 4096;      // bytes from From: to the line before Contents: (KB Q166499)
    int textLimit = 20000;       // bytes of one text item (KB Q190555)
    int subjectLimit = 60;       // characters (KB Q184991)
    int wrapColumns = 0;         // 0: lines stay as long as they are
    bool splitLongText = false;  // several text items instead of the file UNNAMED.TXT
    std::string postOffice;      // behind "at" of recipients without one; empty: their names stand alone
    bool resolveNames = false;   // drop " at PO" and let the post office find the name (KB Q184052)
    std::string gateway;         // behind "at" of senders
    std::string nullSender = "Postmaster";  // author of mail that has none (KB Q192594)
    SenderForm senderForm = SenderForm::Both;
    bool quoteSender = false;              // release 8 post offices (KB Q179677)
    bool hiddenAsTo = false;               // recipients only the envelope names: To: instead of Bcc:
    DateOrder dateOrder = DateOrder::Mdy;  // never guessed from a locale (KB Q180641)
    bool fourDigitYears = false;
    int utcOffsetMinutes = 0;  // of the dates written
    bool fileDates = true;     // "File item: NAME.EXT mm/dd/yy h:mm" (KB Q195203)
    bool longNames = false;    // (KB Q190297)
};

// Bytes in the code page, and what became of characters it lacks.
struct Field {
    std::string bytes;
    int lost = 0, changed = 0;
};

// "Name at PO". Errors are Errc::Invalid: the recipient can never be written here.
Result<std::string> recipientText(const Recipient& recipient, const Options& options);

// "Display (SMTP:user@domain) at GATEWAY". Never empty; square brackets stop IMPORT 8.x (KB Q232687), so they
// become round ones.
Field senderText(const mail::Mailbox& author, std::string_view envelopeSender, const Options& options);

// Cut at the limit with "..." behind it; a pair of square brackets becomes round (KB Q234350).
struct Subject {
    Field field;
    bool cut = false, bracketed = false;
};
Subject subjectText(std::string_view subject, const Options& options);

// "6/2/98 8:39" as the connector wrote it. REQUIRES: dateFits(time).
std::string dateText(WallTime time, const Options& options);
// "06/02/98 8:39": readers of file titles want two digits and slashes (KB Q186216).
std::string fileDateText(WallTime time, const Options& options);
// Whether two digits can say the year: 50-99 are read as 19xx and 00-49 as 20xx (KB Q192595).
bool dateFits(WallTime time);

// `text`, lines ended by CRLF in the code page, in pieces of at most options.textLimit bytes; no character is
// cut, and the pieces together are the whole. One empty piece for an empty text.
std::vector<std::string> textPieces(std::string_view text, const Options& options, Field& losses);

struct FileItem {
    std::string title;                             // name, and date if wanted, in the code page
    const mail::Attachment* attachment = nullptr;  // or:
    std::string bytes;
    std::int64_t size() const {
        return attachment ? attachment->size : static_cast<std::int64_t>(bytes.size());
    }
};

// A message ready to be written.
struct Document {
    std::string header;              // From: to Subject:, CRLF behind each
    std::vector<std::string> texts;  // text items, at least one
    std::vector<FileItem> files;
    std::vector<std::string> notes;  // what was lost or changed
};

// `readable` outlives the Document. Errc::Invalid when the message can never be written here, with the
// reason.
Result<Document> makeDocument(const Delivery& delivery, const mail::Readable& readable,
                              const Options& options);
Result<void> writeDocument(const Document& document, const Options& options, StagedFile& file);

// Bytes of the header that are not recipients, at most.
int fixedHeaderBytes();

}  // namespace postern::adapters::ccmail
