#pragma once
// Hexadecimal digits, and the one text encoding that SMTP builds on them. Thread rule: pure.

#include <optional>
#include <string>
#include <string_view>

namespace postern {

int hexDigit(char c);  // 0 to 15, or -1: "0" to "9", "a" to "f" in any case

// xtext (RFC 3461 4) decoded: "+2B" is "+". Nothing when it is none.
std::optional<std::string> decodeXtext(std::string_view text);

}  // namespace postern
