#pragma once
// The basic format of Microsoft Mail's File Format API, MMFF (FORMATS 5; KB Q118785, Q87223): what each field
// may hold, and the bytes of the whole. It has no CC: everybody is a TO. Thread rule: pure.

#include <string>

#include "adapters/adapter.h"
#include "adapters/spool/staged_file.h"
#include "mail/convert.h"

namespace postern::adapters::mmff {

// cp850, subjects of 40 characters, file names of DOS.
mail::Profile postOfficeProfile();

enum class Terminator { Cr, Lf, Crlf };  // of lines; the import program's -F0, -F1, -F2

struct Options {
    mail::Profile profile = postOfficeProfile();
    Terminator terminator = Terminator::Crlf;
    std::string addressType = "CSI";  // of recipients whose route gives none
    std::string nullSender;           // "CSI:NET/PO/POSTMAST" or "SMTP:postmaster@host"
    int mostRecipients = 1;
};

// "CSI:NET/PO/USER", "SMTP:user@host", ... Errc::Invalid with the reason.
Result<std::string> address(std::string_view legacy, const Options& options);

struct Document {
    std::string header;  // to the line TEXT:, with the terminators asked for
    mail::Converted body;
};

// `readable` outlives the Document. Errc::Invalid: it can never be written here, with the reason.
Result<Document> makeDocument(const Delivery& delivery, mail::Readable& readable, const Options& options);
Result<void> writeDocument(const Document& document, const Options& options, StagedFile& file);

}  // namespace postern::adapters::mmff
