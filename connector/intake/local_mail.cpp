#include "connector/intake/local_mail.h"

#include <algorithm>
#include <optional>

#include "base/text.h"
#include "connector/intake/trace.h"

namespace postern::intake {

namespace {

constexpr std::size_t kPiece = 65536;
constexpr std::size_t kHeaderKept = 64 * 1024;  // for rules (door.h)

bool isTemporary(Errc code) {
    return code != Errc::Invalid && code != Errc::NotFound && code != Errc::Denied;
}

}  // namespace

LocalMail::LocalMail(Read read, Limits limits, std::string storeId)
    : read_(std::move(read)),
      limits_(limits),
      storeId_(std::move(storeId)),
      raw_(std::make_unique<char[]>(kPiece)),
      scan_(storeId_) {}

Result<bool> LocalMail::nextPiece() {
    POSTERN_LET(got, read_(raw_.get(), kPiece));
    if (got == 0 && size_ == 0) return fail(Errc::Invalid, "the mail is empty");
    piece_.clear();
    if (got == 0) return false;
    lineEnds_.feed({raw_.get(), got}, piece_);
    size_ += static_cast<std::int64_t>(piece_.size());
    if (size_ > limits_.size)
        return fail(Errc::Invalid, "the mail is larger than " + formatSize(limits_.size));
    if (piece_.find('\0') != std::string::npos) return fail(Errc::Invalid, "the mail holds NUL bytes");
    return true;
}

Result<void> LocalMail::readHeader() {
    while (!catcher_.over()) {
        POSTERN_LET(more, nextPiece());
        if (!more) {
            catcher_.end();
            return {};
        }
        POSTERN_TRY(catcher_.feed(piece_));
    }
    return {};
}

Result<void> LocalMail::add(IncomingMail& mail, std::string_view text) {
    if (!scan_.over()) scan_.feed(text);
    if (scan_.receivedCount() > limits_.hops || scan_.traceCount() >= kMostOwnTraces)
        return fail(Errc::Invalid, "too many trace fields: the mail is in a loop");
    return mail.body->append(text);
}

namespace {

bool beyondAscii(std::string_view text) {
    return std::any_of(text.begin(), text.end(), [](unsigned char c) { return c >= 0x80; });
}

}  // namespace

Result<void> LocalMail::copyInto(IncomingMail& mail, std::string_view received, std::string_view header) {
    POSTERN_TRY(mail.body->append(received));
    POSTERN_TRY(mail.body->append(std::string(kTraceField) + ": " + storeId_ + "\r\n"));
    mail.header = header.substr(0, kHeaderKept);
    POSTERN_TRY(add(mail, header));
    // Text that stands where the empty line belongs would be read as part of a field that we wrote.
    const bool parted = catcher_.rest().empty() || catcher_.rest().starts_with("\r\n");
    if (!parted) POSTERN_TRY(add(mail, "\r\n"));
    POSTERN_TRY(add(mail, catcher_.rest()));
    for (;;) {
        POSTERN_LET(more, nextPiece());
        if (!more) break;
        POSTERN_TRY(add(mail, piece_));
    }
    scan_.end();
    mail.message.headerId = scan_.messageId();
    mail.message.subject = scan_.subject();
    mail.message.utf8 = beyondAscii(mail.message.sender);
    for (const auto& recipient : mail.recipients)
        mail.message.utf8 = mail.message.utf8 || beyondAscii(recipient.address);
    return {};
}

Result<std::vector<routing::Router::Routed>> routeAll(const Door& door,
                                                      const std::vector<std::string>& addresses,
                                                      const Envelope& envelope) {
    std::vector<routing::Router::Routed> recipients;
    std::optional<Error> refused;
    for (const std::string& address : addresses) {
        auto routed = door.routeRecipient(address, envelope);
        if (routed.ok()) {
            recipients.push_back(std::move(*routed));
            continue;
        }
        const Error why = routed.error().within("<" + escapeLine(address, 260) + ">");
        const bool graver = refused && isTemporary(why.code) && !isTemporary(refused->code);
        const Errc code = refused && !graver ? refused->code : why.code;
        // A thousand refusals need not all be read.
        const bool room = !refused || refused->text.size() < 2000;
        refused = fail(code, refused ? refused->text + (room ? "; " + why.text : "") : why.text);
    }
    if (refused) return *refused;
    if (recipients.empty()) return fail(Errc::Invalid, "no recipient is named");
    return recipients;
}

Error errorOf(const Answer& answer) {
    const Errc code = answer.code == 452                    ? Errc::NoSpace
                      : answer.code == 421                  ? Errc::Stopped
                      : answer.code < 500                   ? Errc::Unavailable
                      : answer.enhanced.starts_with("5.7.") ? Errc::Denied
                                                            : Errc::Invalid;
    return fail(code, answer.text);
}

}  // namespace postern::intake
