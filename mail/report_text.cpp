#include "mail/report_text.h"

#include "base/text.h"
#include "mail/report_lines.h"
#include "mail/text.h"

namespace postern::mail {

namespace {

constexpr int kColumns = 72;

std::string indented(std::string_view text, std::string_view prefix) {
    std::string out;
    const std::string lines = wrap(text, kColumns - static_cast<int>(prefix.size()));
    for (const std::string_view line : split(lines, '\n')) {
        const auto last = line.find_last_not_of(' ');
        if (last != line.npos) out += std::string(prefix) + std::string(line.substr(0, last + 1)) + "\n";
    }
    return out;
}

std::string paragraph(std::string_view text) {
    return indented(text, "") + "\n";
}

std::string opening(const Report& report) {
    const std::string mail = report.copy ? "A mail" : "Your mail";
    const bool one = report.recipients.size() == 1;
    const std::string whom =
        one ? " this address:" : " these " + std::to_string(report.recipients.size()) + " addresses:";
    switch (report.kind) {
        case ReportKind::Failed: return mail + " could not be delivered to" + whom;
        case ReportKind::Delayed: return mail + " could not be delivered yet to" + whom;
        case ReportKind::Delivered: return mail + " was delivered to" + whom;
        case ReportKind::Relayed: break;
    }
    return mail + " was handed on for" + whom;
}

std::string whoElseKnows(const Report& report) {
    if (report.sender.empty()) return "The mail has no sender (<>), so nobody else is told.";
    return "This is the postmaster's copy. The sender is told too, unless the mail says that nobody wants to "
           "know.";
}

std::string whatNext(const Report& report) {
    switch (report.kind) {
        case ReportKind::Failed:
            if (report.copy) return whoElseKnows(report) + " It is not tried any more.";
            return "It is not tried any more. Other recipients of the mail are not concerned. Check the "
                   "address "
                   "and the reason, then send the mail again, or ask the postmaster of " +
                   report.hostname + ".";
        case ReportKind::Delayed:
            if (!report.until)
                return "It waits until the postmaster of " + report.hostname +
                       " has looked at it. You need not send it again.";
            return "You need not send it again: it is tried until " + formatRfc5322(*report.until) +
                   ". If it can not be delivered by then, you will be told.";
        case ReportKind::Delivered: return "It is in the mailbox. This is what you asked to be told.";
        case ReportKind::Relayed: break;
    }
    return "It went to a system that sends no such notices: you will hear no more of it, unless it comes "
           "back.";
}

std::string recipientText(const Report& report, const ReportedRecipient& recipient) {
    std::string out = indented("<" + oneLine(recipient.address, 400) + ">", "  ");
    const std::string reason = oneLine(recipient.reason, 500);
    const bool trouble = report.kind == ReportKind::Failed || report.kind == ReportKind::Delayed;
    // Why a mail waits is the gateway's own affair; why it failed is not, so nothing known is said.
    const bool silent = report.kind == ReportKind::Delayed && reason.empty();
    if (!trouble || silent) return out + "\n";
    return out + indented(reason.empty() ? "no reason is known" : reason, "      ") + "\n";
}

std::string aboutMail(const Report& report, const std::string& subject) {
    std::string out = "The mail:\n\n";
    out += indented("From:     <" + oneLine(report.sender, 400) + ">", "  ");
    out += indented("Arrived:  " + formatRfc5322(report.arrival), "  ");
    if (!subject.empty()) out += indented("Subject:  " + subject, "  ");
    return out + "\n";
}

std::string whatIsAttached(const Report& report, Returned returned) {
    std::string text = returned == Returned::Whole    ? "The mail is attached."
                       : returned == Returned::Header ? "Its header is attached, without its text."
                                                      : "Nothing of it can be attached.";
    const std::string remark = oneLine(report.remark, 500);
    return remark.empty() ? text : text + " " + remark;
}

}  // namespace

std::string reportText(const Report& report, Returned returned, const std::string& subject) {
    std::string out = paragraph("This is the mail gateway " + oneLine(report.hostname, 300) + ".");
    out += paragraph(opening(report));
    for (const ReportedRecipient& recipient : report.recipients) out += recipientText(report, recipient);
    out += paragraph(whatNext(report));
    out += aboutMail(report, subject);
    out += indented(whatIsAttached(report, returned), "");
    return out;
}

}  // namespace postern::mail
