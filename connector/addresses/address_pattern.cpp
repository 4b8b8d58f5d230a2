#include "connector/addresses/address_pattern.h"

#include "base/text.h"

namespace postern::addresses {

namespace {

bool endsWithIgnoreCase(std::string_view text, std::string_view end) {
    return text.size() >= end.size() && equalsIgnoreCase(text.substr(text.size() - end.size()), end);
}

}  // namespace

Halves halves(std::string_view address) {
    const std::size_t at = address.rfind('@');
    if (at == std::string_view::npos) return {address, {}};
    return {address.substr(0, at), address.substr(at + 1)};
}

bool patternMatches(std::string_view pattern, std::string_view address) {
    if (pattern == "*") return true;
    const Halves wanted = halves(pattern);
    const Halves given = halves(address);
    if (wanted.local != "*") return equalsIgnoreCase(pattern, address);
    if (!wanted.domain.starts_with("*.")) return equalsIgnoreCase(wanted.domain, given.domain);
    const std::string_view end = wanted.domain.substr(1);  // with its dot
    return given.domain.size() > end.size() && endsWithIgnoreCase(given.domain, end);
}

}  // namespace postern::addresses
