#pragma once
// One line of IRC (RFC 2812 section 2.3, IRCv3 message-tags): taken apart, and put together. Pure.
// Thread rule: any thread.

#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace postern::chat {

inline constexpr std::size_t kLongestBody = 510;         // bytes without tags and CR LF
inline constexpr std::size_t kLongestClientTags = 4096;  // with "@" and the blank behind them
inline constexpr std::size_t kMostParameters = 15;

using Tags = std::map<std::string, std::string>;  // values without escapes; UTF-8

struct Message {
    Tags tags;
    std::string source;   // without ":"; empty: none
    std::string command;  // upper case
    std::vector<std::string> parameters;

    // The parameter of that number, counted from 0; empty where there is none.
    const std::string& parameter(std::size_t number) const;
};

enum class Parsed { Good, Empty, TooLong, BadBytes, NoUtf8 };

// `line` without its end. TooLong: more than kLongestBody bytes, or more than kLongestClientTags of tags.
// BadBytes: NUL or CR inside. NoUtf8: that. In both `into` has what could be read, for an answer that names
// the command and bears the label. Empty: no command. Of two tags of one name the last one counts.
Parsed parseMessage(std::string_view line, Message& into);

// "a;b\c" as "a\:b\\c", and back; an escape that nobody defined is its own character.
std::string escapeTag(std::string_view value);
std::string unescapeTag(std::string_view value);
// "@a=b;c " with the blank behind it; empty for no tags.
std::string tagText(const Tags& tags);

// ":source COMMAND a b :text", cut at kLongestBody on a character's border, without its end. Only the last
// parameter may be empty, hold blanks or begin with ":"; in the others such bytes become "_".
// CR, LF and NUL never get through. `colon`: the last one has a ":" also where it needs none.
std::string writeMessage(std::string_view source, std::string_view command,
                         const std::vector<std::string>& parameters, bool colon = false);

}  // namespace postern::chat
