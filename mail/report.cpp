#include "mail/report.h"

#include <algorithm>

#include "base/hex.h"
#include "base/text.h"
#include "mail/charset.h"
#include "mail/header.h"
#include "mail/report_lines.h"
#include "mail/report_text.h"

namespace postern::mail {

namespace {

constexpr std::size_t kReasonLimit = 500;   // bytes
constexpr std::size_t kSubjectLimit = 150;  // bytes of the original's

struct Part {
    std::string type, encoding, bytes;
};

struct Words {
    const char *action, *subject, *status;
};
Words wordsFor(ReportKind kind) {
    switch (kind) {
        case ReportKind::Failed: return {"failed", "Not delivered", "5.0.0"};
        case ReportKind::Delayed: return {"delayed", "Delayed", "4.0.0"};
        case ReportKind::Delivered: return {"delivered", "Delivered", "2.0.0"};
        case ReportKind::Relayed: break;
    }
    return {"relayed", "Relayed", "2.0.0"};
}

// RFC 3463 2: a class that fits and two numbers of at most three digits.
bool isStatus(std::string_view status) {
    const auto pieces = split(status, '.');
    const auto isNumber = [](std::string_view piece) {
        return !piece.empty() && piece.size() <= 3 &&
               std::all_of(piece.begin(), piece.end(), [](char c) { return c >= '0' && c <= '9'; });
    };
    return pieces.size() == 3 && std::all_of(pieces.begin(), pieces.end(), isNumber) &&
           (status[0] == '2' || status[0] == '4' || status[0] == '5') && pieces[0].size() == 1;
}

std::string addressField(std::string_view type, std::string_view address) {
    return std::string(type) + "; " + oneLine(address, 500);
}

// ORCPT decoded; its type as given (RFC 3461 4.2, RFC 3464 2.3.1). Empty when there is none.
std::string originalRecipient(const ReportedRecipient& recipient) {
    const auto semicolon = recipient.original.find(';');
    if (semicolon == std::string::npos) return {};
    const std::string type = oneLine(recipient.original.substr(0, semicolon), 60);
    const std::string value = recipient.original.substr(semicolon + 1);
    return addressField(type, decodeXtext(value).value_or(value));
}

// message/delivery-status holds ASCII only; any other address needs the type of RFC 6533 4.
bool needsGlobalStatus(const Report& report) {
    return std::any_of(report.recipients.begin(), report.recipients.end(), [](const ReportedRecipient& each) {
        return !isAscii(each.address) || !isAscii(originalRecipient(each));
    });
}

std::string recipientBlock(const Report& report, const ReportedRecipient& recipient, bool global) {
    const Words words = wordsFor(report.kind);
    std::string out = "\r\n";
    const std::string original = originalRecipient(recipient);
    if (!original.empty()) out += foldedField("Original-Recipient", original);
    out += foldedField("Final-Recipient",
                       addressField(isAscii(recipient.address) ? "rfc822" : "utf-8", recipient.address));
    out += foldedField("Action", words.action);
    out += foldedField("Status", isStatus(recipient.status) ? recipient.status : words.status);
    const std::string reason = oneLine(recipient.reason, kReasonLimit);
    const bool trouble = report.kind == ReportKind::Failed || report.kind == ReportKind::Delayed;
    if (trouble && !reason.empty())
        out += foldedField("Diagnostic-Code", "x-postern; " + (global ? reason : toAscii(reason)));
    // Mail that is late may never have been tried: held, or its adapter suspended (RFC 3464 2.3.7).
    if (report.kind != ReportKind::Delayed)
        out += foldedField("Last-Attempt-Date", formatRfc5322(report.date));
    if (report.kind == ReportKind::Delayed && report.until)
        out += foldedField("Will-Retry-Until", formatRfc5322(*report.until));
    return out;
}

Part statusPart(const Report& report) {
    const bool global = needsGlobalStatus(report);
    std::string bytes = foldedField("Reporting-MTA", "dns; " + toAscii(oneLine(report.hostname, 300)));
    const std::string envelope = toAscii(oneLine(report.envelopeId, 200));
    if (!envelope.empty()) bytes += foldedField("Original-Envelope-Id", envelope);
    bytes += foldedField("Arrival-Date", formatRfc5322(report.arrival));
    for (const ReportedRecipient& recipient : report.recipients)
        bytes += recipientBlock(report, recipient, global);
    return {global ? "message/global-delivery-status" : "message/delivery-status",
            isAscii(bytes) ? "7bit" : "8bit", std::move(bytes)};
}

Part textPart(const std::string& text) {
    const std::string bytes = withCrlf(text);
    if (isAscii(bytes)) return {"text/plain; charset=us-ascii", "7bit", bytes};
    return {"text/plain; charset=utf-8", "quoted-printable", quotedPrintable(bytes)};
}

// What of the original can come back as it stands (RFC 2046 5.2.1: no encoding around a message).
Returned whatReturns(const Report& report) {
    if (report.returned == Returned::Nothing || report.header.empty()) return Returned::Nothing;
    const bool whole = report.returned == Returned::Whole && isLines(report.header) && isLines(report.body);
    return whole ? Returned::Whole : Returned::Header;
}

// The header of a mail that came with SMTPUTF8 may be UTF-8, and has types of its own (RFC 6532 3.7, RFC 6533
// 5); other 8-bit headers are broken, and encoded (RFC 6522 4).
Part originalPart(const Report& report, Returned returned) {
    const bool global = report.utf8 && validUtf8(report.header) && !isAscii(report.header);
    if (returned == Returned::Whole) {
        std::string bytes = report.header + "\r\n" + report.body;
        const char* encoding = isAscii(bytes) ? "7bit" : "8bit";
        return {global ? "message/global" : "message/rfc822", encoding, std::move(bytes)};
    }
    if (global && isLines(report.header)) return {"message/global-headers", "8bit", report.header};
    if (isAscii(report.header) && isLines(report.header))
        return {"text/rfc822-headers", "7bit", report.header};
    return {"text/rfc822-headers", "quoted-printable", quotedPrintable(report.header)};
}

std::string boundaryFor(const Report& report, const std::vector<Part>& parts) {
    const std::string stem = "=_" + toAscii(oneLine(report.id, 50));
    for (int n = 0;; ++n) {
        std::string boundary = n == 0 ? stem : stem + "_" + std::to_string(n);
        const bool taken = std::any_of(parts.begin(), parts.end(), [&](const Part& part) {
            return part.bytes.find(boundary) != std::string::npos;
        });
        if (!taken) return boundary;
    }
}

std::string subjectOf(const HeaderBlock& header) {
    return oneLine(decodeText(header.first("Subject")), kSubjectLimit);
}

std::string headOf(const Report& report, const HeaderBlock& original, const WrittenReport& written) {
    const bool delayed = report.kind == ReportKind::Delayed;
    std::string head = foldedField("From", oneLine(report.from, 500));
    head += foldedField("To", "<" + oneLine(report.to, 500) + ">");
    head += foldedField("Subject", written.subject);
    head += foldedField("Date", formatRfc5322(report.date));
    head += foldedField("Message-ID", written.messageId);
    // RFC 3834 3.1.5: an answer names what it answers.
    const std::vector<std::string> ids = parseIds(original.first("Message-ID"));
    if (!ids.empty() && isAscii(ids.front()) && ids.front().size() < 900) {
        head += foldedField("In-Reply-To", ids.front());
        head += foldedField("References", ids.front());
    }
    // RFC 3834 5: nothing may answer it.
    head += foldedField("Auto-Submitted", delayed ? "auto-generated" : "auto-replied");
    return head + "MIME-Version: 1.0\r\n";
}

}  // namespace

WrittenReport writeReport(const Report& report) {
    const HeaderBlock original(report.header);
    const std::string subject = subjectOf(original);
    const Returned returned = whatReturns(report);
    std::vector<Part> parts = {textPart(reportText(report, returned, subject)), statusPart(report)};
    if (returned != Returned::Nothing) parts.push_back(originalPart(report, returned));

    WrittenReport written;
    written.subject = encodedText(std::string(wordsFor(report.kind).subject) + ": " +
                                  (!subject.empty() ? subject
                                   : report.copy    ? "a mail"
                                                    : "your mail"));
    written.messageId =
        "<" + toAscii(oneLine(report.id, 200)) + "@" + toAscii(oneLine(report.hostname, 300)) + ">";
    const std::string boundary = boundaryFor(report, parts);
    const std::string type = parts[1].type.substr(parts[1].type.find('/') + 1);
    written.bytes = headOf(report, original, written);
    written.utf8 = !isAscii(written.bytes);
    written.bytes +=
        "Content-Type: multipart/report; report-type=" + type + ";\r\n boundary=\"" + boundary + "\"\r\n";
    for (const Part& part : parts) {
        written.eightBit = written.eightBit || part.encoding == "8bit";
        written.bytes += "\r\n--" + boundary + "\r\nContent-Type: " + part.type +
                         "\r\nContent-Transfer-Encoding: " + part.encoding + "\r\n\r\n" + part.bytes;
    }
    written.bytes += "\r\n--" + boundary + "--\r\n";
    written.eightBit = written.eightBit || written.utf8;
    return written;
}

bool isAutomatic(std::string_view header) {
    const HeaderBlock block{std::string(header)};
    const std::string value = parseContent(block.first("Auto-Submitted")).value;
    return !value.empty() && value != "no";
}

}  // namespace postern::mail
