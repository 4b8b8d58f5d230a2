#include "adapters/radio/b2f_format.h"

#include <algorithm>
#include <cstdio>
#include <numeric>

#include "adapters/addressees.h"
#include "adapters/letter_head.h"
#include "adapters/radio/radio_names.h"
#include "base/text.h"
#include "mail/mailboxes.h"

namespace postern::adapters::b2f {

namespace {

constexpr std::string_view kEnd = "\r\n";
constexpr std::string_view kNoSubject = "(no subject)";
constexpr std::string_view kNoText = "(no text)\r\n";

std::int64_t bodySize(const mail::Converted& body) {
    const auto sizes = body.textSizes();
    return std::accumulate(sizes.begin(), sizes.end(), std::int64_t{0});
}

std::int64_t totalSize(const Document& document) {
    std::int64_t size = static_cast<std::int64_t>(document.header.size()) + bodySize(document.body) + 2;
    for (const mail::ConvertedFile& file : document.body.files) size += file.size() + 2;
    return size;
}

std::string dateText(WallTime time) {
    const CivilTime civil = civilUtc(time);
    char text[32];
    std::snprintf(text, sizeof text, "%04d/%02d/%02d %02d:%02d", civil.year, civil.month, civil.day,
                  civil.hour, civil.minute);
    return text;
}

bool isPlain(std::string_view text) {
    return std::all_of(text.begin(), text.end(), [](char c) { return c >= 0x20 && c < 0x7f; });
}

// In the words of RFC 2047.
bool isAsItIs(char c) {
    return c > 0x20 && c < 0x7f && std::string_view("=?_").find(c) == std::string_view::npos;
}

// A header holds US-ASCII only; other words are written as RFC 2047 has them, which Winlink's readers decode.
std::string headerText(std::string_view bytes, const mail::Profile& profile) {
    if (isPlain(bytes) && bytes.find("=?") == std::string_view::npos) return std::string(bytes);
    static constexpr char kDigits[] = "0123456789ABCDEF";
    std::string out = "=?" + profile.charset + "?q?";
    for (const char c : bytes) {
        const auto byte = static_cast<unsigned char>(c);
        if (c == ' ')
            out += '_';
        else if (isAsItIs(c))
            out += c;
        else
            out.append({'=', kDigits[byte >> 4], kDigits[byte & 15]});
    }
    return out + "?=";
}

// Whether pat would send it. It leaves a message with a longer field out, each time anew, and says so in its
// log alone. And the subject is the title of the transfer too, written as UTF-8 in encoded words, with an
// offset behind it and one byte for the length of both: where that overflows, the peer ends the session, and
// this message keeps back all behind it.
bool canSendSubject(std::string_view bytes, const mail::Profile& profile) {
    constexpr std::size_t kMostField = 128, kMostTitle = 247;
    constexpr std::size_t kAround = 13,
                          kInside = 58;  // of a word of 75: its marks and a blank; what it holds
    if (headerText(bytes, profile).size() > kMostField) return false;
    if (isPlain(bytes)) return true;
    std::size_t inside = 0;
    for (const char c : bytes)
        inside += c == ' ' || isAsItIs(c) ? 1 : static_cast<unsigned char>(c) < 0x80 ? 3 : 6;
    return inside + (inside / kInside + 1) * kAround <= kMostTitle;
}

// Where the subject is cut so that it can be sent; what convert() cuts leads the text. Both charsets have a
// byte for each character.
int subjectLimit(const mail::Readable& readable, const mail::Profile& profile) {
    mail::Converted unused;
    const std::string whole =
        mail::convertLine(readable.subject, profile.subjectLimit, "subject", profile, unused).bytes;
    if (canSendSubject(trim(whole), profile)) return profile.subjectLimit;
    std::size_t length = whole.size() - 1;
    while (length > 4 && !canSendSubject(trim(whole.substr(0, length - 3) + "..."), profile)) --length;
    return static_cast<int>(length);
}

// Who gets it, from the envelope alone; as Cc who stands there in the header. A name is written once.
Result<std::string> addressees(const Delivery& delivery, const mail::Readable& readable) {
    POSTERN_LET(all, addresseesOf(delivery, &radio::winlinkAddress));
    std::string to, cc;
    for (const Addressee& each : all) {
        const bool copied = isCopied(*each.recipient, readable);
        (copied ? cc : to).append(copied ? "Cc: " : "To: ").append(each.address).append(kEnd);
    }
    if (!to.empty()) return to + cc;
    // A message needs somebody that it is to.
    std::string raised = cc;
    for (std::size_t at = raised.find("Cc: "); at != std::string::npos; at = raised.find("Cc: ", at))
        raised.replace(at, 4, "To: ");
    return raised;
}

Result<std::string> senderOf(const mail::Converted& body, const Options& options) {
    if (options.senderIsCall || body.fromAddress.empty()) return options.call;
    const auto address = radio::winlinkAddress("SMTP:" + body.fromAddress);
    return address.ok() ? *address : options.call;
}

Result<Document> documentWith(const Delivery& delivery, const mail::Readable& readable, const std::string& id,
                              const Options& options, mail::Profile profile) {
    profile.subjectLimit = subjectLimit(readable, profile);
    POSTERN_LET(body, mail::convert(readable, {delivery.sender, delivery.received}, profile));
    const bool blank = std::all_of(body.texts.begin(), body.texts.end(),
                                   [](const std::string& text) { return trim(text).empty(); });
    if (blank) body.texts = {std::string(kNoText)};
    POSTERN_LET(recipients, addressees(delivery, readable));
    POSTERN_LET(sender, senderOf(body, options));
    const std::string_view subject = trim(body.subject.bytes);
    Document document;
    document.header =
        "Mid: " + id + "\r\nBody: " + std::to_string(bodySize(body)) +
        "\r\nContent-Transfer-Encoding: 8bit\r\nContent-Type: text/plain; charset=" + profile.charset +
        "\r\nDate: " + dateText(body.date) + "\r\n";
    for (const mail::ConvertedFile& file : body.files)
        document.header +=
            "File: " + std::to_string(file.size()) + " " + headerText(file.name, profile) + "\r\n";
    document.header += "From: " + sender + "\r\nMbo: " + options.call + "\r\nSubject: " +
                       (subject.empty() ? std::string(kNoSubject) : headerText(subject, profile)) + "\r\n" +
                       recipients + "Type: Private\r\n\r\n";
    document.body = std::move(body);
    document.size = totalSize(document);
    return document;
}

}  // namespace

mail::Profile winlinkProfile() {
    mail::Profile profile;
    profile.charset = "iso-8859-1";
    profile.crlf = true;
    profile.subjectLimit = 128;
    profile.fileNameLimit = 79;  // each byte may take three in an encoded word, and pat takes 255
    profile.firstYear = 1970;
    profile.lastYear = 9999;
    return profile;
}

Result<Document> makeDocument(const Delivery& delivery, mail::Readable& readable, const std::string& id,
                              const Options& options) {
    if (options.senderIsCall) readable.text = letterHead(readable, delivery) + readable.text;
    POSTERN_LET(document, documentWith(delivery, readable, id, options, options.profile));
    const std::int64_t limit = options.totalLimit;
    if (limit == 0 || document.size <= limit) return document;
    const std::string tooLong = "it would have " + std::to_string(document.size) + " bytes on the air";
    if (options.dropFiles && !document.body.files.empty()) {
        mail::Profile textOnly = options.profile;
        textOnly.attachments = mail::AttachmentMode::Drop;
        POSTERN_LET(shorter, documentWith(delivery, readable, id, options, textOnly));
        shorter.body.notes.push_back(tooLong + ", so it goes without its files");
        if (shorter.size <= limit) return shorter;
    }
    return fail(Errc::Invalid, tooLong + "; total_limit is " + std::to_string(limit));
}

Result<void> writeDocument(const Document& document, StagedFile& file) {
    const mail::Sink write = [&](std::string_view bytes) { return file.write(bytes); };
    POSTERN_TRY(write(document.header));
    POSTERN_TRY(document.body.writeTexts(write));
    POSTERN_TRY(write(kEnd));
    for (const mail::ConvertedFile& each : document.body.files) {
        POSTERN_TRY(each.writeTo(write));
        POSTERN_TRY(write(kEnd));
    }
    return {};
}

}  // namespace postern::adapters::b2f
