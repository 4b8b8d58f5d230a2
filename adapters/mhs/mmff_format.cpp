#include "adapters/mhs/mmff_format.h"

#include <algorithm>
#include <cstdio>
#include <numeric>

#include "adapters/addressees.h"
#include "adapters/letter_head.h"
#include "base/text.h"
#include "mail/address.h"

namespace postern::adapters::mmff {

namespace {

constexpr std::size_t kMostPart = 10;  // of network, post office and mailbox
constexpr std::size_t kMostAddress = 250;

bool isPlain(std::string_view text) {
    return std::all_of(text.begin(), text.end(), [](char c) { return c >= 0x20 && c < 0x7f; });
}

Error noAddress(std::string_view text, const std::string& why) {
    return Error{Errc::Invalid, "'" + escapeLine(text, 100) + "' is no MS Mail address: " + why};
}

bool isPart(std::string_view part) {
    return !part.empty() && part.size() <= kMostPart && isPlain(part) &&
           part.find_first_of(" ,;:\"") == std::string_view::npos;
}

Result<std::string> mailboxPath(std::string_view text) {
    const auto parts = split(text, '/');
    if (parts.size() != 3 || !std::all_of(parts.begin(), parts.end(), isPart))
        return noAddress(text, "NETWORK/POSTOFFICE/MAILBOX, each of 1 to 10 plain letters");
    return "CSI:" + std::string(text);
}

Result<std::string> internetAddress(std::string_view text) {
    const auto parsed = mail::parseAddress(text);
    if (!parsed.ok() || parsed->domain.empty() || !isPlain(parsed->text()))
        return noAddress(text, "SMTP: is followed by an Internet address of plain letters");
    return "SMTP:" + parsed->text();
}

std::string_view terminatorText(Terminator terminator) {
    if (terminator == Terminator::Cr) return "\r";
    return terminator == Terminator::Lf ? "\n" : "\r\n";
}

std::string dateLines(WallTime time, const Options& options) {
    const CivilTime civil = civilUtc(options.profile.zone.local(time));
    char text[48];
    std::snprintf(text, sizeof text, "DATE:%04d-%02d-%02d\nTIME:%02d:%02d\n", civil.year, civil.month,
                  civil.day, civil.hour, civil.minute);
    return text;
}

Result<std::string> addressees(const Delivery& delivery, const Options& options) {
    POSTERN_LET(all,
                addresseesOf(delivery, [&](const std::string& legacy) { return address(legacy, options); }));
    std::string lines;
    for (const Addressee& each : all) lines += "TO:" + each.address + "\n";
    return lines;
}

std::string senderOf(mail::Converted& body, const Options& options) {
    if (body.fromAddress.empty()) return options.nullSender;
    const auto text = internetAddress(body.fromAddress);
    if (text.ok()) return *text;
    body.notes.push_back("the author's address can not be written here: " +
                         escapeLine(body.fromAddress, 100));
    return options.nullSender;
}

// Texts come with LF; every byte that is one ends a line.
Result<void> writeTerminated(std::string_view bytes, std::string_view terminator, StagedFile& file) {
    while (!bytes.empty()) {
        const auto end = bytes.find('\n');
        POSTERN_TRY(file.write(bytes.substr(0, end)));
        if (end == std::string_view::npos) return {};
        POSTERN_TRY(file.write(terminator));
        bytes.remove_prefix(end + 1);
    }
    return {};
}

std::string terminated(const std::string& lines, std::string_view terminator) {
    std::string out;
    for (const char c : lines) c == '\n' ? out.append(terminator) : out.append(1, c);
    return out;
}

}  // namespace

mail::Profile postOfficeProfile() {
    mail::Profile profile;
    profile.charset = "cp850";
    profile.subjectLimit = 40;
    profile.fileNames = mail::FileNames::Dos;
    profile.firstYear = 1980;
    profile.lastYear = 9999;
    return profile;
}

Result<std::string> address(std::string_view legacy, const Options& options) {
    const auto colon = legacy.find(':');
    const std::string_view slashed = legacy.substr(0, legacy.find('/'));
    const bool typed = colon != std::string_view::npos && colon < slashed.size();
    std::string type = upperAscii(typed ? legacy.substr(0, colon) : std::string_view(options.addressType));
    if (!typed && legacy.find('@') != std::string_view::npos) type = "SMTP";
    const std::string_view rest = trim(typed ? legacy.substr(colon + 1) : legacy);
    if (rest.empty() || rest.size() > kMostAddress || !isPlain(rest))
        return noAddress(legacy, "1 to 250 plain letters");
    if (type == "CSI") return mailboxPath(rest);
    if (type == "SMTP") return internetAddress(rest);
    static constexpr std::string_view kOthers[] = {"MHS", "PROFS", "SNADS", "FAX", "X400"};
    if (std::find(std::begin(kOthers), std::end(kOthers), type) == std::end(kOthers))
        return noAddress(legacy, "its type is none of CSI, SMTP, MHS, PROFS, SNADS, FAX, X400");
    return type + ":" + std::string(rest);
}

Result<Document> makeDocument(const Delivery& delivery, mail::Readable& readable, const Options& options) {
    POSTERN_LET(recipients, addressees(delivery, options));
    readable.text = letterHead(readable, delivery) + readable.text;
    mail::Profile profile = options.profile;
    profile.crlf = options.terminator == Terminator::Crlf;  // what the sizes count
    POSTERN_LET(body, mail::convert(readable, {delivery.sender, delivery.received}, profile));
    const auto sizes = body.textSizes();
    std::string lines = "VERSION:3.00\n" + recipients + "FROM:" + senderOf(body, options) + "\n" +
                        dateLines(body.date, options);
    if (const auto subject = trim(body.subject.bytes); !subject.empty())
        lines += "SUBJECT:" + std::string(subject) + "\n";
    lines += "PRIORITY:3\n";
    for (const mail::ConvertedFile& file : body.files)
        lines += "ATTACHMENTS:" + file.name + " " + std::to_string(file.size()) + "\n";
    lines += "TEXT:" + std::to_string(std::accumulate(sizes.begin(), sizes.end(), std::int64_t{0})) + "\n";
    return Document{terminated(lines, terminatorText(options.terminator)), std::move(body)};
}

Result<void> writeDocument(const Document& document, const Options& options, StagedFile& file) {
    POSTERN_TRY(file.write(document.header));
    POSTERN_TRY(document.body.writeTexts([&](std::string_view bytes) {
        if (options.terminator != Terminator::Cr) return file.write(bytes);
        return writeTerminated(bytes, "\r", file);
    }));
    for (const mail::ConvertedFile& each : document.body.files)
        POSTERN_TRY(each.writeTo([&](std::string_view bytes) { return file.write(bytes); }));
    return {};
}

}  // namespace postern::adapters::mmff
