#include "adapters/message_format.h"

#include <algorithm>
#include <optional>

#include "adapters/profile.h"
#include "base/text.h"
#include "mail/charset.h"
#include "mail/plain_message.h"

namespace postern::adapters {

namespace {

// Of two limits where zero is none.
template <class Limit>
Limit lower(Limit a, Limit b) {
    return a == 0 || b == 0 ? std::max(a, b) : std::min(a, b);
}

mail::Carrier both(const mail::Carrier& a, const mail::Carrier& b) {
    mail::Carrier carrier;
    carrier.eightBit = a.eightBit && b.eightBit;
    carrier.utf8Header = a.utf8Header && b.utf8Header;
    carrier.rawHeader = a.rawHeader && b.rawHeader;
    carrier.binary = a.binary && b.binary;
    carrier.lineLimit = lower(a.lineLimit, b.lineLimit);
    carrier.headerLimit = lower(a.headerLimit, b.headerLimit);
    carrier.charset = a.charset.empty() ? b.charset : a.charset;
    carrier.preferBase64 = a.preferBase64 || b.preferBase64;
    return carrier;
}

mail::Carrier sevenBit() {
    mail::Carrier carrier;
    carrier.eightBit = carrier.utf8Header = carrier.binary = false;
    carrier.lineLimit = 998;  // RFC 5322 2.1.1
    return carrier;
}

// What a reader without MIME can do with a message.
mail::Profile plainProfile() {
    mail::Profile profile;
    profile.charset = "us-ascii";
    profile.columns = 76;
    profile.attachments = mail::AttachmentMode::Uuencode;
    return profile;
}

bool hasPlain(const std::vector<std::string_view>& fixed) {
    return std::find(fixed.begin(), fixed.end(), "format=plain") == fixed.end();
}

}  // namespace

std::vector<Setting> messageSettings(std::vector<Setting> own, const std::vector<std::string_view>& fixed) {
    std::vector<Setting> settings = {
        {"format",
         SettingType::Choice,
         "original",
         "original: as it came; 7bit: no 8-bit byte, no line over 998 bytes; plain: one plain text for "
         "readers "
         "that know no MIME, made with the settings from charset on.",
         {"original", "7bit", "plain"}},
        {"line_limit",
         SettingType::Integer,
         "0",
         "Bytes of a line; text with longer ones is encoded. 0 means no limit.",
         {},
         0,
         1000000},
        {"header_limit", SettingType::Size, "0",
         "Bytes of the header; a longer one loses what is needed least. 0 means no limit."},
        {"recode_text", SettingType::Text, "",
         "Plain texts are recoded to this charset where it holds them, like iso-8859-1; empty: never."},
        {"transfer_encoding",
         SettingType::Choice,
         "automatic",
         "base64: for readers that do not know quoted-printable.",
         {"automatic", "base64"}},
    };
    if (!hasPlain(fixed)) settings.front().choices.pop_back();
    if (hasPlain(fixed)) {
        // The text of such a message has no limit, and there is one text.
        std::vector<std::string_view> without = {"text_limit", "long_text", "attachments=native"};
        without.insert(without.end(), fixed.begin(), fixed.end());
        for (Setting& setting : profileSettings(plainProfile(), {}, without))
            settings.push_back(std::move(setting));
    }
    for (Setting& setting : own) settings.push_back(std::move(setting));
    return settings;
}

Result<MessageFormat> messageFormat(const Settings& settings) {
    constexpr std::int64_t kLeastLine = 80, kLeastHeader = 1024;
    MessageFormat format;
    if (settings.text("format") == "7bit") format.form = MessageForm::SevenBit;
    if (settings.text("format") == "plain") format.form = MessageForm::Plain;
    POSTERN_LET(profile, profileOf(settings, plainProfile()));
    format.plain = std::move(profile);
    format.carrier.lineLimit = static_cast<int>(settings.integer("line_limit"));
    format.carrier.headerLimit = settings.integer("header_limit");
    format.carrier.charset = settings.text("recode_text");
    format.carrier.preferBase64 = settings.text("transfer_encoding") == "base64";
    if (format.carrier.lineLimit != 0 && format.carrier.lineLimit < kLeastLine)
        return fail(Errc::Invalid, "line_limit: 0, or at least 80");
    if (format.carrier.headerLimit != 0 && format.carrier.headerLimit < kLeastHeader)
        return fail(Errc::Invalid, "header_limit: 0, or at least 1024");
    if (!format.carrier.charset.empty() && !mail::knownCodePage(format.carrier.charset))
        return fail(Errc::Invalid,
                    "recode_text: '" + escapeLine(format.carrier.charset, 60) + "' is not known");
    return format;
}

// One of the two.
struct FormedMessage::Impl {
    struct Plain {
        mail::Readable message;
        mail::Profile profile;
        mail::Converted converted;
        mail::PlainLimits limits;
        mail::PlainHeader header;
    };
    std::optional<mail::Downgraded> original;
    std::unique_ptr<Plain> plain;  // `converted` refers to `message`: they stay where they are
};

Result<FormedMessage> FormedMessage::make(const Delivery& delivery, const MessageFormat& format,
                                          const mail::Carrier& carrier, std::vector<std::string>& notes) {
    mail::Carrier needed = both(format.carrier, carrier);
    auto impl = std::make_unique<Impl>();
    if (format.form == MessageForm::Plain) {
        POSTERN_TRY(makePlain(delivery, format.plain, needed, *impl, notes));
        return FormedMessage(std::move(impl));
    }
    if (format.form == MessageForm::SevenBit) needed = both(needed, sevenBit());
    POSTERN_LET(original, mail::Downgraded::make(*delivery.message, needed));
    notes.insert(notes.end(), original.notes().begin(), original.notes().end());
    impl->original = std::move(original);
    return FormedMessage(std::move(impl));
}

Result<void> FormedMessage::makePlain(const Delivery& delivery, const mail::Profile& profile,
                                      const mail::Carrier& carrier, Impl& impl,
                                      std::vector<std::string>& notes) {
    constexpr int kShortestName = 16, kBeginLine = 11;  // "begin 644 " in front of a name
    auto plain = std::make_unique<Impl::Plain>();
    mail::PlainLimits& limits = plain->limits;
    limits.header = carrier.headerLimit;
    if (carrier.lineLimit > 0) limits.line = std::min(limits.line, carrier.lineLimit);
    mail::Profile& made = plain->profile;
    made = profile;
    if (!carrier.eightBit) made.charset = "us-ascii";
    made.columns = made.columns == 0 ? limits.line : std::min(made.columns, limits.line);
    made.fileNameLimit = std::min(made.fileNameLimit, std::max(kShortestName, limits.line - kBeginLine));
    POSTERN_LET(message, mail::readMessage(*delivery.message, mail::readingFor(made)));
    plain->message = std::move(message);
    POSTERN_LET(converted, mail::convert(plain->message, {delivery.sender, delivery.received}, made));
    plain->converted = std::move(converted);
    POSTERN_LET(trace, mail::traceFields(*delivery.message, limits));
    POSTERN_LET(header, mail::plainHeader(plain->message, made, limits, std::move(trace), plain->converted));
    plain->header = std::move(header);
    notes.insert(notes.end(), plain->converted.notes.begin(), plain->converted.notes.end());
    impl.plain = std::move(plain);
    return {};
}

FormedMessage::FormedMessage(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
FormedMessage::FormedMessage(FormedMessage&&) noexcept = default;
FormedMessage& FormedMessage::operator=(FormedMessage&&) noexcept = default;
FormedMessage::~FormedMessage() = default;

bool FormedMessage::eightBit() const {
    return impl_->plain ? mail::plainHasEightBit(impl_->plain->converted) : impl_->original->eightBit();
}

bool FormedMessage::utf8Header() const {
    return impl_->original && impl_->original->utf8Header();
}

Result<void> FormedMessage::writeTo(const std::function<Result<void>(std::string_view)>& sink) const {
    if (!impl_->plain) return impl_->original->writeTo(sink);
    const Impl::Plain& plain = *impl_->plain;
    return mail::writePlainMessage(plain.header, plain.converted, plain.profile, plain.limits, sink);
}

}  // namespace postern::adapters
