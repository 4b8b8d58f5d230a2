#include "connector/intake/smtp_parameters.h"

#include <algorithm>
#include <functional>
#include <limits>
#include <vector>

#include "base/hex.h"
#include "base/text.h"

namespace postern::intake {

namespace {

constexpr std::size_t kLongestEnvelopeId = 100;  // RFC 3461 4.4, encoded
constexpr std::size_t kLongestOriginal = 500;    // RFC 3461 4.2

struct Word {
    std::string_view name, value;
    bool hasValue = false;
};

bool allDigits(std::string_view text) {
    return !text.empty() &&
           std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

// Postfix sends a UTF-8 address as xtext of the type rfc822.
bool printableUtf8(std::string_view text) {
    return validUtf8(text) &&
           std::none_of(text.begin(), text.end(), [](unsigned char c) { return c < ' ' || c == 0x7f; });
}

bool printable(std::string_view text) {
    return std::all_of(text.begin(), text.end(), [](char c) { return c >= ' ' && c <= '~'; });
}

Error unknown(const Word& word) {
    return fail(Errc::NotFound, "parameter " + std::string(word.name) + " is not known here");
}

// Calls `one` for each word, and refuses what stands twice.
Result<void> eachWord(std::string_view text, const std::function<Result<void>(const Word&)>& one) {
    std::vector<std::string_view> seen;
    for (std::string_view rest : split(text, ' ')) {
        rest = trim(rest);
        if (rest.empty()) continue;
        const std::size_t equals = std::min(rest.find('='), rest.size());
        const bool hasValue = equals < rest.size();
        const Word word{rest.substr(0, equals), hasValue ? rest.substr(equals + 1) : std::string_view(),
                        hasValue};
        POSTERN_TRY(one(word));
        for (const std::string_view before : seen) {
            if (equalsIgnoreCase(before, word.name)) {
                return fail(Errc::Invalid, "parameter " + std::string(word.name) + " is given twice");
            }
        }
        seen.push_back(word.name);
    }
    return {};
}

Result<std::int64_t> parseAnnounced(std::string_view value) {
    if (!allDigits(value) || value.size() > 20) return fail(Errc::Invalid, "SIZE wants a number of bytes");
    return parseInt(value).value_or(std::numeric_limits<std::int64_t>::max());
}

Result<Body> parseBody(std::string_view value) {
    if (equalsIgnoreCase(value, "7BIT")) return Body::SevenBit;
    if (equalsIgnoreCase(value, "8BITMIME")) return Body::EightBit;
    if (equalsIgnoreCase(value, "BINARYMIME")) return Body::Binary;
    return fail(Errc::Invalid, "BODY is 7BIT, 8BITMIME or BINARYMIME");
}

Result<std::string> parseRet(std::string_view value) {
    if (equalsIgnoreCase(value, "FULL") || equalsIgnoreCase(value, "HDRS")) return lowerAscii(value);
    return fail(Errc::Invalid, "RET is FULL or HDRS");
}

// What it decodes to is written into reports as a field of one line.
Result<std::string> parseEnvelopeId(std::string_view value) {
    if (value.empty() || value.size() > kLongestEnvelopeId) {
        return fail(Errc::Invalid, "ENVID is 1 to 100 characters");
    }
    const auto id = decodeXtext(value);
    if (!id || !printable(*id)) return fail(Errc::Invalid, "ENVID is no xtext of printable characters");
    return *id;
}

Result<std::string> parseNotify(std::string_view value) {
    if (equalsIgnoreCase(value, "NEVER")) return std::string("never");
    static constexpr std::string_view kNames[] = {"success", "failure", "delay"};
    bool given[std::size(kNames)] = {};
    for (const std::string_view word : split(value, ',')) {
        const auto* const name =
            std::find_if(std::begin(kNames), std::end(kNames),
                         [&](std::string_view each) { return equalsIgnoreCase(each, word); });
        const auto at = name - std::begin(kNames);
        if (name == std::end(kNames) || given[at]) {
            return fail(Errc::Invalid, "NOTIFY is NEVER, or SUCCESS, FAILURE and DELAY once each");
        }
        given[at] = true;
    }
    std::string out;
    for (std::size_t i = 0; i < std::size(kNames); ++i) {
        if (given[i]) out += (out.empty() ? "" : ",") + std::string(kNames[i]);
    }
    return out;
}

bool isTypeCharacter(char c) {
    return (c >= '0' && c <= '9') || (lowerAscii(c) >= 'a' && lowerAscii(c) <= 'z') || c == '-' || c == '_';
}

// The utf-8 type (RFC 6533 3) has its own encoding, "\x{20AC}", and with SMTPUTF8 its characters as they are.
bool isOriginalValue(std::string_view type, std::string_view value) {
    if (equalsIgnoreCase(type, "utf-8")) {
        return std::none_of(value.begin(), value.end(),
                            [](char c) { return c == '+' || c == '=' || (c >= 0 && c <= ' ') || c == 0x7f; });
    }
    const auto decoded = decodeXtext(value);
    return decoded && printableUtf8(*decoded);
}

Result<std::string> parseOriginal(std::string_view value) {
    const std::size_t semicolon = value.find(';');
    const std::string_view type = value.substr(0, semicolon);
    const bool typed = semicolon != std::string_view::npos && !type.empty() &&
                       std::all_of(type.begin(), type.end(), isTypeCharacter);
    if (!typed || value.size() > kLongestOriginal || semicolon + 1 == value.size() ||
        !isOriginalValue(type, value.substr(semicolon + 1))) {
        return fail(Errc::Invalid, "ORCPT is type;xtext of at most 500 characters");
    }
    return std::string(value);
}

}  // namespace

Result<MailParameters> parseMailParameters(std::string_view text, bool auth) {
    MailParameters into;
    const auto one = [&](const Word& word) -> Result<void> {
        if (equalsIgnoreCase(word.name, "SIZE")) {
            POSTERN_LET(size, parseAnnounced(word.value));
            into.size = size;
        } else if (equalsIgnoreCase(word.name, "BODY")) {
            POSTERN_LET(body, parseBody(word.value));
            into.body = body;
        } else if (equalsIgnoreCase(word.name, "SMTPUTF8")) {
            if (word.hasValue) return fail(Errc::Invalid, "SMTPUTF8 takes no value");
            into.utf8 = true;
        } else if (equalsIgnoreCase(word.name, "RET")) {
            POSTERN_LET(ret, parseRet(word.value));
            into.ret = ret;
        } else if (equalsIgnoreCase(word.name, "ENVID")) {
            POSTERN_LET(id, parseEnvelopeId(word.value));
            into.envelopeId = id;
        } else if (auth && equalsIgnoreCase(word.name, "AUTH")) {
            if (word.value.empty() || !decodeXtext(word.value)) {
                return fail(Errc::Invalid, "AUTH is <> or an xtext");
            }
        } else {
            return unknown(word);
        }
        return {};
    };
    POSTERN_TRY(eachWord(text, one));
    return into;
}

Result<RcptParameters> parseRcptParameters(std::string_view text) {
    RcptParameters into;
    const auto one = [&](const Word& word) -> Result<void> {
        if (equalsIgnoreCase(word.name, "NOTIFY")) {
            POSTERN_LET(notify, parseNotify(word.value));
            into.notify = notify;
        } else if (equalsIgnoreCase(word.name, "ORCPT")) {
            POSTERN_LET(original, parseOriginal(word.value));
            into.original = original;
        } else {
            return unknown(word);
        }
        return {};
    };
    POSTERN_TRY(eachWord(text, one));
    return into;
}

}  // namespace postern::intake
