#include "adapters/command/command_text.h"

#include <algorithm>

#include "adapters/mailbox/mailbox_head.h"
#include "adapters/mailbox/mbox_lines.h"
#include "base/text.h"

namespace postern::adapters {

namespace {

// UUCP's form of the line (RFC 976 2.1): the same, and where it was sent from.
std::string fromLineOf(const CommandText& rules, const Delivery& delivery) {
    std::string sender = delivery.sender.empty() ? rules.nullSender : delivery.sender;
    if (rules.senderForm && !delivery.sender.empty()) sender = rules.senderForm(delivery.sender);
    std::string line = fromLine(sender, delivery.received);
    line.pop_back();
    if (!rules.remote.empty()) line += " remote from " + rules.remote;
    return line + "\r\n";
}

std::string headOf(const CommandText& rules, const Delivery& delivery) {
    std::string head;
    if (rules.head == TextHead::FromLine) head = fromLineOf(rules, delivery);
    if (rules.head == TextHead::Envelope) head = mailboxHead(delivery, "\r\n");
    if (rules.ownFields) head += rules.ownFields(delivery.key);
    return head;
}

}  // namespace

Result<IdentifiedMail> identified(const AdapterContext& context, const Delivery& delivery) {
    return IdentifiedMail::look(*delivery.message, "<i" + std::to_string(delivery.key.item.value) + "." +
                                                       context.storeId + "@" + context.hostname + ">");
}

Result<void> readTextSettings(const AdapterContext& context, const Settings& settings, CommandText& rules) {
    rules.lineEnds = settings.text("line_ends") == "lf" ? LineEnds::Lf : LineEnds::Crlf;
    POSTERN_LET(format, messageFormat(settings));
    rules.format = std::move(format);
    POSTERN_LET(bsmtp, bsmtpRules(context, settings));
    rules.bsmtp = std::move(bsmtp);
    return {};
}

Result<std::vector<std::string>> argumentsFor(const AdapterContext& context, const CommandText& rules,
                                              const ArgumentTemplate& arguments, const Delivery& delivery) {
    if (rules.head == TextHead::Bsmtp)
        if (const auto refused = senderRefusedInBsmtp(delivery.sender)) return fail(Errc::Invalid, *refused);
    ArgumentValues values;
    values.delivery = &delivery;
    values.size = delivery.message->size();
    if (arguments.uses("message_id")) {
        POSTERN_LET(mail, identified(context, delivery));
        values.messageId = mail.id();
    }
    return arguments.expand(values);
}

int argumentCost(const Recipient& recipient) {
    constexpr int kAround = 16;  // what the configuration writes beside it in its argument
    return static_cast<int>(std::max(recipient.address.size(), recipient.legacy.size())) + kAround;
}

Result<std::optional<Outcome>> writeCommandText(const AdapterContext& context, const CommandText& rules,
                                                Job& job, StagedFile& file) {
    POSTERN_LET(mail, identified(context, job.delivery));
    if (mail.added()) job.notes.push_back("it had no Message-ID and was given " + mail.id());
    // writeFormed() forms what the job's delivery holds.
    ByteSource* const original = job.delivery.message;
    job.delivery.message = &mail;
    const bool batch = rules.head == TextHead::Bsmtp;
    const std::string head = headOf(rules, job.delivery);
    auto written = writeFormed(
        job, rules.format, batch ? bsmtpCarrier() : mail::Carrier{}, [&](const FormedMessage& formed) {
            return file.writeLines(
                [&](const StagedFile::Sink& sink) -> Result<void> {
                    if (batch) return writeBsmtp(job.delivery, rules.bsmtp, head, formed, sink);
                    POSTERN_TRY(sink(head));
                    return formed.writeTo(sink);
                },
                rules.lineEnds);
        });
    job.delivery.message = original;
    return written;
}

}  // namespace postern::adapters
