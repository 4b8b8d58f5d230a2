#include "adapters/mhs/mhs_format.h"

#include <algorithm>
#include <cstdio>

#include "adapters/addressees.h"
#include "adapters/letter_head.h"
#include "adapters/long_lines.h"
#include "base/text.h"
#include "mail/charset.h"

namespace postern::adapters::mhs {

namespace {

constexpr std::string_view kEnd = "\r\n";
constexpr std::size_t kMostExtended = 128;

bool isPlain(std::string_view text) {
    return std::all_of(text.begin(), text.end(), [](char c) { return c >= 0x20 && c < 0x7f; });
}

// What ends a name or means something in a list of addresses.
bool isName(std::string_view name) {
    return !name.empty() && isPlain(name) && name.find_first_of(" ,;:@(){}<>\"\\") == std::string_view::npos;
}

Error noAddress(std::string_view text, const std::string& why) {
    return Error{Errc::Invalid, "'" + escapeLine(text, 100) + "' is no MHS address: " + why};
}

// "{FAX: 123}" without blanks just inside the braces; empty for none.
Result<std::string> extendedPart(std::string_view whole, std::string_view text) {
    if (text.empty()) return std::string();
    if (!text.ends_with("}")) return noAddress(whole, "the extended part does not end with '}'");
    const std::string_view inside = trim(text.substr(1, text.size() - 2));
    if (inside.empty() || !isPlain(inside) || inside.find_first_of("{}()") != std::string_view::npos ||
        inside.size() > kMostExtended)
        return noAddress(whole, "the extended part has 1 to 128 plain characters and no brackets");
    return " {" + std::string(inside) + "}";
}

// The local part of an Internet address as a user's name.
std::string userOf(std::string_view internet, const Options& options) {
    std::string user;
    for (const char c : internet.substr(0, internet.rfind('@')))
        if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
            c == '_')
            user += c;
    if (user.size() > options.nameLimit()) user.resize(options.nameLimit());
    return user.empty() ? options.nullSender : user;
}

// Fit to stand in braces: a sender that is not keeps his name only, and the item's history says so.
bool isPlainSender(std::string_view internet) {
    return !internet.empty() && internet.size() + 6 <= kMostExtended && isPlain(internet) &&
           internet.find_first_of(" ,(){}") == std::string_view::npos;
}

// A comma would end the address (KB Q124746), a bracket the comment.
std::string comment(const mail::Line& name) {
    std::string text;
    for (const char c : name.bytes)
        if (c != '(' && c != ')') text += c == ',' ? ';' : c;
    text = std::string(trim(text));
    return text.empty() ? text : " (" + text + ")";
}

std::string senderLine(mail::Converted& body, const Options& options) {
    std::string line = userOf(body.fromAddress, options) + "@" + options.gateway;
    if (options.extendedSender && isPlainSender(body.fromAddress))
        line += " {SMTP: " + body.fromAddress + "}";
    else if (options.extendedSender && !body.fromAddress.empty())
        body.notes.push_back("the author's address can not be written in braces and was left out");
    return options.author == Author::Comment ? line + comment(body.fromName) : line;
}

std::string dateText(WallTime time, const mail::Profile& profile) {
    static constexpr const char* kMonths[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                              "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    const CivilTime civil = civilUtc(profile.zone.local(time));
    char text[32];
    std::snprintf(text, sizeof text, "%02d-%s-%02d %02d:%02d", civil.day, kMonths[civil.month - 1],
                  civil.year % 100, civil.hour, civil.minute);
    return text;
}

// Who gets it, from the envelope alone, each once. Everybody stands in To: SMF-70 has nothing else.
Result<std::string> addressees(const Delivery& delivery, const Options& options) {
    POSTERN_LET(all,
                addresseesOf(delivery, [&](const std::string& legacy) { return address(legacy, options); }));
    std::string line;
    for (const Addressee& each : all) line += (line.empty() ? "" : ", ") + each.address;
    return line;
}

}  // namespace

mail::Profile hubProfile() {
    mail::Profile profile;
    profile.charset = "cp437";
    profile.crlf = true;
    profile.columns = 74;
    profile.subjectLimit = 64;
    profile.nameLimit = 60;
    profile.fileNames = mail::FileNames::Dos;
    profile.firstYear = 1970;
    profile.lastYear = 2069;
    return profile;
}

Result<std::string> address(std::string_view legacy, const Options& options) {
    const auto brace = legacy.find('{');
    const std::string_view basic = trim(legacy.substr(0, brace));
    const auto at = basic.find('@');
    const std::string user(trim(basic.substr(0, at)));
    const std::string workgroup(at == std::string_view::npos ? options.workgroup
                                                             : trim(basic.substr(at + 1)));
    if (!isName(user)) return noAddress(legacy, "a user's name has plain letters and no blank");
    if (workgroup.empty()) return noAddress(legacy, "it has no workgroup, and there is no setting workgroup");
    if (!isName(workgroup)) return noAddress(legacy, "a workgroup's name has plain letters and no blank");
    if (user.size() > options.nameLimit() || workgroup.size() > options.nameLimit())
        return noAddress(legacy, "names have at most " + std::to_string(options.nameLimit()) + " letters");
    POSTERN_LET(extended, extendedPart(legacy, brace == std::string_view::npos ? std::string_view()
                                                                               : trim(legacy.substr(brace))));
    return user + "@" + workgroup + extended;
}

Result<Document> makeDocument(const Delivery& delivery, mail::Readable& readable,
                              const std::function<std::string(int)>& parcel, const Options& options) {
    POSTERN_LET(recipients, addressees(delivery, options));
    if (options.author == Author::Text) readable.text = letterHead(readable, delivery) + readable.text;
    POSTERN_LET(body, mail::convert(readable, {delivery.sender, delivery.received}, options.profile));
    breakLongLines(options.profile, body);
    Document document;
    document.header = std::string(options.global ? "SMF-71" : "SMF-70") + "\r\nTo: " + recipients +
                      "\r\nFrom: " + senderLine(body, options) +
                      "\r\nSubject: " + std::string(trim(body.subject.bytes)) +
                      "\r\nDate: " + dateText(body.date, options.profile) + "\r\n";
    for (std::size_t i = 0; i < body.files.size(); ++i)
        document.header.append("Attachment: ")
            .append(parcel(static_cast<int>(i) + 1))
            .append("\r\nAttachment-name: ")
            .append(body.files[i].name)
            .append(kEnd);
    document.header += kEnd;
    document.body = std::move(body);
    return document;
}

}  // namespace postern::adapters::mhs
