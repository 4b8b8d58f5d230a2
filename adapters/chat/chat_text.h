#pragma once
// A mail as lines for a chat. Who writes a mail is a stranger, also where its header is concerned: nothing of
// it ends a line, begins a command or a CTCP request, hides or turns round what stands beside it, or looks
// like something that the service said itself: a mail's lines begin with "17> " and "17| ", as no event of
// item 17 does. Thread rule: pure.

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "base/ids.h"

namespace postern::adapters::chat {

inline constexpr std::size_t kMostLines =
    10;  // told of one mail, with author and subject and the count of the rest

// Valid UTF-8 on one line: control characters (C0, DEL, C1) are left out, those that separate are blanks; so
// are the marks that turn the direction of a text or end its line; a byte that is no UTF-8 becomes "?".
std::string cleanLine(std::string_view text);

// `text` in pieces of at most `room` bytes, cut at a blank or else between characters. REQUIRES: room >= 8.
std::vector<std::string> piecesOf(std::string_view text, std::size_t room);

struct Letter {
    std::string author, subject, text;  // UTF-8, or what a stranger calls that; lines of `text` end with LF
    std::size_t files = 0;
    std::size_t untold = 0;  // lines of `text` behind the last one that is told: linesOf() sets it
};

// "17> Ann <ann@example.org>: Subject (2 files)", "17| text", and as the last of kMostLines, where they do
// not suffice, "17| ... 12 more: postern queue export 17". At most `room` bytes each. REQUIRES: room >= 100.
std::vector<std::string> linesOf(ItemId item, Letter& letter, std::size_t room);

// The bytes that a line may have: IRC's 512 with CR LF, who says it (a nick of 30), in which channel or to
// which nick, and the time in front of it for clients that know no tags. At least 100.
std::size_t roomFor(std::string_view hostname, std::string_view target);

}  // namespace postern::adapters::chat
