#include "mail/part_kinds.h"

#include "base/text.h"

namespace postern::mail {

bool isReadable(const Entity& entity) {
    return entity.type == "text/plain" || entity.type == "text/html" || entity.type == "text/enriched" ||
           entity.type == "text/richtext" || entity.type == "text/rfc822-headers" ||
           entity.type == "message/delivery-status" || entity.type == "message/disposition-notification" ||
           entity.type == "message/feedback-report" || (entity.isMultipart() && entity.children.empty());
}

bool isSignature(const Entity& entity) {
    return entity.type == "application/pgp-signature" || entity.type == "application/pkcs7-signature" ||
           entity.type == "application/x-pkcs7-signature";
}

bool isOtherRendering(const Entity& entity) {
    return entity.disposition != "attachment" &&
           (isReadable(entity) || entity.type == "text/watch-html" || entity.type == "text/x-amp-html");
}

std::string_view extensionFor(std::string_view type) {
    struct Known {
        std::string_view type, extension;
    };
    static constexpr Known kKnown[] = {
        {"text/plain", "TXT"},
        {"text/html", "HTM"},
        {"text/calendar", "ICS"},
        {"text/csv", "CSV"},
        {"text/rtf", "RTF"},
        {"text/vcard", "VCF"},
        {"application/rtf", "RTF"},
        {"message/rfc822", "EML"},
        {"image/jpeg", "JPG"},
        {"image/png", "PNG"},
        {"image/gif", "GIF"},
        {"image/bmp", "BMP"},
        {"image/tiff", "TIF"},
        {"application/pdf", "PDF"},
        {"application/zip", "ZIP"},
        {"audio/mpeg", "MP3"},
        {"application/msword", "DOC"},
        {"application/pkcs7-mime", "P7M"},
        {"application/pgp-encrypted", "ASC"},
    };
    for (const Known& known : kKnown)
        if (known.type == type) return known.extension;
    return "DAT";
}

Container containerOf(std::string_view type, std::string_view name) {
    if (type == "application/ms-tnef" || type == "application/vnd.ms-tnef" ||
        equalsIgnoreCase(name, "winmail.dat"))
        return Container::Tnef;
    if (type == "application/mac-binhex40" || type == "application/mac-binhex") return Container::BinHex;
    if (type == "application/applefile") return Container::AppleSingle;
    if (type == "application/macbinary" || type == "application/x-macbinary") return Container::MacBinary;
    return Container::None;
}

std::string_view containerName(Container container) {
    switch (container) {
        case Container::Tnef: return "TNEF";
        case Container::BinHex: return "BinHex";
        case Container::AppleSingle: return "AppleSingle";
        case Container::MacBinary: return "MacBinary";
        case Container::None: break;
    }
    return "";
}

}  // namespace postern::mail
