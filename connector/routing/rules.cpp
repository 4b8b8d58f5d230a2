#include "connector/routing/rules.h"

#include "base/text.h"
#include "connector/addresses/address_pattern.h"
#include "connector/addresses/glob.h"
#include "mail/field_text.h"

namespace postern::routing {

namespace {

using Holds = Rules::Holds;

bool senderMatches(std::string_view pattern, std::string_view sender) {
    if (pattern == "<>") return sender.empty();
    return !sender.empty() && addresses::patternMatches(pattern, sender);
}

// The line that begins at `at`, with the lines that continue it; `at` is moved behind them.
std::string_view takeField(std::string_view header, std::size_t& at) {
    const std::size_t begin = at;
    do {
        const auto end = header.find('\n', at);
        at = end == std::string_view::npos ? header.size() : end + 1;
    } while (at < header.size() && (header[at] == ' ' || header[at] == '\t'));
    return header.substr(begin, at - begin);
}

// Every field of that name is looked at, as people read it: unfolded and decoded (RFC 2047).
bool headerMatches(std::string_view condition, std::string_view header) {
    const auto colon = condition.find(':');
    const std::string_view name = trim(condition.substr(0, colon));
    const std::string_view pattern = trim(condition.substr(colon + 1));
    for (std::size_t at = 0; at < header.size();) {
        const std::string_view field = takeField(header, at);
        const auto end = field.find(':');
        if (end == std::string_view::npos || !equalsIgnoreCase(trim(field.substr(0, end)), name)) continue;
        const std::string value = mail::decodeText(field.substr(end + 1));
        if (addresses::globMatches(pattern, trim(value))) return true;
    }
    return false;
}

Holds sizeHolds(std::int64_t limit, const Mail& mail, std::string& why) {
    const bool known = mail.complete || mail.size > 0;
    why = known ? formatSize(mail.size) + (mail.complete ? "" : " announced") : "the size is not known yet";
    if (known && mail.size > limit) return Holds::Yes;
    return mail.complete ? Holds::No : Holds::NotYet;
}

}  // namespace

Rules::Rules(std::vector<config::Rule> rules) : rules_(std::move(rules)) {}

Holds Rules::holds(const config::Rule& rule, const Mail& mail, std::string_view recipient, std::string& why) {
    const std::string sender = "<" + std::string(mail.sender) + ">";
    if (!rule.sender.empty() && !senderMatches(rule.sender, mail.sender))
        return why = "the sender " + sender + " is not " + rule.sender, Holds::No;
    if (!rule.recipient.empty() && !addresses::patternMatches(rule.recipient, recipient))
        return why = "the recipient is not " + rule.recipient, Holds::No;
    if (!rule.source.empty() && rule.source != mail.source)
        return why = "the source is not " + rule.source, Holds::No;
    Holds result = Holds::Yes;
    if (rule.largerThan > 0) {
        result = sizeHolds(rule.largerThan, mail, why);
        if (result == Holds::No) return result;
    }
    if (rule.header.empty()) return result;
    if (!mail.complete) return why = "the header is not here yet", Holds::NotYet;
    if (!headerMatches(rule.header, mail.header))
        return why = "no field is \"" + rule.header + "\"", Holds::No;
    return result;
}

const config::Rule* Rules::decide(const Mail& mail, std::string_view recipient,
                                  std::vector<Look>* looks) const {
    for (const config::Rule& rule : rules_) {
        std::string why;
        const Holds answer = holds(rule, mail, recipient, why);
        if (looks != nullptr) looks->push_back({&rule, answer, why});
        if (answer == Holds::Yes) return &rule;
        if (answer == Holds::NotYet) return nullptr;
    }
    return nullptr;
}

}  // namespace postern::routing
