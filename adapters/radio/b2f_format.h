#pragma once
// The Winlink B2F message as pat keeps it in mailbox/<CALL>/out/<MID>.b2f (FORMATS 9.1): what each field may
// hold, and the bytes of the whole. A reader that can not parse one file sends none of the folder, so the
// sizes are exact and every line is checked. pat leaves a message with an empty subject or body, a subject
// over 128 bytes as written, or a file's name over 255 in its out box for ever. Thread rule: pure.

#include <cstdint>
#include <string>

#include "adapters/adapter.h"
#include "adapters/spool/staged_file.h"
#include "mail/convert.h"

namespace postern::adapters::b2f {

// ISO-8859-1 as pat itself writes, no limit of columns, subjects of 128 bytes.
mail::Profile winlinkProfile();

struct Options {
    mail::Profile profile = winlinkProfile();
    std::string call;             // of the station whose out box it is
    std::string idPrefix = "GW";  // begins every message id
    bool senderIsCall = true;     // From is the station, the author stands in the text; otherwise SMTP:author
    std::int64_t totalLimit = 120'000;  // bytes of a file; 0: none
    bool dropFiles = false;             // over the limit: send it without its files, rather than not at all
    int mostRecipients = 1;
};

struct Document {
    std::string header;  // to the empty line
    mail::Converted body;
    std::int64_t size = 0;  // of the file
};

// `readable` outlives the Document and gets the letter head. Errc::Invalid: it can never be sent, with the
// reason.
Result<Document> makeDocument(const Delivery& delivery, mail::Readable& readable, const std::string& id,
                              const Options& options);
Result<void> writeDocument(const Document& document, StagedFile& file);

}  // namespace postern::adapters::b2f
