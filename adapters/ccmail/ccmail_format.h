#pragma once
// The cc:Mail import file (FORMATS.md section 3): what each field may hold, and the bytes of the whole.
// Everything here is pure; the adapter in ccmail.cpp joins it to the spool. No IMPORT program exists to check
// against: the format follows the public samples and articles, which FORMATS.md names.
//
// Texts, names of files and losses are mail/convert.h's. Sizes count every byte between the end of their own
// line and the end of their container.

#include <string>
#include <string_view>
#include <vector>

#include "adapters/adapter.h"
#include "adapters/spool/staged_file.h"
#include "mail/convert.h"

namespace postern::adapters::ccmail {

enum class DateOrder { Mdy, Dmy, Ymd };
enum class SenderForm { Both, Name, Address };
enum class FileForm { Raw, MacBinary };  // IMPORT without and with /FILES/MACBIN2 (KB Q294947)

// What every post office can hold unless its settings say other: cp850, text items of 20,000 bytes
// (KB Q190555), subjects of 60 and titles of 30 characters (KB Q184991), file names of DOS (KB Q190297), and
// years that two digits can say: 50-99 are read as 19xx and 00-49 as 20xx (KB Q192595).
mail::Profile postOfficeProfile();

struct Options {
    mail::Profile profile = postOfficeProfile();
    int sizeColumns = 12;       // width of a size on its line; 0: no padding
    int headerLimit = 4096;     // bytes from From: to the line before Contents: (KB Q166499)
    std::string postOffice;     // behind "at" of recipients without one; empty: their names stand alone
    bool resolveNames = false;  // drop " at PO" and let the post office find the name (KB Q184052)
    std::string gateway;        // behind "at" of senders
    std::string nullSender = "Postmaster";  // author of mail that has none (KB Q192594)
    SenderForm senderForm = SenderForm::Both;
    bool quoteSender = false;              // release 8 post offices (KB Q179677)
    bool hiddenAsTo = false;               // recipients only the envelope names: To: instead of Bcc:
    DateOrder dateOrder = DateOrder::Mdy;  // never guessed from a locale (KB Q180641)
    bool fourDigitYears = false;
    FileForm fileForm = FileForm::Raw;
    bool fileDates = true;  // "File item: NAME.EXT mm/dd/yy h:mm" (KB Q195203)
};

// "Name at PO". Errors are Errc::Invalid: the recipient can never be written here.
Result<std::string> recipientText(const Recipient& recipient, const Options& options);

// The author's name as a sender line can hold it. Empty where the line does not show it.
std::string senderName(const mail::Mailbox& author, const Options& options);
// "Display (SMTP:user@domain) at GATEWAY" of what senderName() was converted to. Never empty. Square brackets
// stop IMPORT 8.x (KB Q232687) and become round ones, those too that a code page writes for other characters.
std::string senderText(const mail::Line& name, std::string_view address, const Options& options);

// Whether a pair of square brackets must become round ones (KB Q234350); one of them alone does no harm.
// UTF-8, as a bracket's byte can be half a character elsewhere.
bool isBracketed(std::string_view utf8);
std::string roundBrackets(std::string_view utf8);
// The same of what is written in the post office's code page already.
std::string roundedBytes(std::string_view bytes, const Options& options);

// "6/2/98 8:39" as the connector wrote it. REQUIRES: a year of the profile.
std::string dateText(WallTime time, const Options& options);
// "06/02/98 8:39": readers of file titles want two digits and slashes (KB Q186216).
std::string fileDateText(WallTime time, const Options& options);

// A message ready to be written.
struct Document {
    std::string header;  // From: to Subject:, CRLF behind each
    mail::Converted body;
    std::vector<std::string> titles;  // of body.files: name, and date if wanted
};

// `readable` outlives the Document; its author becomes senderName()'s. Errc::Invalid when the message can
// never be written here, with the reason.
Result<Document> makeDocument(const Delivery& delivery, mail::Readable& readable, const Options& options);
Result<void> writeDocument(const Document& document, const Options& options, StagedFile& file);

// A file item's data: its bytes, or in MacBinary II, whose header names the file and tells both lengths.
std::int64_t fileLength(const mail::ConvertedFile& file, const Options& options);
Result<void> writeFileItem(const mail::ConvertedFile& file, WallTime date, const Options& options,
                           const mail::Sink& sink);

// Bytes of the header that are not recipients, at most.
int fixedHeaderBytes(const Options& options);

}  // namespace postern::adapters::ccmail
