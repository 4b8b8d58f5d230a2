#include "adapters/ccmail/ccmail_und.h"

#include <algorithm>
#include <unordered_set>

#include "base/text.h"
#include "mail/address.h"
#include "mail/charset.h"

namespace postern::adapters::ccmail {

namespace {

constexpr std::size_t kMostReasons = 4;
constexpr std::size_t kMostNames = 10'000;
constexpr std::size_t kMostReasonBytes = 200;
constexpr std::string_view kAt = " at ";

// Lines end with CR, LF or both; what comes out has no control characters and no blanks around it.
template <class Visit>
void eachLine(std::string_view bytes, Visit visit) {
    std::size_t at = 0;
    while (at < bytes.size()) {
        const std::size_t end = std::min(bytes.find_first_of("\r\n", at), bytes.size());
        visit(trim(bytes.substr(at, end - at)));
        at = end + 1;
    }
}

std::string shown(std::string_view bytes, const std::string& charset) {
    return mail::cleanLine(mail::toUtf8(bytes.substr(0, kMostReasonBytes), charset));
}

// "***Unknown Date Format***"
std::string_view betweenAsterisks(std::string_view line) {
    if (line.size() < 3 || line.front() != '*' || line.back() != '*') return {};
    const auto begin = line.find_first_not_of("* \t");
    if (begin == std::string_view::npos) return {};
    return line.substr(begin, line.find_last_not_of("* \t") - begin + 1);
}

std::string_view addressee(std::string_view line) {
    for (const std::string_view label : {"To:", "cc:", "Bcc:"})
        if (line.size() > label.size() && equalsIgnoreCase(line.substr(0, label.size()), label))
            return trim(line.substr(label.size()));
    return {};
}

std::string withoutPostOffice(const std::string& name) {
    const auto at = name.rfind(kAt);
    return at == std::string::npos ? name : name.substr(0, at);
}

bool isWordByte(char c) {
    return static_cast<unsigned char>(c) >= 0x80 || (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
           (c >= 'A' && c <= 'Z');
}

// Whether the folded text holds the folded name, and not as a part of a longer word, nor as that of another
// post office.
bool mentions(std::string_view text, std::string_view name) {
    if (name.empty()) return false;
    for (auto at = text.find(name); at != std::string_view::npos; at = text.find(name, at + 1)) {
        const std::size_t end = at + name.size();
        const bool begins = at == 0 || !isWordByte(text[at - 1]) || !isWordByte(name.front());
        const bool ends = end == text.size() || !isWordByte(text[end]) || !isWordByte(name.back());
        if (begins && ends && !text.substr(end).starts_with(kAt)) return true;
    }
    return false;
}

// The recipient's name as the file had it, folded.
std::string nameOf(const Recipient& recipient, const Options& options) {
    const auto text = recipientText(recipient, options);
    return text.ok() ? mail::foldLegacyName(mail::toUtf8(*text, options.profile.charset)) : std::string();
}

std::string_view statusOf(std::string_view reason) {
    const std::string text = lowerAscii(reason);
    const auto has = [&](const char* word) { return text.find(word) != std::string::npos; };
    const bool unknown = has("not found") || has("unknown") || has("no such") || has("invalid");
    const bool somebody = has("user") || has("recipient") || has("addressee") || has("mailbox");
    return unknown && somebody ? "5.1.1" : "5.0.0";
}

RecipientVerdict refusal(const Recipient& recipient, const std::string& reason) {
    return {recipient.ordinal, Verdict::Rejected, reason, std::string(statusOf(reason))};
}

}  // namespace

Undeliverable readUndeliverable(std::string_view bytes, const std::string& charset) {
    Undeliverable given;
    bool inContents = false;
    eachLine(bytes.substr(0, kMostUndeliverable), [&](std::string_view line) {
        if (line == "Contents:") inContents = true;
        if (line == "Message:") inContents = false;
        if (const std::string_view reason = betweenAsterisks(line); !reason.empty()) {
            std::string text = shown(reason, charset);
            const bool known =
                std::find(given.reasons.begin(), given.reasons.end(), text) != given.reasons.end();
            if (!known && given.reasons.size() < kMostReasons) given.reasons.push_back(std::move(text));
        }
        if (inContents || given.names.size() >= kMostNames) return;
        if (const std::string_view name = addressee(line); !name.empty())
            given.names.push_back(mail::foldLegacyName(shown(name, charset)));
    });
    return given;
}

std::string reasonOf(const Undeliverable& given) {
    if (given.reasons.empty()) return "the post office gave it back without a reason";
    std::string text;
    for (const std::string& reason : given.reasons) text += (text.empty() ? "" : "; ") + reason;
    return "the post office gave it back: " + text;
}

std::vector<RecipientVerdict> givenBack(const Undeliverable& given, std::span<const Recipient> recipients,
                                        const Options& options) {
    const std::unordered_set<std::string> named(given.names.begin(), given.names.end());
    std::unordered_set<std::string> alones;  // for names that were written without a post office
    for (const std::string& name : given.names) alones.insert(withoutPostOffice(name));
    std::vector<std::string> reasons;
    for (const std::string& reason : given.reasons) reasons.push_back(mail::foldLegacyName(reason));
    const std::string whole = reasonOf(given);
    std::vector<RecipientVerdict> byReason, byHeader, all;
    for (const Recipient& recipient : recipients) {
        const std::string name = nameOf(recipient, options);
        const std::string alone = withoutPostOffice(name);
        all.push_back(refusal(recipient, whole));
        if (named.contains(name) || named.contains(alone) || (alone == name && alones.contains(name)))
            byHeader.push_back(all.back());
        for (std::size_t i = 0; i < reasons.size(); ++i)
            if (mentions(reasons[i], name) || mentions(reasons[i], alone)) {
                byReason.push_back(refusal(recipient, "the post office gave it back: " + given.reasons[i]));
                break;
            }
    }
    if (!byReason.empty()) return byReason;
    return byHeader.empty() ? all : byHeader;
}

}  // namespace postern::adapters::ccmail
