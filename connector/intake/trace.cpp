#include "connector/intake/trace.h"

#include "base/random.h"
#include "base/text.h"

namespace postern::intake {

namespace {

std::string plainly(std::string_view helo) {
    std::string out;
    for (const char c : helo) {
        const bool plain = (c >= '0' && c <= '9') || (lowerAscii(c) >= 'a' && lowerAscii(c) <= 'z') ||
                           std::string_view("._-:[]").find(c) != std::string_view::npos;
        out += plain ? c : '?';
    }
    return out;
}

}  // namespace

std::string traceLines(const TraceFacts& facts) {
    std::string out = "Received: from " + plainly(facts.helo) + " (";
    out += facts.literal.empty() ? "local" : "unknown " + facts.literal;
    out += ")\r\n";
    out += "\tby " + facts.hostname + " (Postern) with " + facts.protocol + " id " + facts.id;
    if (!facts.recipient.empty()) out += "\r\n\tfor <" + facts.recipient + ">";
    if (!facts.tls.empty()) out += "\r\n\ttls " + facts.tls;
    out += ";\r\n\t" + formatRfc5322(facts.when) + "\r\n";
    out += std::string(kTraceField) + ": " + facts.storeId + "\r\n";
    return out;
}

std::string traceId() {
    static constexpr std::string_view kAlphabet = "abcdefghijklmnopqrstuvwxyz0123456789";
    std::string id;
    for (int i = 0; i < 10; ++i) id += kAlphabet[randomBelow(kAlphabet.size())];
    return id;
}

}  // namespace postern::intake
