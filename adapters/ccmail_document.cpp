// Puts a cc:Mail import file together from a read message, and writes it.

#include <algorithm>

#include "adapters/ccmail_format.h"
#include "base/text.h"
#include "mail/charset.h"
#include "mail/names.h"
#include "mail/text.h"

namespace postern::adapters::ccmail {

namespace {

constexpr std::size_t kMostNotes = 50;
constexpr std::string_view kEnd = "\r\n";
constexpr std::string_view kMessage = "Message:\r\n";
constexpr std::string_view kContents = "Contents:\r\n";
constexpr std::string_view kTextItem = "Text item:\r\n";
constexpr std::string_view kFileItem = "File item: ";
constexpr std::string_view kUnnamed = "UNNAMED.TXT";

void note(Document& document, std::string text) {
    if (document.notes.size() < kMostNotes) document.notes.push_back(std::move(text));
}

void noteLosses(Document& document, const Field& field, const char* what, const Options& options) {
    if (field.lost == 0) return;
    const std::string count = std::to_string(field.lost) + (field.lost == 1 ? " character" : " characters");
    note(document, count + " of the " + what + " became '?': " + options.codePage + " lacks them");
}

WallTime dateOf(const Delivery& delivery, const mail::Readable& readable, Document& document) {
    if (readable.date && dateFits(*readable.date)) return *readable.date;
    const std::string seen = readable.date ? formatUtc(*readable.date) : escapeLine(readable.dateText, 100);
    if (!seen.empty())
        note(document, "its date '" + seen + "' can not be shown; the time of receipt stands there");
    return delivery.received;
}

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

// The text, with the whole subject before it when its line could not hold it (KB Q156844).
void addTexts(const mail::Readable& readable, bool subjectCut, const Options& options, Document& document,
              std::string& longText) {
    std::string text = readable.text;
    if (subjectCut) text = "Subject: " + mail::cleanLine(readable.subject) + "\n\n" + text;
    if (options.wrapColumns > 0) text = mail::wrap(text, options.wrapColumns);
    Field losses;
    document.texts = textPieces(text, options, losses);
    noteLosses(document, losses, "text", options);
    if (document.texts.size() == 1 || options.splitLongText) return;
    for (const std::string& piece : document.texts) longText += piece;
    document.texts = {"The text of this message is in the attached file " + std::string(kUnnamed) + ".\r\n"};
    note(document, "the text is longer than " + std::to_string(options.textLimit) +
                       " bytes and became the file " + std::string(kUnnamed));
}

void addFiles(const mail::Readable& readable, const std::string& date, const Options& options,
              Document& document, std::string longText) {
    mail::NameSet taken;
    const auto titled = [&](const std::string& name) {
        return mail::fromUtf8(name, options.codePage).bytes +
               (options.fileDates ? " " + date : std::string());
    };
    if (!longText.empty())
        document.files.push_back({titled(taken.addDos(kUnnamed)), nullptr, std::move(longText)});
    for (const mail::Attachment& attachment : readable.attachments) {
        const std::string name =
            options.longNames ? taken.addLong(attachment.name) : taken.addDos(attachment.name);
        if (name != attachment.name)
            note(document, "the file '" + escapeLine(attachment.name, 200) + "' is named '" + name + "'");
        document.files.push_back({titled(name), &attachment, {}});
    }
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
    for (const std::string& text : document.texts)
        total += itemLength(length(kTextItem), length(text), options);
    for (const FileItem& item : document.files)
        total += itemLength(length(kFileItem) + length(item.title) + length(kEnd), item.size(), options);
    return total;
}

Result<void> writeFile(const FileItem& item, const Options& options, StagedFile& file) {
    POSTERN_TRY(
        file.write(std::string(kFileItem) + item.title + std::string(kEnd) + sizeLine(item.size(), options)));
    if (item.attachment == nullptr) return file.write(item.bytes);
    const std::int64_t begin = file.position();
    POSTERN_TRY(item.attachment->writeTo([&](std::string_view bytes) { return file.write(bytes); }));
    if (file.position() - begin == item.size()) return {};
    return fail(Errc::Internal, "the attachment '" + escapeLine(item.attachment->name, 100) + "' has " +
                                    std::to_string(file.position() - begin) + " bytes, announced were " +
                                    std::to_string(item.size()));
}

}  // namespace

Result<Document> makeDocument(const Delivery& delivery, const mail::Readable& readable,
                              const Options& options) {
    Document document;
    for (const std::string& text : readable.notes) note(document, text);
    POSTERN_LET(recipients, addressees(delivery, readable, options));
    const WallTime date = dateOf(delivery, readable, document);
    const Field sender = senderText(readable.from, delivery.sender, options);
    const Subject subject = subjectText(readable.subject, options);
    noteLosses(document, sender, "sender's name", options);
    noteLosses(document, subject.field, "subject", options);
    if (subject.bracketed) note(document, "the square brackets of the subject became round ones");
    if (subject.cut) note(document, "the subject was cut; the whole stands in the text");

    document.header =
        "From: " + sender.bytes + std::string(kEnd) + "Date: " + dateText(date, options) + std::string(kEnd);
    addAddressees(recipients, document.header);
    document.header.append("Subject: ").append(subject.field.bytes).append(kEnd);
    if (length(document.header) > options.headerLimit)
        return fail(Errc::Invalid, "its header would have " + std::to_string(document.header.size()) +
                                       " bytes; cc:Mail takes " + std::to_string(options.headerLimit));
    std::string longText;
    addTexts(readable, subject.cut, options, document, longText);
    addFiles(readable, fileDateText(date, options), options, document, std::move(longText));
    return document;
}

Result<void> writeDocument(const Document& document, const Options& options, StagedFile& file) {
    const std::int64_t contents = contentsLength(document, options);
    const std::string contentsSize = sizeLine(contents, options);
    const std::int64_t message =
        length(document.header) + length(kContents) + length(contentsSize) + contents;
    POSTERN_TRY(file.write(std::string(kMessage) + sizeLine(message, options) + document.header +
                           std::string(kContents) + contentsSize));
    for (const std::string& text : document.texts)
        POSTERN_TRY(file.write(std::string(kTextItem) + sizeLine(length(text), options) + text));
    for (const FileItem& item : document.files) POSTERN_TRY(writeFile(item, options, file));
    return {};
}

}  // namespace postern::adapters::ccmail
