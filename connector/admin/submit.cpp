#include "connector/admin/submit.h"

#include <chrono>
#include <memory>

#include "base/sync.h"
#include "base/text.h"
#include "connector/intake/header_scan.h"
#include "mail/address.h"

namespace postern::admin {

namespace {

constexpr std::size_t kPiece = 65536;
constexpr int kMostHops = 100;        // as over SMTP
constexpr Millis kPatience{600'000};  // for the disk

using Recipients = std::vector<routing::Router::Routed>;

// Where the answer of another thread is waited for; shared, since the waiter may give up first.
class Waiting {
  public:
    void answer(const intake::Answer& answer) {
        MutexLock lock(mutex_);
        answer_ = answer;
        condition_.notifyAll();
    }
    std::optional<intake::Answer> wait() {
        const SteadyTime deadline = std::chrono::steady_clock::now() + kPatience;
        MutexLock lock(mutex_);
        while (!answer_ && condition_.waitUntil(mutex_, deadline)) {
        }
        return answer_;
    }

  private:
    Mutex mutex_;
    Condition condition_;
    std::optional<intake::Answer> answer_ GUARDED_BY(mutex_);
};

Result<std::string> checkedAddress(std::string_view text) {
    auto address = mail::parseAddress(text);
    if (!address.ok()) return address.error().within("<" + escapeLine(text, 200) + ">");
    return address->text();
}

// All of them or none; every refusal is told.
Result<Recipients> routeAll(const ServiceView& view, std::string_view list,
                            const intake::Envelope& envelope) {
    Recipients recipients;
    std::optional<Error> refused;
    for (const std::string_view line : split(list, '\n')) {
        if (trim(line).empty()) continue;
        const auto address = checkedAddress(trim(line));
        auto routed = address.ok() ? view.acceptor.routeRecipient(*address, envelope)
                                   : Result<routing::Router::Routed>(address.error());
        if (routed.ok()) {
            recipients.push_back(std::move(*routed));
            continue;
        }
        const Error why = address.ok() ? routed.error().within("<" + *address + ">") : address.error();
        refused = refused ? fail(refused->code, refused->text + "; " + why.text) : why;
    }
    if (refused) return *refused;
    if (recipients.empty()) return fail(Errc::Invalid, "no recipient is named");
    return recipients;
}

std::string receivedLine(const std::string& who, const config::Config& config, WallTime now) {
    return "Received: by " + config.hostname + " (Postern, from user " + escapeLine(who, 64) +
           ") with local;\r\n\t" + formatRfc5322(now) + "\r\n";
}

// Streams the mail into `body`, memory flat whatever its size.
Result<void> copyMail(ByteStream& from, store::BodyWriter& body, intake::HeaderScan& header,
                      std::int64_t most) {
    const auto piece = std::make_unique<char[]>(kPiece);
    LineEnds lineEnds;
    std::string text;
    for (std::int64_t size = 0;;) {
        POSTERN_LET(got, from.read(piece.get(), kPiece));
        if (got == 0 && size == 0) return fail(Errc::Invalid, "the mail is empty");
        if (got == 0) {
            header.feed("\r\n\r\n");  // a mail may end inside its header
            return {};
        }
        text.clear();
        lineEnds.feed({piece.get(), got}, text);
        size += static_cast<std::int64_t>(text.size());
        if (size > most) return fail(Errc::Invalid, "the mail is larger than " + formatSize(most));
        if (text.find('\0') != std::string::npos) return fail(Errc::Invalid, "the mail holds NUL bytes");
        header.feed(text);
        if (header.receivedCount() > kMostHops)
            return fail(Errc::Invalid, "too many Received lines: the mail is in a loop");
        POSTERN_TRY(body.append(text));
    }
}

Error errorOf(const intake::Answer& answer) {
    const Errc code = answer.code == 452   ? Errc::NoSpace
                      : answer.code == 421 ? Errc::Stopped
                      : answer.code < 500  ? Errc::Unavailable
                                           : Errc::Invalid;
    return fail(code, answer.text);
}

Result<MessageId> keep(const ServiceView& view, intake::IncomingMail mail) {
    const auto waiting = std::make_shared<Waiting>();
    view.acceptor.accept(std::move(mail),
                         [waiting](const intake::Answer& answer) { waiting->answer(answer); });
    const auto answer = waiting->wait();
    if (!answer)
        return fail(Errc::Unavailable, "the disk is too slow; it is not known whether the mail was stored");
    if (!answer->accepted()) return errorOf(*answer);
    return answer->message;
}

store::NewMessage newMessage(const ServiceView& view, const Request& request, const std::string& sender) {
    store::NewMessage message;
    message.received = view.clock.now();
    message.sender = sender;
    message.source = "submit";
    message.client = request.who;
    message.helo = view.config()->hostname;
    message.protocol = "local";
    message.eightBit = true;
    return message;
}

}  // namespace

void LineEnds::feed(std::string_view piece, std::string& out) {
    while (!piece.empty()) {
        if (afterCr_ && piece.front() == '\n') piece.remove_prefix(1);
        afterCr_ = false;
        const auto end = piece.find_first_of("\r\n");
        out.append(piece.substr(0, end));
        if (end == std::string_view::npos) return;
        out.append("\r\n");
        afterCr_ = piece[end] == '\r';
        piece.remove_prefix(end + 1);
    }
}

Result<void> submit(const ServiceView& view, const Request& request, ByteStream& body, const RowSink& row) {
    const auto config = view.config();
    std::string sender;
    if (!request.field("sender").empty()) {
        POSTERN_LET(checked, checkedAddress(request.field("sender")));
        sender = checked;
    }
    const std::int64_t size = parseInt(request.field("size")).value_or(0);
    POSTERN_LET(recipients, routeAll(view, request.field("recipients"), {sender, size, "submit", {}}));
    POSTERN_TRY(view.acceptor.checkRoom(size));
    intake::IncomingMail mail;
    mail.message = newMessage(view, request, sender);
    mail.recipients = recipients;
    mail.body = view.acceptor.newBody();
    POSTERN_TRY(mail.body->append(receivedLine(request.who, *config, mail.message.received)));
    intake::HeaderScan header;
    POSTERN_TRY(copyMail(body, *mail.body, header, config->submitMessageSize));
    mail.message.headerId = header.messageId();
    mail.message.subject = header.subject();
    POSTERN_LET(stored, keep(view, std::move(mail)));
    for (const auto& recipient : recipients)
        POSTERN_TRY(row(Record()
                            .add("recipient", recipient.address)
                            .add("adapter", recipient.destination.adapter)
                            .add("legacy", recipient.destination.legacy)
                            .add("message", "m" + std::to_string(stored.value))));
    return {};
}

}  // namespace postern::admin
