#pragma once
#include <string>
#include <string_view>

namespace postern::mail {

// A raw header value as clean UTF-8: unfolded, encoded words decoded (RFC 2047), 8-bit bytes as UTF-8 or
// windows-1252, one line. For people; never for comparing.
std::string decodeText(std::string_view value);

}  // namespace postern::mail
