#include "adapters/radio/radio_names.h"

#include <algorithm>

#include "base/text.h"
#include "mail/address.h"

namespace postern::adapters::radio {

namespace {

constexpr std::size_t kMostAddress = 254;

bool isLetter(char c) {
    return c >= 'A' && c <= 'Z';
}

bool isDigit(char c) {
    return c >= '0' && c <= '9';
}

// Printable US-ASCII without what separates a kind of address from it.
bool isPlainAddress(std::string_view text) {
    return std::all_of(text.begin(), text.end(), [](char c) { return c > 0x20 && c < 0x7f && c != ':'; });
}

Error noAddress(std::string_view text) {
    return Error{Errc::Invalid, "'" + escapeLine(text, 60) +
                                    "' is neither a callsign of up to 12 characters nor an Internet address "
                                    "of plain letters"};
}

// Letters, digits and single inner hyphens.
bool isStationName(std::string_view name) {
    if (name.empty() || name.size() > 12 || name.front() == '-' || name.back() == '-') return false;
    return name.find("--") == std::string_view::npos && std::any_of(name.begin(), name.end(), isLetter) &&
           std::all_of(name.begin(), name.end(),
                       [](char c) { return isLetter(c) || isDigit(c) || c == '-'; });
}

}  // namespace

Result<std::string> callsign(std::string_view text) {
    const std::string call = upperAscii(text);
    const bool shaped =
        call.size() >= 3 && call.size() <= 6 &&
        std::all_of(call.begin(), call.end(), [](char c) { return isLetter(c) || isDigit(c); });
    if (shaped && std::any_of(call.begin(), call.end(), isLetter) &&
        std::any_of(call.begin(), call.end(), isDigit))
        return call;
    return fail(Errc::Invalid, "'" + escapeLine(text, 60) +
                                   "' is no callsign: three to six letters and digits, like N0CALL");
}

Result<std::string> winlinkAddress(std::string_view text) {
    const bool prefixed = upperAscii(text.substr(0, 5)) == "SMTP:";
    const std::string_view bare = prefixed ? text.substr(5) : text;
    const auto at = bare.rfind('@');
    if (at == std::string_view::npos) {
        const std::string name = upperAscii(bare);
        return !prefixed && isStationName(name) ? Result<std::string>(name) : noAddress(text);
    }
    const std::string station = upperAscii(bare.substr(0, at));
    if (equalsIgnoreCase(bare.substr(at + 1), "winlink.org") && isStationName(station)) return station;
    const auto parsed = mail::parseAddress(bare);
    if (!parsed.ok() || parsed->domain.empty()) return noAddress(text);
    const std::string address = parsed->text();
    if (address.size() > kMostAddress || !isPlainAddress(address)) return noAddress(text);
    return "SMTP:" + address;
}

}  // namespace postern::adapters::radio
