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

// The next line: it ends with CR, LF or both, has no blanks around it, and is taken off `rest`.
std::string_view takeLine(std::string_view& rest) {
    const std::size_t end = std::min(rest.find_first_of("\r\n"), rest.size());
    const std::string_view line = trim(rest.substr(0, end));
    rest.remove_prefix(end);
    if (rest.starts_with("\r\n"))
        rest.remove_prefix(2);
    else if (!rest.empty())
        rest.remove_prefix(1);
    return line;
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

std::string_view reasonIn(std::string_view line) {
    constexpr std::string_view kRouter = "Not deliverable to";
    return equalsIgnoreCase(line.substr(0, kRouter.size()), kRouter) ? line : betweenAsterisks(line);
}

// A line that the form of an import file explains.
bool isForm(std::string_view line) {
    for (const std::string_view label : {"Message:", "To:", "cc:", "Bcc:", "From:", "Date:", "Subject:"})
        if (equalsIgnoreCase(line.substr(0, label.size()), label)) return true;
    return line.empty() || parseInt(line).has_value();
}

// What follows was written by the mail's sender, with a size in front.
bool isMail(std::string_view line) {
    for (const std::string_view label : {"Contents:", "Text item:", "File item:"})
        if (equalsIgnoreCase(line.substr(0, label.size()), label)) return true;
    return false;
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

namespace {

class Reader {
  public:
    Reader(const std::string& charset, bool cut) : charset_(charset), cut_(cut) {}

    Undeliverable read(std::string_view rest) {
        while (!rest.empty()) {
            const std::string_view line = takeLine(rest);
            if (isMail(line)) {
                skipContents(rest);
            } else {
                take(line);
            }
        }
        if (given_.reasons.empty()) given_.reasons = std::move(unknown_);
        return std::move(given_);
    }

  private:
    void take(std::string_view line) {
        if (const std::string_view name = addressee(line); !name.empty()) {
            if (given_.names.size() < kMostNames)
                given_.names.push_back(mail::foldLegacyName(shown(name, charset_)));
        } else if (const std::string_view reason = reasonIn(line); !reason.empty()) {
            keep(reason, given_.reasons);
        } else if (!isForm(line) && line.find_first_not_of("* \t") != std::string_view::npos) {
            keep(line, unknown_);
        }
    }

    void keep(std::string_view text, std::vector<std::string>& reasons) {
        if (reasons.size() >= kMostReasons) return;
        std::string line = shown(text, charset_);
        if (std::find(reasons.begin(), reasons.end(), line) == reasons.end())
            reasons.push_back(std::move(line));
    }

    // A size that leads into the middle of a line was not meant for these bytes.
    static bool endsSomething(std::string_view bytes, std::size_t end) {
        const char last = bytes[end - 1];
        return end == bytes.size() || last == '\n' || last == '\r' ||
               bytes.substr(end).starts_with("Message:");
    }

    void skipContents(std::string_view& rest) {
        const auto size = parseInt(takeLine(rest));
        const auto left = static_cast<std::int64_t>(rest.size());
        if (size && *size > 0 && (*size <= left || cut_)) {
            const auto end = static_cast<std::size_t>(std::min(*size, left));
            if (endsSomething(rest, end)) return rest.remove_prefix(end);
        }
        while (!rest.empty()) {
            std::string_view behind = rest;
            if (equalsIgnoreCase(takeLine(behind), "Message:")) return;
            rest = behind;
        }
    }

    const std::string& charset_;
    const bool cut_;  // the file goes on behind what is read
    Undeliverable given_;
    std::vector<std::string> unknown_;
};

}  // namespace

Undeliverable readUndeliverable(std::string_view bytes, const std::string& charset) {
    return Reader(charset, bytes.size() >= kMostUndeliverable).read(bytes.substr(0, kMostUndeliverable));
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
