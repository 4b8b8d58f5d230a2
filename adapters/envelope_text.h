#pragma once
// Envelope values on their way into header lines and names.

#include <string>
#include <string_view>

#include "adapters/adapter.h"
#include "base/result.h"

namespace postern::adapters {

// `text` with every control character replaced by "?": it can not end its line.
std::string headerValue(std::string_view text);

// The recipient's legacy name, or its Internet address where the route gives none.
const std::string& legacyOrAddress(const Recipient& recipient);

// A recipient's folder name: letters, digits, "_-+@=" and inner dots stay, other bytes become %HH, and so do
// a leading or trailing dot and the first letter of a DOS device name; reversible by plain percent-decoding
// (KB Q197258). Invalid when it is empty or longer than a file name may be.
Result<std::string> folderName(std::string_view text);

}  // namespace postern::adapters
