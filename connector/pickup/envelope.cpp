#include "connector/pickup/envelope.h"

#include <algorithm>
#include <optional>

#include "base/text.h"
#include "mail/address.h"

namespace postern::pickup {

namespace {

using intake::LocalField;

enum class Line { Sender, Receiver, Other, Header };

Line kindOf(const LocalField& field) {
    static constexpr std::string_view kOthers[] = {"X-CreatedBy",  "X-EndOfInjectedXHeaders",
                                                   "X-HeloDomain", "X-ExtendedMessageProps",
                                                   "X-Source",     "X-SourceIPAddress"};
    if (equalsIgnoreCase(field.name, "X-Sender")) return Line::Sender;
    if (equalsIgnoreCase(field.name, "X-Receiver")) return Line::Receiver;
    for (const std::string_view other : kOthers)
        if (equalsIgnoreCase(field.name, other)) return Line::Other;
    return Line::Header;
}

// "<a@b> NAME=value ..." or "a@b".
struct PathLine {
    std::string address;                                          // empty: "<>"
    std::vector<std::pair<std::string, std::string>> parameters;  // names in lower case

    std::string parameter(std::string_view name) const {
        for (const auto& [each, value] : parameters)
            if (each == name) return value;
        return {};
    }
};

// The ">" that ends what "<" began, outside of quotes.
std::size_t closingBracket(std::string_view text) {
    bool inQuotes = false;
    for (std::size_t i = 1; i < text.size(); ++i) {
        if (inQuotes && text[i] == '\\')
            ++i;
        else if (text[i] == '"')
            inQuotes = !inQuotes;
        else if (text[i] == '>' && !inQuotes)
            return i;
    }
    return std::string_view::npos;
}

Result<PathLine> readPath(const LocalField& field, const std::string& hostname) {
    std::string text(trim(field.value));
    std::replace_if(
        text.begin(), text.end(), [](char c) { return c == '\r' || c == '\n' || c == '\t'; }, ' ');
    PathLine line;
    const bool bracketed = text.starts_with("<");
    const auto end = bracketed ? closingBracket(text) : text.find(' ');
    if (bracketed && end == std::string::npos)
        return fail(Errc::Invalid, std::string(field.name) + ": \"" + escapeLine(text, 200) +
                                       "\": the bracket is not closed");
    const std::string address = bracketed ? text.substr(1, end - 1) : text.substr(0, end);
    if (!trim(address).empty()) {
        mail::AddressOptions options;
        options.bareDomain = hostname;
        options.utf8 = true;
        const auto parsed = mail::parseAddress(trim(address), options);
        if (!parsed.ok())
            return parsed.error().within(std::string(field.name) + ": \"" + escapeLine(address, 200) + "\"");
        line.address = parsed->text();
    }
    if (end == std::string::npos) return line;
    for (const std::string_view word : split(std::string_view(text).substr(end + 1), ' ')) {
        const auto equals = word.find('=');
        if (equals != std::string_view::npos)
            line.parameters.emplace_back(lowerAscii(word.substr(0, equals)), word.substr(equals + 1));
    }
    return line;
}

// RFC 3461 4.1; what is no such list is as if it were not there.
std::string notifyFrom(std::string_view text) {
    const std::string words = lowerAscii(text);
    if (words == "never") return words;
    for (const std::string_view word : split(words, ','))
        if (word != "success" && word != "failure" && word != "delay") return {};
    return words;
}

Result<void> takeSender(const PathLine& line, FileEnvelope& envelope) {
    envelope.sender = line.address;
    const std::string ret = lowerAscii(line.parameter("ret"));
    if (ret == "full" || ret == "hdrs") envelope.ret = ret;
    if (line.parameter("envid").size() <= 100) envelope.envelopeId = line.parameter("envid");
    return {};
}

Result<void> takeReceiver(const PathLine& line, FileEnvelope& envelope) {
    if (line.address.empty()) return fail(Errc::Invalid, "X-Receiver: names nobody");
    if (envelope.receivers.size() >= intake::kMostLocalRecipients)
        return fail(Errc::Invalid,
                    "more than " + std::to_string(intake::kMostLocalRecipients) + " X-Receiver lines");
    const std::string original = line.parameter("orcpt");
    envelope.receivers.push_back(
        {line.address, notifyFrom(line.parameter("notify")), original.size() <= 500 ? original : ""});
    return {};
}

}  // namespace

Result<FileEnvelope> readEnvelope(std::string_view block, const std::string& hostname) {
    FileEnvelope envelope;
    const auto fields = intake::localFields(block);
    bool senderNamed = false;
    auto at = fields.begin();
    for (; at != fields.end() && kindOf(*at) != Line::Header; ++at) {
        if (kindOf(*at) == Line::Other) continue;
        POSTERN_LET(line, readPath(*at, hostname));
        if (kindOf(*at) == Line::Receiver) {
            POSTERN_TRY(takeReceiver(line, envelope));
            continue;
        }
        if (senderNamed) return fail(Errc::Invalid, "X-Sender stands there twice");
        senderNamed = true;
        POSTERN_TRY(takeSender(line, envelope));
    }
    const bool own = senderNamed || !envelope.receivers.empty();
    envelope.header.assign(own ? at : fields.begin(), fields.end());
    if (!senderNamed) {
        POSTERN_LET(sender, intake::headerSender(envelope.header, hostname));
        if (!sender) return fail(Errc::Invalid, "it names no sender: an X-Sender line or From is wanted");
        envelope.sender = *sender;
    }
    if (envelope.receivers.empty()) {
        POSTERN_LET(addresses, intake::headerRecipients(envelope.header, hostname));
        for (std::string& address : addresses) envelope.receivers.push_back({std::move(address), {}, {}});
    }
    if (envelope.receivers.empty())
        return fail(Errc::Invalid, "it names no recipient: X-Receiver lines, To, Cc or Bcc are wanted");
    return envelope;
}

}  // namespace postern::pickup
