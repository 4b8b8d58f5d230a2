#include "connector/admin/submit.h"

#include <algorithm>

#include "base/text.h"
#include "connector/intake/awaited_answer.h"
#include "connector/intake/local_mail.h"
#include "mail/address.h"

namespace postern::admin {

namespace {

Result<std::string> checkedAddress(std::string_view text, const std::string& domain) {
    mail::AddressOptions options;
    options.bareDomain = domain;
    options.utf8 = true;
    const auto address = mail::parseAddress(text, options);
    if (!address.ok()) return address.error().within("<" + escapeLine(text, 200) + ">");
    return address->text();
}

Result<std::vector<std::string>> namedRecipients(const Request& request, const std::string& domain) {
    std::vector<std::string> recipients;
    std::optional<Error> wrong;
    for (const std::string_view line : split(request.field("recipients"), '\n')) {
        if (trim(line).empty()) continue;
        auto address = checkedAddress(trim(line), domain);
        if (address.ok())
            recipients.push_back(std::move(*address));
        else
            wrong = wrong ? fail(Errc::Invalid, wrong->text + "; " + address.error().text) : address.error();
    }
    if (wrong) return *wrong;
    return recipients;
}

// NOTIFY as the queue keeps it (RFC 3461 4.1).
Result<std::string> notifyOf(std::string_view text) {
    const std::string words = lowerAscii(text);
    if (words.empty() || words == "never") return words;
    for (const std::string_view word : split(words, ','))
        if (word != "success" && word != "failure" && word != "delay")
            return fail(Errc::Invalid, "\"" + escapeLine(text, 60) +
                                           "\": say never, or success, failure and delay with commas");
    return words;
}

std::string receivedLine(const std::string& who, const config::Config& config, WallTime now) {
    return "Received: by " + config.hostname + " (Postern, from user " + escapeLine(who, 64) +
           ") with local;\r\n\t" + formatRfc5322(now) + "\r\n";
}

Result<store::NewMessage> newMessage(const ServiceView& view, const Request& request) {
    const auto config = view.config();
    store::NewMessage message;
    message.received = view.clock.now();
    message.source = "submit";
    message.client = request.who;
    message.helo = config->hostname;
    message.protocol = "local";
    message.eightBit = request.field("body") != "7bit";
    message.ret = lowerAscii(request.field("ret"));
    message.envelopeId = request.field("envid");
    if (!message.ret.empty() && message.ret != "full" && message.ret != "hdrs")
        return fail(Errc::Invalid, "\"" + escapeLine(message.ret, 60) + "\": say full or hdrs");
    if (message.envelopeId.size() > 100)  // RFC 3461 4.4
        return fail(Errc::Invalid, "an envelope id has at most 100 bytes");
    if (!request.field("sender").empty()) {
        POSTERN_LET(checked, checkedAddress(request.field("sender"), config->hostname));
        message.sender = checked;
    }
    return message;
}

// The header as it is stored.
std::string headerFor(const Request& request, const store::NewMessage& message, std::string_view block,
                      const std::string& hostname) {
    if (request.field("complete") != "true") return std::string(block);
    return intake::completedHeader(
        intake::localFields(block),
        {message.sender, std::string(request.field("full_name")), hostname, message.received});
}

// As announced; 0: not known. It is kept of the free space, so it is not just any number.
Result<std::int64_t> sizeOf(std::string_view text, std::int64_t most) {
    if (text.empty()) return 0;
    const auto size = parseInt(text);
    if (!size || *size < 0)
        return fail(Errc::Invalid, "\"" + escapeLine(text, 60) + "\" is no size of a mail in bytes");
    if (*size > most) return fail(Errc::Invalid, "the mail is larger than " + formatSize(most));
    return *size;
}

Result<MessageId> keep(intake::Door& door, intake::IncomingMail mail) {
    const auto answer = intake::AwaitedAnswer::ask(door, std::move(mail)).wait();
    if (!answer)
        return fail(Errc::Unavailable, "the disk is too slow; it is not known whether the mail was stored");
    if (!answer->accepted()) return intake::errorOf(*answer);
    return answer->message;
}

}  // namespace

Result<void> submit(const ServiceView& view, const Request& request, ByteStream& body, const RowSink& row) {
    const auto config = view.config();
    intake::IncomingMail mail;
    POSTERN_LET(message, newMessage(view, request));
    POSTERN_LET(notify, notifyOf(request.field("notify")));
    POSTERN_LET(addresses, namedRecipients(request, config->hostname));
    POSTERN_LET(size, sizeOf(request.field("size"), config->submitMessageSize));
    POSTERN_LET(room, view.acceptor.claimRoom(size));
    mail.room = std::move(room);
    intake::LocalMail text([&](char* into, std::size_t most) { return body.read(into, most); },
                           {config->submitMessageSize, config->hops}, view.acceptor.storeId());
    POSTERN_TRY(text.readHeader());
    if (request.field("recipients_from") == "header") {
        POSTERN_LET(more, intake::headerRecipients(intake::localFields(text.header()), config->hostname));
        addresses.insert(addresses.end(), more.begin(), more.end());
    }
    POSTERN_LET(recipients, intake::routeAll(view.acceptor, addresses, {message.sender, 0, "submit", {}}));
    for (auto& recipient : recipients) recipient.notify = notify;
    mail.message = std::move(message);
    mail.recipients = recipients;
    mail.confirmed = true;  // the program that submits reads our answer or knows that it has none
    mail.body = view.acceptor.newBody();
    POSTERN_TRY(text.copyInto(mail, receivedLine(request.who, *config, mail.message.received),
                              headerFor(request, mail.message, text.header(), config->hostname)));
    POSTERN_LET(stored, keep(view.acceptor, std::move(mail)));
    for (const auto& recipient : recipients)
        POSTERN_TRY(row(Record()
                            .add("recipient", recipient.address)
                            .add("adapter", recipient.destination.adapter)
                            .add("legacy", recipient.destination.legacy)
                            .add("message", "m" + std::to_string(stored.value))));
    return {};
}

}  // namespace postern::admin
