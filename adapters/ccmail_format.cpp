#include "adapters/ccmail_format.h"

#include <algorithm>
#include <cstdio>

#include "adapters/envelope_text.h"
#include "base/text.h"
#include "mail/charset.h"

namespace postern::adapters::ccmail {

namespace {

constexpr std::size_t kMostAddressBytes = 256;  // of "Name at PO"
constexpr std::size_t kMostDisplayCharacters = 64;
constexpr std::size_t kMostSenderBytes = 320;  // of the Internet address
constexpr std::string_view kAt = " at ";

Field encode(std::string_view utf8, const Options& options) {
    mail::Encoded encoded = mail::fromUtf8(utf8, options.codePage);
    return {std::move(encoded.bytes), encoded.lost, encoded.changed};
}

std::string roundBrackets(std::string_view text) {
    std::string out(text);
    std::replace(out.begin(), out.end(), '[', '(');
    std::replace(out.begin(), out.end(), ']', ')');
    return out;
}

// Runs of blanks become one (KB Q216492).
std::string collapseBlanks(std::string_view text) {
    std::string out;
    for (const char c : trim(text))
        if (c != ' ' || out.empty() || out.back() != ' ') out += c;
    return out;
}

// The first `count` characters of valid UTF-8.
std::string_view firstCharacters(std::string_view utf8, std::size_t count) {
    std::size_t end = 0;
    while (end < utf8.size()) {
        const bool begins = (static_cast<unsigned char>(utf8[end]) & 0xc0) != 0x80;
        if (begins && count-- == 0) break;
        ++end;
    }
    return utf8.substr(0, end);
}

std::string shortened(std::string_view utf8, std::size_t characters) {
    const std::string_view whole = firstCharacters(utf8, characters);
    if (whole.size() == utf8.size()) return std::string(utf8);
    return std::string(firstCharacters(utf8, characters - 3)) + "...";
}

// A display name for a post office of release 8: quoted, a comma would separate two names (KB Q179677,
// Q183588).
std::string quoted(std::string name) {
    std::erase(name, '"');
    std::replace(name.begin(), name.end(), ',', ';');
    return "\"" + name + "\"";
}

}  // namespace

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
    Field field = encode(name, options);
    if (field.lost > 0 || field.changed > 0)
        return fail(Errc::Invalid, shown + " can not be written in " + options.codePage);
    if (field.bytes.size() > kMostAddressBytes)
        return fail(Errc::Invalid, shown + " is longer than " + std::to_string(kMostAddressBytes) + " bytes");
    return std::move(field.bytes);
}

Field senderText(const mail::Mailbox& author, std::string_view envelopeSender, const Options& options) {
    std::string address = mail::cleanLine(author.address.empty() ? envelopeSender : author.address);
    address = collapseBlanks(cutUtf8(address, kMostSenderBytes));
    std::string name = shortened(collapseBlanks(mail::cleanLine(author.name)), kMostDisplayCharacters);
    if (name.empty() && address.empty()) name = options.nullSender;
    if (options.senderForm == SenderForm::Address && !address.empty()) name.clear();
    const bool withAddress = !address.empty() && (name.empty() || options.senderForm != SenderForm::Name);
    std::string text = name.empty() || !options.quoteSender ? name : quoted(name);
    if (withAddress) text = name.empty() ? address : text + " (SMTP:" + address + ")";
    return encode(roundBrackets(text) + std::string(kAt) + options.gateway, options);
}

Subject subjectText(std::string_view subject, const Options& options) {
    Subject result;
    std::string text = mail::cleanLine(subject);
    // One of them alone does no harm.
    result.bracketed = text.find('[') != std::string::npos && text.find(']') != std::string::npos;
    if (result.bracketed) text = roundBrackets(text);
    const std::string cut = shortened(text, static_cast<std::size_t>(options.subjectLimit));
    result.cut = cut != text;
    result.field = encode(cut, options);
    // A character may need several bytes' worth of letters in the code page ("..." for one, "EUR").
    const auto limit = static_cast<std::size_t>(options.subjectLimit);
    if (result.field.changed > 0 && result.field.bytes.size() > 2 * limit) {
        result.field.bytes = encode(cutUtf8(mail::toAscii(cut), limit - 3), options).bytes + "...";
        result.cut = true;
    }
    return result;
}

namespace {

std::string formatDate(WallTime time, const Options& options, const char* number) {
    const CivilTime civil = civilUtc(time + std::chrono::minutes(options.utcOffsetMinutes));
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

bool dateFits(WallTime time) {
    // A day inside the window, so that no offset leads out of it.
    constexpr std::int64_t k1950 = -631'065'600'000, k2049 = 2'524'521'600'000;
    return toMillis(time) >= k1950 && toMillis(time) < k2049;
}

namespace {

std::string withCrlf(std::string_view bytes) {
    std::string out;
    out.reserve(bytes.size() + bytes.size() / 40);
    for (const char c : bytes) {
        if (c == '\n') out += '\r';
        out += c;
    }
    return out;
}

// Collects encoded lines into pieces.
class Pieces {
  public:
    Pieces(const Options& options, Field& losses)
        : options_(options), limit_(static_cast<std::size_t>(options.textLimit)), losses_(losses) {}

    void add(std::string_view utf8) {
        Field field = encode(utf8, options_);
        const std::string bytes = withCrlf(field.bytes);
        // A line that fits into no piece is cut between characters until its parts do.
        if (bytes.size() > limit_ && utf8.size() > 8) {
            const std::string_view head = cutUtf8(utf8, utf8.size() / 2);
            add(head);
            return add(utf8.substr(head.size()));
        }
        losses_.lost += field.lost;
        losses_.changed += field.changed;
        if (pieces_.empty() || pieces_.back().size() + bytes.size() > limit_) pieces_.emplace_back();
        pieces_.back() += bytes;
    }

    std::vector<std::string> take() {
        if (pieces_.empty()) pieces_.emplace_back();
        return std::move(pieces_);
    }

  private:
    const Options& options_;
    const std::size_t limit_;
    Field& losses_;
    std::vector<std::string> pieces_;
};

}  // namespace

std::vector<std::string> textPieces(std::string_view text, const Options& options, Field& losses) {
    Pieces pieces(options, losses);
    while (!text.empty()) {
        const auto end = text.find('\n');
        const std::string_view line = text.substr(0, end == std::string_view::npos ? end : end + 1);
        pieces.add(line);
        text.remove_prefix(line.size());
    }
    return pieces.take();
}

int fixedHeaderBytes() {
    return 1024;
}

}  // namespace postern::adapters::ccmail
