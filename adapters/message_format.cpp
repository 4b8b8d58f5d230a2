#include "adapters/message_format.h"

#include <algorithm>

#include "base/text.h"
#include "mail/charset.h"

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

}  // namespace

std::vector<Setting> messageSettings(std::vector<Setting> own) {
    std::vector<Setting> settings = {
        {"format",
         SettingType::Choice,
         "original",
         "original: as it came; 7bit: no 8-bit byte, no line over 998 bytes.",
         {"original", "7bit"}},
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
    for (Setting& setting : own) settings.push_back(std::move(setting));
    return settings;
}

Result<MessageFormat> messageFormat(const Settings& settings) {
    constexpr std::int64_t kLeastLine = 80, kLeastHeader = 1024;
    MessageFormat format;
    format.form = settings.text("format") == "7bit" ? MessageForm::SevenBit : MessageForm::Original;
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

struct FormedMessage::Impl {
    mail::Downgraded original;
};

Result<FormedMessage> FormedMessage::make(const Delivery& delivery, const MessageFormat& format,
                                          const mail::Carrier& carrier, std::vector<std::string>& notes) {
    mail::Carrier needed = both(format.carrier, carrier);
    if (format.form == MessageForm::SevenBit) needed = both(needed, sevenBit());
    POSTERN_LET(original, mail::Downgraded::make(*delivery.message, needed));
    notes.insert(notes.end(), original.notes().begin(), original.notes().end());
    return FormedMessage(std::make_unique<Impl>(Impl{std::move(original)}));
}

FormedMessage::FormedMessage(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
FormedMessage::FormedMessage(FormedMessage&&) noexcept = default;
FormedMessage& FormedMessage::operator=(FormedMessage&&) noexcept = default;
FormedMessage::~FormedMessage() = default;

bool FormedMessage::eightBit() const {
    return impl_->original.eightBit();
}

bool FormedMessage::utf8Header() const {
    return impl_->original.utf8Header();
}

Result<void> FormedMessage::writeTo(const std::function<Result<void>(std::string_view)>& sink) const {
    return impl_->original.writeTo(sink);
}

}  // namespace postern::adapters
