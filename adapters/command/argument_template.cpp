#include "adapters/command/argument_template.h"

#include <algorithm>
#include <array>

#include "adapters/envelope_text.h"
#include "base/text.h"

namespace postern::adapters {

namespace {

constexpr std::array<std::string_view, 6> kOfMail = {"item",     "attempt",     "message_id",
                                                     "hostname", "envelope_id", "size"};
constexpr std::array<std::string_view, 4> kOfRecipient = {"recipient", "address", "local_part", "domain"};
constexpr std::array<std::string_view, 2> kOfEach = {"recipients...", "addresses..."};

template <std::size_t N>
bool among(const std::array<std::string_view, N>& names, std::string_view name) {
    return std::find(names.begin(), names.end(), name) != names.end();
}

bool hasControl(std::string_view text) {
    return std::any_of(text.begin(), text.end(), [](unsigned char c) { return c < 0x20 || c == 0x7f; });
}

Error unknownPlace(std::string_view name, bool several) {
    if (several && among(kOfRecipient, name))
        return fail(Errc::Invalid, "{" + std::string(name) +
                                       "} names one recipient, and a run may have "
                                       "several: use {recipients...}, or most_recipients = 1");
    return fail(Errc::Invalid, "{" + escapeLine(name, 40) + "} is not known");
}

}  // namespace

Result<ArgumentTemplate> ArgumentTemplate::parse(const std::vector<std::string>& arguments, Rules rules) {
    ArgumentTemplate made;
    bool behind = false;
    for (const std::string& text : arguments) {
        POSTERN_LET(argument, parseOne(text, rules.several));
        argument.behind = behind;
        behind = behind || text == "--";
        made.arguments_.push_back(std::move(argument));
    }
    made.rules_ = std::move(rules);
    return made;
}

Result<ArgumentTemplate::Argument> ArgumentTemplate::parseOne(std::string_view text, bool several) {
    Argument argument;
    std::string literal;
    for (std::size_t at = 0; at < text.size(); ++at) {
        const char c = text[at];
        if ((c == '{' || c == '}') && at + 1 < text.size() && text[at + 1] == c) {
            literal += c;
            ++at;
            continue;
        }
        if (c == '}') return fail(Errc::Invalid, "a '}' without its '{'; write }} for a brace");
        if (c != '{') {
            literal += c;
            continue;
        }
        const std::size_t end = text.find('}', at);
        if (end == std::string_view::npos)
            return fail(Errc::Invalid, "a '{' without its '}'; write {{ for a brace");
        const std::string name(text.substr(at + 1, end - at - 1));
        const bool known = name == "sender" || among(kOfMail, name) || among(kOfEach, name) ||
                           (!several && among(kOfRecipient, name));
        if (!known) return unknownPlace(name, several);
        if (among(kOfEach, name)) {
            if (!argument.each.empty())
                return fail(Errc::Invalid, "two {...} of all recipients in one argument");
            argument.each = name;
        }
        if (!literal.empty()) argument.pieces.push_back({false, std::move(literal)});
        literal.clear();
        argument.pieces.push_back({true, name});
        at = end;
    }
    if (!literal.empty()) argument.pieces.push_back({false, std::move(literal)});
    return argument;
}

bool ArgumentTemplate::ofRecipient(const Argument& argument) {
    return std::any_of(argument.pieces.begin(), argument.pieces.end(), [](const Piece& piece) {
        return piece.place && (among(kOfRecipient, piece.text) || among(kOfEach, piece.text));
    });
}

std::string ArgumentTemplate::value(const std::string& name, const ArgumentValues& values,
                                    const Recipient& recipient) const {
    const std::size_t at = recipient.address.rfind('@');
    if (name == "recipient" || name == "recipients...") return legacyOrAddress(recipient);
    if (name == "address" || name == "addresses...") return recipient.address;
    if (name == "local_part") return recipient.address.substr(0, at);
    if (name == "domain") return at == std::string::npos ? std::string() : recipient.address.substr(at + 1);
    if (name == "hostname") return rules_.hostname;
    if (name == "message_id") return values.messageId;
    if (name == "size") return std::to_string(values.size);
    if (values.delivery == nullptr) return {};
    const Delivery& delivery = *values.delivery;
    if (name == "sender") return delivery.sender.empty() ? rules_.nullSender : delivery.sender;
    if (name == "item") return std::to_string(delivery.key.item.value);
    if (name == "attempt") return std::to_string(delivery.key.epoch.value);
    return delivery.envelopeId;
}

Result<std::string> ArgumentTemplate::fill(const Argument& argument, const ArgumentValues& values,
                                           const Recipient& recipient) const {
    constexpr std::size_t kLongestValue = 1000;
    std::string filled;
    for (const Piece& piece : argument.pieces) {
        const std::string text = piece.place ? value(piece.text, values, recipient) : piece.text;
        if (piece.place && (hasControl(text) || text.size() > kLongestValue))
            return fail(Errc::Invalid, "'" + escapeLine(text, 60) + "' (" + piece.text +
                                           ") can not stand in an argument of the command");
        filled += text;
    }
    const bool madeByValue = !argument.pieces.empty() && argument.pieces.front().place;
    if (madeByValue && !argument.behind && filled.starts_with('-'))
        return fail(Errc::Invalid, "'" + escapeLine(filled, 60) + "' (" + argument.pieces.front().text +
                                       ") would be an option of the command");
    return filled;
}

Result<std::vector<std::string>> ArgumentTemplate::expand(const ArgumentValues& values) const {
    static const Recipient kNobody;
    const std::vector<Recipient>& all = values.delivery->recipients;
    std::vector<std::string> filled;
    for (const Argument& argument : arguments_) {
        const std::size_t times = argument.each.empty() ? 1 : all.size();
        for (std::size_t i = 0; i < times; ++i) {
            POSTERN_LET(text, fill(argument, values, all.empty() ? kNobody : all[i]));
            filled.push_back(std::move(text));
        }
    }
    return filled;
}

std::optional<std::string> ArgumentTemplate::refuses(const Recipient& recipient) const {
    for (const Argument& argument : arguments_) {
        if (!ofRecipient(argument)) continue;
        const auto filled = fill(argument, {}, recipient);
        if (!filled.ok()) return filled.error().text;
    }
    return std::nullopt;
}

bool ArgumentTemplate::uses(std::string_view name) const {
    for (const Argument& argument : arguments_)
        for (const Piece& piece : argument.pieces)
            if (piece.place && piece.text == name) return true;
    return false;
}

}  // namespace postern::adapters
