#pragma once
// Nicks, channels and masks: what may be one, and when two are the same. CASEMAPPING=ascii: only the letters
// A to Z have two cases. Pure; any thread.

#include <cstddef>
#include <string>
#include <string_view>

namespace postern::chat {

std::string fold(std::string_view name);  // the form in which names are compared

// RFC 2812 2.3.1: a letter or one of []\`_^{|} first, then digits and "-" as well.
bool validNick(std::string_view nick, std::size_t longest);

// Whether it looks like a channel: "#" first, whatever follows.
bool isChannel(std::string_view name);
// "#" and then anything but blanks, commas, colons and control characters; UTF-8, also in its length a
// number of bytes.
bool validChannel(std::string_view name, std::size_t longest);

// Visible ASCII without "!", "@" and ":": what stands between nick and host.
bool validUser(std::string_view user);

// "nick" as "nick!*@*", "user@host" as "*!user@host", "*" where a part is missing.
std::string wholeMask(std::string_view mask);
// Whether "nick!user@host" fits such a mask; ASCII case ignored.
bool fitsMask(std::string_view mask, std::string_view who);

bool hasWildcard(std::string_view mask);  // "*" or "?"

}  // namespace postern::chat
