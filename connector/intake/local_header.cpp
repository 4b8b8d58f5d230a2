#include "connector/intake/local_header.h"

#include <algorithm>

#include "base/random.h"
#include "base/text.h"
#include "mail/address.h"
#include "mail/encoded_words.h"
#include "mail/mailboxes.h"
#include "mail/raw_fields.h"

namespace postern::intake {

namespace {

bool isBlank(char c) {
    return c == ' ' || c == '\t';
}

// The length of the name that begins `line`, 0 when none does. Blanks before the colon are an old form.
std::size_t nameLength(std::string_view line) {
    std::size_t length = 0;
    while (length < line.size() && line[length] > ' ' && line[length] < 0x7f && line[length] != ':') ++length;
    std::size_t colon = length;
    while (colon < line.size() && isBlank(line[colon])) ++colon;
    return colon < line.size() && line[colon] == ':' ? length : 0;
}

bool isMailboxLine(std::string_view line) {
    return line.starts_with("From ") && nameLength(line) == 0;
}

// Takes comments out, and the blanks that old mail has around "@" and "." (RFC 5322 4.4).
std::string tightened(std::string_view address) {
    std::string out;
    bool inQuotes = false;
    int comments = 0;
    for (std::size_t i = 0; i < address.size(); ++i) {
        const char c = address[i];
        const bool escaped = c == '\\' && i + 1 < address.size();
        if (comments == 0) out += c;
        if (escaped) {
            ++i;
            if (comments == 0) out += address[i];
        } else if (c == '"' && comments == 0) {
            inQuotes = !inQuotes;
        } else if (c == '(' && !inQuotes && comments++ == 0) {
            out.back() = ' ';
        } else if (c == ')' && !inQuotes && comments > 0) {
            --comments;
        } else if ((c == '@' || c == '.') && !inQuotes && comments == 0) {
            out.pop_back();
            while (!out.empty() && isBlank(out.back())) out.pop_back();
            out += c;
            while (i + 1 < address.size() && isBlank(address[i + 1])) ++i;
        }
    }
    return std::string(trim(out));
}

Error noAddress(const mail::Mailbox& box, std::string_view why) {
    const std::string both = box.name + (box.name.empty() || box.address.empty() ? "" : " ") +
                             (box.address.empty() ? "" : "<" + box.address + ">");
    return fail(Errc::Invalid, "\"" + escapeLine(both, 200) + "\": " + std::string(why));
}

Result<std::string> envelopeAddress(const mail::Mailbox& box, const std::string& domain, bool utf8) {
    if (box.guessed) return noAddress(box, "is not one address: a comma or a bracket is missing");
    mail::AddressOptions options;
    options.bareDomain = domain;
    options.utf8 = utf8;
    const auto parsed = mail::parseAddress(tightened(box.address.empty() ? box.name : box.address), options);
    if (!parsed.ok()) return noAddress(box, parsed.error().text);
    return parsed->text();
}

bool isNamed(const LocalField& field, std::initializer_list<std::string_view> names) {
    return std::any_of(names.begin(), names.end(),
                       [&](std::string_view name) { return equalsIgnoreCase(field.name, name); });
}

bool has(const std::vector<LocalField>& fields, std::string_view name) {
    return std::any_of(fields.begin(), fields.end(),
                       [&](const LocalField& field) { return equalsIgnoreCase(field.name, name); });
}

Result<std::vector<std::string>> addressesOf(const std::vector<LocalField>& fields,
                                             std::initializer_list<std::string_view> names,
                                             const std::string& domain) {
    std::vector<std::string> all;
    for (const LocalField& field : fields) {
        if (!isNamed(field, names)) continue;
        const auto some = addressesIn(field.value, domain);
        if (!some.ok()) return some.error().within(std::string(field.name));
        all.insert(all.end(), some->begin(), some->end());
        if (all.size() > kMostLocalRecipients)
            return fail(Errc::Invalid,
                        "more than " + std::to_string(kMostLocalRecipients) + " addresses in the header");
    }
    return all;
}

bool isAtomText(std::string_view name) {
    return std::all_of(name.begin(), name.end(), [](char c) {
        return (c >= '0' && c <= '9') || (lowerAscii(c) >= 'a' && lowerAscii(c) <= 'z') || c == ' ' ||
               c == '-';
    });
}

}  // namespace

Result<void> HeaderCatcher::feed(std::string_view text) {
    text_ += text;
    while (!over_) {
        const auto newline = text_.find('\n', end_);
        const std::size_t known = newline == std::string::npos ? text_.size() : newline + 1;
        if (known > kLongestLocalHeader)
            return fail(Errc::Invalid, "the header is longer than " +
                                           formatSize(static_cast<std::int64_t>(kLongestLocalHeader)));
        if (newline == std::string::npos) return {};
        over_ = !takeLine(std::string_view(text_).substr(end_, known - end_));
    }
    return {};
}

void HeaderCatcher::end() {
    if (over_) return;
    const std::string last = text_.substr(end_);
    if (!last.empty() && takeLine(last) && !last.ends_with('\n')) {
        text_ += "\r\n";
        end_ = text_.size();
    }
    over_ = true;
}

// False: the line is no part of the header.
bool HeaderCatcher::takeLine(std::string_view line) {
    const bool continues = end_ > 0 && isBlank(line.front());
    if (!continues && nameLength(line) == 0 && !(end_ == 0 && isMailboxLine(line))) return false;
    end_ += line.size();
    return true;
}

std::vector<LocalField> localFields(std::string_view block) {
    std::vector<LocalField> fields;
    while (!block.empty()) {
        const mail::RawField field = mail::takeField(block);
        if (const std::size_t name = nameLength(field.whole); name > 0)
            fields.push_back({field.whole.substr(0, name), field.value, field.whole});
    }
    return fields;
}

Result<std::vector<std::string>> addressesIn(std::string_view value, const std::string& domain) {
    const auto boxes = mail::parseMailboxes(value, kMostLocalRecipients + 1);
    if (boxes.size() > kMostLocalRecipients)
        return fail(Errc::Invalid, "more than " + std::to_string(kMostLocalRecipients) + " addresses");
    std::vector<std::string> addresses;
    for (const mail::Mailbox& box : boxes) {
        if (box.address.empty() && box.name.ends_with(":;")) continue;  // a group without members
        // Letters of an unnamed charset or out of an encoded word were made by us: that would be a guess.
        const bool asWritten = validUtf8(value) && value.find(box.address.empty() ? box.name : box.address) !=
                                                       std::string_view::npos;
        POSTERN_LET(address, envelopeAddress(box, domain, asWritten));
        addresses.push_back(std::move(address));
    }
    return addresses;
}

Result<std::vector<std::string>> headerRecipients(const std::vector<LocalField>& fields,
                                                  const std::string& domain) {
    if (has(fields, "Resent-To") || has(fields, "Resent-Cc") || has(fields, "Resent-Bcc"))
        return addressesOf(fields, {"Resent-To", "Resent-Cc", "Resent-Bcc"}, domain);
    return addressesOf(fields, {"To", "Cc", "Bcc"}, domain);
}

Result<std::optional<std::string>> headerSender(const std::vector<LocalField>& fields,
                                                const std::string& domain) {
    POSTERN_LET(authors, addressesOf(fields, {"From"}, domain));
    if (authors.size() == 1) return std::optional(authors.front());
    POSTERN_LET(senders, addressesOf(fields, {"Sender"}, domain));
    if (senders.size() > 1) return fail(Errc::Invalid, "Sender names more than one address");
    if (senders.size() == 1) return std::optional(senders.front());
    if (!authors.empty()) return fail(Errc::Invalid, "From names several authors and there is no Sender");
    return std::optional<std::string>();
}

std::string namedAddress(std::string_view name, std::string_view address) {
    if (name.empty()) return std::string(address);
    const bool plain = std::all_of(name.begin(), name.end(), [](char c) { return c >= ' ' && c <= '~'; });
    if (!plain) return mail::encodedWords(name, {}) + " <" + std::string(address) + ">";
    if (isAtomText(name)) return std::string(name) + " <" + std::string(address) + ">";
    return mail::quotedString(name) + " <" + std::string(address) + ">";
}

std::string completedHeader(const std::vector<LocalField>& fields, const Completion& with) {
    std::string header;
    for (const LocalField& field : fields)
        if (!isNamed(field, {"Bcc", "Resent-Bcc"})) header += field.whole;
    if (!has(fields, "From")) {
        const std::string author = with.sender.empty() ? "postmaster@" + with.hostname : with.sender;
        header += "From: " + namedAddress(with.fullName, author) + "\r\n";
    }
    if (!has(fields, "Date")) header += "Date: " + formatRfc5322(with.now) + "\r\n";
    if (!has(fields, "Message-ID"))
        header += "Message-ID: <" + std::to_string(toMillis(with.now)) + "." + randomName(16) + "@" +
                  with.hostname + ">\r\n";
    return header;
}

}  // namespace postern::intake
