#include "adapters/mhs/gwapi_format.h"

#include <algorithm>
#include <cstdio>

#include "adapters/addressees.h"
#include "base/text.h"
#include "mail/charset.h"

namespace postern::adapters::gwapi {

namespace {

constexpr std::size_t kMostName = 64;  // of a domain, post office or user

bool isPlain(std::string_view text) {
    return std::all_of(text.begin(), text.end(), [](char c) { return c >= 0x20 && c < 0x7f; });
}

bool isName(std::string_view name) {
    return !name.empty() && name.size() <= kMostName && isPlain(name) && name == trim(name) &&
           name.find_first_of(";,=\"()@") == std::string_view::npos;
}

Error noAddress(std::string_view text, const std::string& why) {
    return Error{Errc::Invalid, "'" + escapeLine(text, 100) + "' is no GroupWise address: " + why};
}

std::string structured(const std::string& domain, const std::string& postOffice, const std::string& user) {
    return "\r\n    WPD= " + domain + ";\r\n    WPPO= " + postOffice + ";\r\n    WPU= " + user +
           ";\r\n    CDBA= " + domain + "." + postOffice + "." + user + ";\r\n    ;";
}

// A value ends at a semicolon, in whatever code page it is: no byte of one is half a character there.
std::string value(std::string_view bytes) {
    std::string out(trim(bytes));
    std::replace(out.begin(), out.end(), ';', ',');
    return out;
}

// What an Internet address can be called in the directory's form; the whole stands in FROM-TEXT.
std::string userOf(std::string_view internet, const Options& options) {
    std::string user;
    for (const char c : internet.substr(0, internet.rfind('@')))
        if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
            std::string_view("-_").find(c) != std::string_view::npos)
            user += c;
    if (user.size() > kMostName) user.resize(kMostName);
    return user.empty() ? options.nullSender : user;
}

std::string authorText(mail::Converted& body, const Options& options) {
    const std::string name(trim(body.fromName.bytes));
    if (body.fromAddress.empty()) return value(name.empty() ? options.nullSender : name);
    mail::Converted ignored;  // its losses are those of the name
    const std::string address =
        mail::convertLine(body.fromAddress, 250, "the author's address", options.profile, ignored).bytes;
    return value(name.empty() ? address : name + " <" + address + ">");
}

std::string dateText(WallTime time, const mail::Profile& profile) {
    const CivilTime civil = civilUtc(profile.zone.local(time));
    char text[48];
    std::snprintf(text, sizeof text, "%d.%d.%d.%d.%d", civil.year, civil.month, civil.day, civil.hour,
                  civil.minute);
    return text;
}

// Who gets it, from the envelope alone, each once; as a copy who stands in Cc alone.
Result<std::string> addressees(const Delivery& delivery, const mail::Readable& readable,
                               const Options& options) {
    POSTERN_LET(all,
                addresseesOf(delivery, [&](const std::string& legacy) { return address(legacy, options); }));
    std::vector<std::string> to, copies;
    for (Addressee& each : all)
        (isCopied(*each.recipient, readable) ? copies : to).push_back(std::move(each.address));
    if (to.empty()) to.swap(copies);
    std::string lines;
    for (const auto& [keyword, list] : {std::pair{"TO=", &to}, {"TO-CC=", &copies}}) {
        for (std::size_t i = 0; i < list->size(); ++i)
            lines += (i == 0 ? keyword : std::string(",")) + (*list)[i];
        if (!list->empty()) lines += "\r\n";
    }
    return lines;
}

// Each in a block of its own, with commas between the blocks; no comma stands anywhere else (KB Q234585).
std::string attachments(const mail::Converted& body, const std::function<std::string(int)>& fileName) {
    std::string lines;
    for (std::size_t i = 0; i < body.files.size(); ++i) {
        std::string shown = value(body.files[i].name);
        std::replace(shown.begin(), shown.end(), ',', '_');
        lines += (i == 0 ? "ATTACH-FILE=\r\n" : "    ,\r\n") + std::string("    CURRENT-FILE= ") +
                 fileName(static_cast<int>(i) + 2) +
                 ";\r\n    SIZE= " + std::to_string(body.files[i].size()) +
                 ";\r\n    ORIGINAL-FILE= " + shown + ";\r\n";
    }
    return lines.empty() ? lines : lines + "    ;\r\n";
}

}  // namespace

mail::Profile gatewayProfile() {
    mail::Profile profile;
    profile.charset = "cp850";
    profile.crlf = true;
    profile.subjectLimit = 128;
    profile.nameLimit = 64;
    profile.fileNameLimit = 128;
    profile.forbiddenInNames = ";,";
    profile.firstYear = 1980;
    profile.lastYear = 2099;
    return profile;
}

Result<std::string> address(std::string_view legacy, const Options& options) {
    const auto parts = split(legacy, '.');
    std::string domain = options.domain, postOffice = options.postOffice, user(legacy);
    if (parts.size() == 3) {
        domain = parts[0];
        postOffice = parts[1];
        user = parts[2];
    } else if (parts.size() != 1) {
        return noAddress(legacy, "domain.postoffice.user, or a user alone");
    }
    if (domain.empty() || postOffice.empty())
        return noAddress(legacy, "it is a user alone, and there are no settings domain and post_office");
    if (!isName(domain) || !isName(postOffice) || !isName(user))
        return noAddress(legacy, "each part has 1 to 64 plain letters");
    return structured(domain, postOffice, user);
}

Result<Document> makeDocument(const Delivery& delivery, const mail::Readable& readable, const std::string& id,
                              const std::function<std::string(int)>& fileName, const Options& options) {
    POSTERN_LET(recipients, addressees(delivery, readable, options));
    POSTERN_LET(body, mail::convert(readable, {delivery.sender, delivery.received}, options.profile));
    Document document;
    document.keywords =
        "WPC-API= 1.2;\r\nMSG-TYPE= Mail;\r\nMSG-ID= " + id + ":" + dateText(body.date, options.profile) +
        ";\r\nFROM=" +
        structured(options.foreignDomain, options.foreignPostOffice, userOf(body.fromAddress, options)) +
        "\r\nFROM-TEXT= " + authorText(body, options) + ";\r\n" + recipients +
        "MSG-PRIORITY= Normal;\r\nSUBJECT= " + value(body.subject.bytes) + ";\r\nMSG-FILE= " + fileName(1) +
        ";\r\n" + attachments(body, fileName) + "-END-\r\n";
    document.body = std::move(body);
    return document;
}

}  // namespace postern::adapters::gwapi
