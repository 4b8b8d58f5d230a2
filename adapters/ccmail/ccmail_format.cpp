#include "adapters/ccmail/ccmail_format.h"

#include <algorithm>
#include <cstdio>

#include "adapters/envelope_text.h"
#include "base/text.h"
#include "mail/charset.h"

namespace postern::adapters::ccmail {

namespace {

constexpr std::size_t kMostAddressBytes = 256;  // of "Name at PO"
constexpr int kMostDisplayCharacters = 64;
constexpr std::size_t kMostSenderBytes = 320;  // of the Internet address
constexpr std::string_view kAt = " at ";

// Runs of blanks become one (KB Q216492).
std::string collapseBlanks(std::string_view text) {
    std::string out;
    for (const char c : trim(text))
        if (c != ' ' || out.empty() || out.back() != ' ') out += c;
    return out;
}

// What may stand between quotes in a post office of release 8: a comma would separate two names (KB Q179677,
// Q183588).
std::string unquoted(std::string name) {
    std::erase(name, '"');
    std::replace(name.begin(), name.end(), ',', ';');
    return name;
}

// Where the last " at " begins, in any case: names are compared without regard to it.
std::size_t lastAt(std::string_view name) {
    for (std::size_t i = name.size(); i-- > 0;)
        if (equalsIgnoreCase(name.substr(i, kAt.size()), kAt)) return i;
    return std::string_view::npos;
}

// "Support at Acme" would be somebody in the post office Acme.
std::string withoutAt(std::string name) {
    for (auto at = lastAt(name); at != std::string::npos;
         at = lastAt(std::string_view(name).substr(0, at + 1)))
        name.replace(at, kAt.size(), " @ ");
    return name;
}

std::string written(std::string_view utf8, const Options& options) {
    return mail::fromUtf8(utf8, options.profile.charset).bytes;
}

// The sender's name as it will be read: what a code page lacks is written with brackets, quotes and commas.
std::string writtenName(std::string_view bytes, const Options& options) {
    std::string name = roundBrackets(mail::toUtf8(bytes, options.profile.charset));
    if (options.quoteSender) name = unquoted(std::move(name));
    return written(withoutAt(collapseBlanks(name)), options);
}

// Never longer than kMostSenderBytes, whatever its characters are written as.
std::string writtenAddress(std::string_view address, const Options& options) {
    std::string bytes;
    for (std::size_t most = kMostSenderBytes;; most = most * 3 / 4) {
        const std::string shown = withoutAt(collapseBlanks(cutUtf8(address, most)));
        bytes = roundedBytes(written(shown, options), options);
        if (bytes.size() <= kMostSenderBytes) return bytes;
    }
}

}  // namespace

mail::Profile postOfficeProfile() {
    mail::Profile profile;
    profile.charset = "cp850";
    profile.crlf = true;
    profile.textLimit = 20000;
    profile.subjectLimit = 60;
    profile.nameLimit = kMostDisplayCharacters;
    profile.fileNames = mail::FileNames::Dos;
    profile.fileNameLimit = 30;
    profile.forbiddenInNames = "[]";  // they stop IMPORT elsewhere (KB Q232687)
    profile.firstYear = 1950;
    profile.lastYear = 2049;
    return profile;
}

Result<std::string> recipientText(const Recipient& recipient, const Options& options) {
    const std::string text = recipient.legacy.empty()
                                 ? recipient.address.substr(0, recipient.address.rfind('@'))
                                 : recipient.legacy;
    const std::string shown = "'" + escapeLine(text, 60) + "'";
    if (mail::cleanLine(text) != text) return fail(Errc::Invalid, shown + " has control characters");
    std::string name = roundBrackets(collapseBlanks(text));
    // "at PO" without a name before it is EXPORT's mistake, not a name (KB Q249133).
    if (equalsIgnoreCase(std::string_view(name).substr(0, 3), "at ")) name.insert(0, " ");
    const auto at = lastAt(name);
    if (name.empty() || at == 0) return fail(Errc::Invalid, "the recipient has no name: " + shown);
    if (at != std::string::npos && lastAt(std::string_view(name).substr(0, at + 1)) != std::string::npos)
        return fail(Errc::Invalid, shown + " has ' at ' twice: nobody could tell its post office");
    // A stranger may write anything in front of the "@", but not choose a post office.
    if (at != std::string::npos && recipient.legacy.empty())
        return fail(Errc::Invalid, shown + " has ' at ' in it, and its route gives no name");
    if (at != std::string::npos && options.resolveNames) name.resize(at);
    if (at == std::string::npos && !options.resolveNames && !options.postOffice.empty())
        name.append(kAt).append(options.postOffice);
    mail::Encoded encoded = mail::fromUtf8(name, options.profile.charset);
    if (encoded.lost > 0 || encoded.changed > 0)
        return fail(Errc::Invalid, shown + " can not be written in " + options.profile.charset);
    if (encoded.bytes.size() > kMostAddressBytes)
        return fail(Errc::Invalid, shown + " is longer than " + std::to_string(kMostAddressBytes) + " bytes");
    return std::move(encoded.bytes);
}

std::string senderName(const mail::Mailbox& author, const Options& options) {
    if (options.senderForm == SenderForm::Address && !author.address.empty()) return {};
    const std::string name = roundBrackets(collapseBlanks(mail::cleanLine(author.name)));
    return name.empty() || !options.quoteSender ? name : unquoted(name);
}

std::string senderText(const mail::Line& name, std::string_view address, const Options& options) {
    const std::string shown = writtenAddress(address, options);
    const std::string author = writtenName(name.bytes, options);
    const std::string at = std::string(kAt) + options.gateway;
    if (author.empty() && shown.empty()) return writtenAddress(options.nullSender, options) + at;
    if (author.empty()) return shown + at;
    const std::string text = options.quoteSender ? "\"" + author + "\"" : author;
    if (shown.empty() || options.senderForm == SenderForm::Name) return text + at;
    return text + " (SMTP:" + shown + ")" + at;
}

bool isBracketed(std::string_view utf8) {
    return utf8.find('[') != std::string_view::npos && utf8.find(']') != std::string_view::npos;
}

std::string roundedBytes(std::string_view bytes, const Options& options) {
    const std::string utf8 = mail::toUtf8(bytes, options.profile.charset);
    if (utf8.find_first_of("[]") == std::string::npos) return std::string(bytes);
    return written(roundBrackets(utf8), options);
}

std::string roundBrackets(std::string_view text) {
    std::string out(text);
    std::replace(out.begin(), out.end(), '[', '(');
    std::replace(out.begin(), out.end(), ']', ')');
    return out;
}

namespace {

std::string formatDate(WallTime time, const Options& options, const char* number) {
    const CivilTime civil = civilUtc(options.profile.zone.local(time));
    char year[8], month[8], day[8], clock[16];
    std::snprintf(year, sizeof year, options.fourDigitYears ? "%04d" : "%02d",
                  options.fourDigitYears ? civil.year : civil.year % 100);
    std::snprintf(month, sizeof month, number, civil.month);
    std::snprintf(day, sizeof day, number, civil.day);
    std::snprintf(clock, sizeof clock, " %d:%02d", civil.hour, civil.minute);
    const std::string slash = "/";
    switch (options.dateOrder) {
        case DateOrder::Dmy: return day + slash + month + slash + year + clock;
        case DateOrder::Ymd: return year + slash + month + slash + day + clock;
        case DateOrder::Mdy: break;
    }
    return month + slash + day + slash + year + clock;
}

}  // namespace

std::string dateText(WallTime time, const Options& options) {
    return formatDate(time, options, "%d");
}

std::string fileDateText(WallTime time, const Options& options) {
    return formatDate(time, options, "%02d");
}

int fixedHeaderBytes(const Options& options) {
    constexpr int kLabels = 128;  // labels, line ends, the date, "(SMTP:)"
    constexpr int kCharacter = 4;
    const int texts = (options.profile.nameLimit + options.profile.subjectLimit) * kCharacter;
    return std::max(1024, kLabels + texts + static_cast<int>(kMostSenderBytes + options.gateway.size()));
}

}  // namespace postern::adapters::ccmail
