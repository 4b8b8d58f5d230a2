#include "adapters/ccmail_format.h"

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

}  // namespace

mail::Profile postOfficeProfile() {
    mail::Profile profile;
    profile.charset = "cp850";
    profile.crlf = true;
    profile.textLimit = 20000;
    profile.subjectLimit = 60;
    profile.nameLimit = kMostDisplayCharacters;
    profile.fileNames = mail::FileNames::Dos;
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
    if (name.starts_with("at ")) name = " " + name;
    const auto at = name.rfind(kAt);
    if (name.empty() || at == 0) return fail(Errc::Invalid, "the recipient has no name: " + shown);
    if (at != std::string::npos && options.resolveNames) name.resize(at);
    if (at == std::string::npos && !options.resolveNames && !options.postOffice.empty())
        name.append(kAt).append(options.postOffice);
    mail::Encoded written = mail::fromUtf8(name, options.profile.charset);
    if (written.lost > 0 || written.changed > 0)
        return fail(Errc::Invalid, shown + " can not be written in " + options.profile.charset);
    if (written.bytes.size() > kMostAddressBytes)
        return fail(Errc::Invalid, shown + " is longer than " + std::to_string(kMostAddressBytes) + " bytes");
    return std::move(written.bytes);
}

std::string senderName(const mail::Mailbox& author, const Options& options) {
    if (options.senderForm == SenderForm::Address && !author.address.empty()) return {};
    const std::string name = roundBrackets(collapseBlanks(mail::cleanLine(author.name)));
    return name.empty() || !options.quoteSender ? name : unquoted(name);
}

std::string senderText(const mail::Line& name, std::string_view address, const Options& options) {
    const std::string shown = roundBrackets(collapseBlanks(cutUtf8(address, kMostSenderBytes)));
    const std::string at = std::string(kAt) + options.gateway;
    if (name.bytes.empty() && shown.empty())
        return mail::fromUtf8(roundBrackets(options.nullSender), options.profile.charset).bytes + at;
    const std::string written = mail::fromUtf8(shown, options.profile.charset).bytes;
    if (name.bytes.empty()) return written + at;
    const std::string text = options.quoteSender ? "\"" + name.bytes + "\"" : name.bytes;
    if (shown.empty() || options.senderForm == SenderForm::Name) return text + at;
    return text + " (SMTP:" + written + ")" + at;
}

bool isBracketed(std::string_view subject) {
    return subject.find('[') != std::string_view::npos && subject.find(']') != std::string_view::npos;
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

int fixedHeaderBytes() {
    return 1024;
}

}  // namespace postern::adapters::ccmail
