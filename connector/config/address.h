#pragma once
// Where a listener listens: "127.0.0.1:2525", "mail.example:25", "[::1]:25", "unix:/run/postern/lmtp.sock".

#include <string>
#include <string_view>

#include "base/result.h"
#include "connector/config/config.h"

namespace postern::config {

// Longest path of a Unix socket that every system takes.
inline constexpr std::size_t kSocketPathLimit = 107;

// Fills host and port, or socketPath. Invalid, with a text that says what would be right.
Result<void> readAddress(std::string_view text, Listener& listener);
std::string addressText(const Listener& listener);  // what readAddress() reads back

}  // namespace postern::config
