#pragma once
// Messages of Novell MHS in its Standard Message Format, SMF-70 and SMF-71 (FORMATS 4): what each field may
// hold, and the bytes of the whole. Only fields that SMF-70 knows are written (KB Q130436), none of them
// folded (KB Q194144), Attachment before Attachment-name (KB Q194145). Thread rule: pure.

#include <functional>
#include <string>

#include "adapters/adapter.h"
#include "adapters/spool/staged_file.h"
#include "mail/convert.h"

namespace postern::adapters::mhs {

// cp437, lines of 74 columns: readers lose the 79th (KB Q124745, Q135927). File names of DOS.
mail::Profile hubProfile();

enum class Author { Text, Comment, Address };  // how the author's name is shown

struct Options {
    mail::Profile profile = hubProfile();
    bool global = false;    // SMF-71: longer names
    std::string workgroup;  // of recipients whose route gives none; empty: they are refused
    std::string gateway;    // workgroup of Internet senders
    std::string nullSender = "POSTMAST";
    bool extendedSender = true;  // "{SMTP: user@host}" behind the sender (KB Q128431 has reasons against)
    Author author = Author::Text;
    int mostRecipients = 1;
    // Characters of a user's or a workgroup's name.
    std::size_t nameLimit() const { return global ? 64 : 8; }
};

// "user@workgroup {extended}", blanks at the braces taken away. Errc::Invalid with the reason.
Result<std::string> address(std::string_view legacy, const Options& options);

struct Document {
    std::string header;  // to the empty line
    mail::Converted body;
};

// `parcel` gives the name of the parcel file of each number, from 1. `readable` outlives the Document and may
// get a letter head. Errc::Invalid: it can never be written here, with the reason.
Result<Document> makeDocument(const Delivery& delivery, mail::Readable& readable,
                              const std::function<std::string(int)>& parcel, const Options& options);

}  // namespace postern::adapters::mhs
