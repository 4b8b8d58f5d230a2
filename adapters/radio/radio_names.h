#pragma once
// Names of people on the air. Thread rule: pure.

#include <string>
#include <string_view>

#include "base/result.h"

namespace postern::adapters::radio {

// "N0CALL": three to six letters and digits with at least one of each, upper case. Lower case is made upper.
Result<std::string> callsign(std::string_view text);

// What Winlink sends to: a callsign or tactical name of up to twelve characters ("N0CALL-5", "SHELTER1"), or
// "SMTP:user@host". `text` may also be an Internet address, "N0CALL@winlink.org" being a callsign's.
Result<std::string> winlinkAddress(std::string_view text);

}  // namespace postern::adapters::radio
