// Puts a cc:Mail import file together from a read message, and writes it.

#include <algorithm>

#include "adapters/ccmail/ccmail_format.h"
#include "base/text.h"
#include "mail/charset.h"

namespace postern::adapters::ccmail {

namespace {

constexpr std::string_view kEnd = "\r\n";
constexpr std::string_view kMessage = "Message:\r\n";
constexpr std::string_view kContents = "Contents:\r\n";
constexpr std::string_view kTextItem = "Text item:\r\n";
constexpr std::string_view kFileItem = "File item: ";

enum class Role { To, Cc, Hidden };

bool names(const std::vector<mail::Mailbox>& list, std::string_view address) {
    return std::any_of(list.begin(), list.end(), [&](const mail::Mailbox& mailbox) {
        return equalsIgnoreCase(mailbox.address, address);
    });
}

struct Addressee {
    Role role;
    std::string text;
};

// Who is to get it, from the envelope alone (KB Q176680); whether as To or cc, from the header. A legacy name
// that occurs twice is written once (KB Q181797).
Result<std::vector<Addressee>> addressees(const Delivery& delivery, const mail::Readable& readable,
                                          const Options& options) {
    std::vector<Addressee> all;
    for (const Recipient& recipient : delivery.recipients) {
        POSTERN_LET(text, recipientText(recipient, options));
        const bool known = std::any_of(all.begin(), all.end(), [&](const Addressee& other) {
            return equalsIgnoreCase(other.text, text);
        });
        if (known) continue;
        const Role role = names(readable.to, recipient.address)   ? Role::To
                          : names(readable.cc, recipient.address) ? Role::Cc
                                                                  : Role::Hidden;
        all.push_back({role, std::move(text)});
    }
    // Somebody nobody else can see needs no hiding, and a file without To: is no message.
    if (options.hiddenAsTo || all.size() == 1)
        for (Addressee& addressee : all)
            if (addressee.role == Role::Hidden) addressee.role = Role::To;
    return all;
}

void addAddressees(const std::vector<Addressee>& all, std::string& header) {
    for (const auto& [role, label] :
         {std::pair{Role::To, "To: "}, {Role::Cc, "cc: "}, {Role::Hidden, "Bcc: "}})
        for (const Addressee& addressee : all)
            if (addressee.role == role) header.append(label).append(addressee.text).append(kEnd);
}

std::vector<std::string> titlesOf(const mail::Converted& body, const Options& options) {
    const std::string date = options.fileDates ? " " + fileDateText(body.date, options) : std::string();
    std::vector<std::string> titles;
    for (const mail::ConvertedFile& file : body.files) titles.push_back(file.name + date);
    return titles;
}

// Of the subject as it is written: what a code page lacks can be written with brackets, "[x]" for a tick. The
// whole of a cut subject, which leads the text, keeps its own.
void roundSubject(const Options& options, mail::Converted& body) {
    if (!isBracketed(mail::toUtf8(body.subject.bytes, options.profile.charset))) return;
    body.subject.bytes = roundedBytes(body.subject.bytes, options);
    body.notes.push_back("the square brackets of the subject became round ones");
}

std::string sizeLine(std::int64_t size, const Options& options) {
    std::string line = std::to_string(size);
    if (const auto columns = static_cast<std::size_t>(options.sizeColumns); line.size() < columns)
        line.resize(columns, ' ');
    return line.append(kEnd);
}

std::int64_t length(std::string_view text) {
    return static_cast<std::int64_t>(text.size());
}

// Label, size and data of one item.
std::int64_t itemLength(std::int64_t label, std::int64_t size, const Options& options) {
    return label + length(sizeLine(size, options)) + size;
}

std::int64_t contentsLength(const Document& document, const Options& options) {
    std::int64_t total = 0;
    for (const std::int64_t size : document.body.textSizes())
        total += itemLength(length(kTextItem), size, options);
    for (std::size_t i = 0; i < document.titles.size(); ++i)
        total += itemLength(length(kFileItem) + length(document.titles[i]) + length(kEnd),
                            fileLength(document.body.files[i], options), options);
    return total;
}

}  // namespace

Result<Document> makeDocument(const Delivery& delivery, mail::Readable& readable, const Options& options) {
    POSTERN_LET(recipients, addressees(delivery, readable, options));
    readable.from.name = senderName(readable.from, options);
    POSTERN_LET(body, mail::convert(readable, {delivery.sender, delivery.received}, options.profile));
    roundSubject(options, body);
    Document document;
    document.header = "From: " + senderText(body.fromName, body.fromAddress, options) + std::string(kEnd) +
                      "Date: " + dateText(body.date, options) + std::string(kEnd);
    addAddressees(recipients, document.header);
    document.header.append("Subject: ").append(body.subject.bytes).append(kEnd);
    if (length(document.header) > options.headerLimit)
        return fail(Errc::Invalid, "its header would have " + std::to_string(document.header.size()) +
                                       " bytes; cc:Mail takes " + std::to_string(options.headerLimit));
    document.titles = titlesOf(body, options);
    document.body = std::move(body);
    return document;
}

Result<void> writeDocument(const Document& document, const Options& options, StagedFile& file) {
    const std::int64_t contents = contentsLength(document, options);
    const std::string contentsSize = sizeLine(contents, options);
    const std::int64_t message =
        length(document.header) + length(kContents) + length(contentsSize) + contents;
    POSTERN_TRY(file.write(std::string(kMessage) + sizeLine(message, options) + document.header +
                           std::string(kContents) + contentsSize));
    const mail::Sink write = [&](std::string_view bytes) { return file.write(bytes); };
    POSTERN_TRY(document.body.writeTexts(write, [&](std::int64_t size) {
        return file.write(std::string(kTextItem) + sizeLine(size, options));
    }));
    for (std::size_t i = 0; i < document.titles.size(); ++i) {
        const mail::ConvertedFile& item = document.body.files[i];
        POSTERN_TRY(file.write(std::string(kFileItem) + document.titles[i] + std::string(kEnd) +
                               sizeLine(fileLength(item, options), options)));
        POSTERN_TRY(writeFileItem(item, document.body.date, options, write));
    }
    return {};
}

}  // namespace postern::adapters::ccmail
