#include "adapters/mailbox/mailbox_head.h"

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

Result<std::optional<Outcome>> writeFormed(Job& job, const MessageFormat& format,
                                           const mail::Carrier& carrier,
                                           const std::function<Result<void>(const FormedMessage&)>& write) {
    const auto formed = FormedMessage::make(job.delivery, format, carrier, job.notes);
    if (!formed.ok() && formed.error().code == Errc::Invalid)
        return std::optional<Outcome>(rejected(formed.error().text));
    if (!formed.ok()) return formed.error();
    POSTERN_TRY(write(*formed));
    return std::optional<Outcome>();
}

Result<std::optional<Outcome>> writeMailboxFile(Job& job, const MessageFormat& format, LineEnds lineEnds,
                                                StagedFile& file) {
    return writeFormed(job, format, mail::Carrier{}, [&](const FormedMessage& formed) -> Result<void> {
        POSTERN_TRY(file.write(mailboxHead(job.delivery, lineEnds == LineEnds::Lf ? "\n" : "\r\n")));
        return file.writeLines([&](const StagedFile::Sink& sink) { return formed.writeTo(sink); }, lineEnds);
    });
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
