#include "adapters/bsmtp/bsmtp_text.h"

#include <algorithm>

#include "adapters/smtp/smtp_envelope.h"
#include "adapters/smtp/smtp_text.h"
#include "base/text.h"

namespace postern::adapters {

mail::Carrier bsmtpCarrier() {
    mail::Carrier carrier;
    carrier.utf8Header = carrier.binary = false;
    carrier.lineLimit = 998;  // RFC 5321 4.5.3.1.6, without CRLF
    return carrier;
}

std::optional<std::string> refusedInBsmtp(const Recipient& recipient) {
    const auto path = smtpPath(recipient, false);
    if (path.ok()) return std::nullopt;
    return path.error().text.substr(6);  // behind its status
}

std::optional<std::string> senderRefusedInBsmtp(std::string_view sender) {
    const bool ascii =
        std::all_of(sender.begin(), sender.end(), [](unsigned char c) { return c >= 0x20 && c < 0x7f; });
    if (sender.empty() || (ascii && fitsPath(sender))) return std::nullopt;
    return "the sender '" + escapeLine(sender, 100) + "' can not stand in batch SMTP";
}

Result<void> writeBsmtp(const Delivery& delivery, const BsmtpRules& rules, std::string_view head,
                        const FormedMessage& message, const BsmtpSink& sink) {
    std::string opening = (rules.extended ? "EHLO " : "HELO ") + rules.helo + "\r\n";
    opening += "MAIL FROM:<" + delivery.sender + ">";
    if (rules.extended && message.eightBit()) opening += " BODY=8BITMIME";
    opening += "\r\n";
    for (const Recipient& recipient : delivery.recipients) {
        POSTERN_LET(path, smtpPath(recipient, false));
        opening += "RCPT TO:<" + path + ">\r\n";
    }
    POSTERN_TRY(sink(opening + "DATA\r\n"));
    bool any = !head.empty();
    SmtpText text(sink);
    POSTERN_TRY(text.write(head));
    POSTERN_TRY(message.writeTo([&](std::string_view bytes) {
        any = any || !bytes.empty();
        return text.write(bytes);
    }));
    POSTERN_TRY(text.finish());
    return sink(std::string(any ? kSmtpFinalDot : kSmtpFinalDot.substr(2)) + "QUIT\r\n");
}

std::vector<Setting> bsmtpSettings() {
    return {
        {"helo_name", SettingType::Text, "", "What we call ourselves in HELO; empty: our hostname."},
        {"greeting",
         SettingType::Choice,
         "helo",
         "helo; ehlo: for readers that know it, with BODY=8BITMIME where the text needs it.",
         {"helo", "ehlo"}},
    };
}

Result<BsmtpRules> bsmtpRules(const AdapterContext& context, const Settings& settings) {
    BsmtpRules rules;
    rules.helo = settings.text("helo_name").empty() ? context.hostname : settings.text("helo_name");
    rules.extended = settings.text("greeting") == "ehlo";
    const bool word = std::all_of(rules.helo.begin(), rules.helo.end(),
                                  [](unsigned char c) { return c > 0x20 && c < 0x7f; });
    if (!word || rules.helo.size() > 255)
        return fail(Errc::Invalid, "helo_name: '" + escapeLine(rules.helo, 60) + "' is no host name");
    return rules;
}

}  // namespace postern::adapters
