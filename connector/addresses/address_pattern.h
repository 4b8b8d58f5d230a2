#pragma once
// Which Internet addresses a route or rule is for. Thread rule: pure.

#include <string_view>

namespace postern::addresses {

// Whether `pattern` takes `address`; ASCII case is ignored on both sides of "@" (legacy names fold too).
// "user@domain" that address, "*@domain" the domain without its sub-domains, "*@*.domain" the sub-domains
// without the domain, "*" everything.
bool patternMatches(std::string_view pattern, std::string_view address);

// The two sides of the last "@": a quoted local part may hold others.
struct Halves {
    std::string_view local, domain;
};
Halves halves(std::string_view address);

}  // namespace postern::addresses
