#pragma once
// Messages for the GroupWise API gateway, version 1.2 (FORMATS 5; KB Q254353, Q234585): a file of keywords in
// API_IN, its text and its attachments as files in ATT_IN. Thread rule: pure.

#include <functional>
#include <string>

#include "adapters/adapter.h"
#include "mail/convert.h"

namespace postern::adapters::gwapi {

// cp850; attachments keep long names, which only the keyword file holds.
mail::Profile gatewayProfile();

struct Options {
    mail::Profile profile = gatewayProfile();
    std::string domain, postOffice;  // of recipients whose route gives a user alone; empty: they are refused
    std::string foreignDomain = "INTERNET";  // and post office, under which Internet senders stand
    std::string foreignPostOffice = "GATEWAY";
    std::string nullSender = "Postmaster";
    int mostRecipients = 1;
};

// The structured form of "domain.postoffice.user". Errc::Invalid with the reason.
Result<std::string> address(std::string_view legacy, const Options& options);

struct Document {
    std::string keywords;  // the file of API_IN
    mail::Converted body;
};

// `fileName` gives the name in ATT_IN of each number: 1 is the text, the attachments follow. `readable`
// outlives the Document. Errc::Invalid: it can never be written here, with the reason.
Result<Document> makeDocument(const Delivery& delivery, const mail::Readable& readable, const std::string& id,
                              const std::function<std::string(int)>& fileName, const Options& options);

}  // namespace postern::adapters::gwapi
