#include "adapters/mailbox_head.h"

#include "adapters/envelope_text.h"
#include "base/text.h"

namespace postern::adapters {

std::string mailboxHead(const Delivery& delivery, std::string_view lineEnd) {
    std::string head = "Return-Path: <" + headerValue(delivery.sender) + ">";
    head += lineEnd;
    for (const Recipient& recipient : delivery.recipients) {
        head += "Delivered-To: " + headerValue(recipient.address);
        head += lineEnd;
    }
    return head;
}

Result<std::string> mailboxOf(const Recipient& recipient) {
    if (!recipient.legacy.empty()) return folderName(recipient.legacy);
    return folderName(lowerAscii(recipient.address.substr(0, recipient.address.rfind('@'))));
}

Result<std::string> mailboxOf(const Delivery& delivery) {
    if (delivery.recipients.size() != 1)
        return fail(Errc::Invalid,
                    "it was accepted for a shared mailbox and has several recipients; this one takes one "
                    "recipient per message");
    return mailboxOf(delivery.recipients.front());
}

std::optional<std::string> refusedMailbox(const Recipient& recipient) {
    const auto mailbox = mailboxOf(recipient);
    if (mailbox.ok()) return std::nullopt;
    return mailbox.error().text;
}

Setting layoutSetting(const char* help) {
    return {"layout", SettingType::Choice, "single", help, {"single", "per-recipient"}};
}

bool perRecipient(const Settings& settings) {
    return settings.text("layout") == "per-recipient";
}

}  // namespace postern::adapters
