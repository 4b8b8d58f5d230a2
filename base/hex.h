#pragma once
// Hexadecimal digits, and the text encodings of addresses that SMTP builds on them. Thread rule: pure.

#include <optional>
#include <string>
#include <string_view>

namespace postern {

int hexDigit(char c);  // 0 to 15, or -1: "0" to "9", "a" to "f" in any case

// The two digits of a byte, in capitals.
void appendHex(std::string& out, char byte);

// An address beyond US-ASCII in US-ASCII: "zo\x{EB}@x.org" (utf-8-addr-xtext, RFC 6533 3); one that is
// US-ASCII stays as it is. Of a text that is no UTF-8 each byte over 127 becomes U+FFFD.
std::string asciiAddress(std::string_view utf8);

// xtext (RFC 3461 4) decoded: "+2B" is "+". Nothing when it is none.
std::optional<std::string> decodeXtext(std::string_view text);

}  // namespace postern
