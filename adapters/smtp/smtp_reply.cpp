#include "adapters/smtp/smtp_reply.h"

#include <algorithm>

#include "base/text.h"

namespace postern::adapters {

namespace {

constexpr std::size_t kLongestLine = 4096;
constexpr std::size_t kMostLines = 256;
constexpr std::size_t kShown = 2000;  // of an answer: it stands in the history whole, as far as that is sane

bool digit(char c) {
    return c >= '0' && c <= '9';
}

// The three digits; 0 when they are not there.
int codeOf(std::string_view line) {
    if (line.size() < 3 || !std::all_of(line.begin(), line.begin() + 3, digit)) return 0;
    if (line.size() > 3 && line[3] != '-' && line[3] != ' ') return 0;
    const int code = (line[0] - '0') * 100 + (line[1] - '0') * 10 + (line[2] - '0');
    return code >= 200 && code <= 599 ? code : 0;
}

// "5.1.1" at the beginning of `text`, of the class that the code has (RFC 2034 4).
std::string statusIn(std::string_view text, int code) {
    const std::string_view word = text.substr(0, text.find(' '));
    const auto parts = split(word, '.');
    if (parts.size() != 3 || parts[0].size() != 1 || parts[0][0] - '0' != code / 100) return {};
    for (const std::string_view part : parts)
        if (part.empty() || part.size() > 3 || !std::all_of(part.begin(), part.end(), digit)) return {};
    return std::string(word);
}

}  // namespace

std::string SmtpReply::text() const {
    std::string all = std::to_string(code);
    for (std::string_view line : lines) {
        // The status once is enough.
        if (all.size() > 3 && !status.empty() && line.starts_with(status + " "))
            line.remove_prefix(status.size() + 1);
        if (!line.empty()) all += " " + std::string(line);
        if (all.size() > kShown) break;
    }
    return escapeLine(all, kShown);
}

Result<SmtpReply> readSmtpReply(net::Link& link, Millis limit, const net::Waiting& waiting) {
    SmtpReply reply;
    const SteadyTime end = link.clock().steady() + limit;  // for all its lines
    for (;;) {
        POSTERN_LET(line, link.readLineBy(kLongestLine, end, limit, waiting));
        const int code = codeOf(line);
        if (code == 0 || (reply.code != 0 && code != reply.code) || reply.lines.size() == kMostLines)
            return fail(Errc::Invalid,
                        link.peer() + ": sent no answer of SMTP but '" + escapeLine(line, 120) + "'");
        reply.code = code;
        reply.lines.push_back(line.size() > 4 ? line.substr(4) : std::string());
        if (reply.status.empty()) reply.status = statusIn(reply.lines.back(), code);
        if (line.size() == 3 || line[3] == ' ') return reply;
    }
}

std::string statusOr(const SmtpReply& reply, std::string_view fallback) {
    return reply.status.empty() ? std::string(fallback) : reply.status;
}

Cause causeOfReply(const SmtpReply& reply) {
    if (reply.code == 421) return Cause::Connection;
    if (reply.code == 452 || reply.code == 552 || reply.status == "4.2.2" || reply.status == "4.3.1")
        return Cause::Full;
    return Cause::Refused;
}

Outcome outcomeOfReply(const SmtpReply& reply, const std::string& where) {
    Outcome outcome = reply.permanent() ? rejected(where + ": " + reply.text())
                                        : deferred(where + ": " + reply.text(), causeOfReply(reply));
    outcome.status = reply.status;
    return outcome;
}

}  // namespace postern::adapters
