#pragma once
// The charsets we know and the names people give them. Internal to this room. Thread rule: constants.

#include <span>
#include <string_view>

namespace postern::mail {

struct CharsetName {
    const char* iconvName;
    bool oneByte;         // one byte a character, and US-ASCII in its lower half
    const char* aliases;  // lower case, each between blanks
};

// Everything iconv is ever asked for: a name in a message does not choose code to run. Left out on purpose
// are UTF-7, ISO-2022-CN-EXT (glibc CVE-2024-2961), EBCDIC and sets of seven bits in which letters stand at
// the places of "[" or "|".
std::span<const CharsetName> charsetNames();

// The iconvName of a set is its name in the GNU C library; GNU libiconv has others for some.
std::string_view libiconvName(std::string_view iconvName);

}  // namespace postern::mail
