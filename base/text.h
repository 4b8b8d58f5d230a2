#pragma once
// Small text functions that know only ASCII and UTF-8: no locale, no allocation where a view will do.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace postern {

char lowerAscii(char c);
std::string lowerAscii(std::string_view text);  // other bytes stay as they are
std::string upperAscii(std::string_view text);
bool equalsIgnoreCase(std::string_view a, std::string_view b);  // ASCII case only
std::string_view trim(std::string_view text);                   // blanks, tabs, CR, LF on both sides
std::vector<std::string_view> split(std::string_view text, char separator);  // "" gives one empty field

std::optional<std::int64_t> parseInt(
    std::string_view text);  // decimal, optional '-', whole text, no overflow

// "10 MiB", "64k", "4096": bytes, binary multiples (k, m, g with optional "i" and "b", any case).
std::optional<std::int64_t> parseSize(std::string_view text);
// "500ms", "30s", "5m", "2h", "7d", "1h30m": milliseconds. A bare number is refused: say the unit.
std::optional<std::int64_t> parseDurationMillis(std::string_view text);
std::string formatSize(std::int64_t bytes);             // "10 MiB", "1.5 KiB", "12 B"
std::string formatDurationMillis(std::int64_t millis);  // "1h30m", "45s", "120ms"

// One log- and terminal-safe line: control characters (C0, DEL, C1) and invalid UTF-8 become \xHH, cut at
// `limit` bytes on a character border with "..." behind it.
std::string escapeLine(std::string_view text, std::size_t limit = 1000);

bool validUtf8(std::string_view text);
// The longest prefix of at most `limit` bytes that does not end inside a UTF-8 character.
std::string_view cutUtf8(std::string_view text, std::size_t limit);

}  // namespace postern
