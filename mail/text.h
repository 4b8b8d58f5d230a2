#pragma once
// Text for readers that know lines and nothing else. UTF-8 in and out, LF ends lines, linear time.
// Thread rule: pure functions.

#include <string>
#include <string_view>

namespace postern::mail {

// Who reads a text that is laid out in columns.
struct TextTarget {
    std::string charset = "utf-8";  // "EUR" is three columns where a sign is not in it
    int columns = 0;                // of its lines; 0: as many as there are
};

// HTML to plain text: blocks become paragraphs, lists get "* " or numbers and indentation, quotations "> ",
// tables are aligned where they fit in 72 columns, or in fewer if the target has fewer, links become
// footnotes "[1]", images their alt text. What a browser does not show (scripts, styles, display:none,
// tracking pixels) is left out. Any bytes are accepted; nesting is counted, never recursed into. The result
// ends with LF unless empty.
std::string htmlToText(std::string_view html, const TextTarget& target = {});

// How wide a reader's screen shows letters. In character sets of East Asia those that are neither US-ASCII
// nor half-width have two bytes and two columns, Greek and Cyrillic ones, frames and quotation marks included
// (Unicode UAX #11 calls these ambiguous).
enum class Letters { Unicode, EastAsian };
Letters lettersOf(std::string_view charset);  // as fromUtf8() takes it

// Breaks lines longer than `columns` display columns after a blank, or anywhere when there is none, and never
// inside a character. Only LF are added: taking them out again gives the input (KB Q124745, Q176396).
// `columns` 0: unchanged. Wide characters (CJK, emoji) count two columns, combining marks none. Only an
// address of the web ("https://...") of up to 250 bytes stays whole where it is longer than a line.
std::string wrap(std::string_view text, int columns, Letters letters = Letters::Unicode);

// Width of one line as wrap() counts it. A tab goes to the next stop of 8.
int displayColumns(std::string_view line, Letters letters = Letters::Unicode);

// format=flowed (RFC 3676) to paragraphs of one line each, quote marks kept; `delSp` as the parameter says.
std::string unflow(std::string_view text, bool delSp);

// CRLF, CR and LF become LF; control characters but TAB are dropped; a last line gets its LF.
std::string normalizeLines(std::string_view text);

}  // namespace postern::mail
