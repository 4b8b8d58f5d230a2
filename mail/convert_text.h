#pragma once
// The texts of a conversion: tabs, wrapping, charset, pieces. Internal to this room. Thread rule: pure.

#include <string>
#include <string_view>
#include <vector>

#include "mail/charset.h"
#include "mail/convert.h"

namespace postern::mail {

// "\r\n" or "\n".
std::string_view lineEnd(bool crlf);
std::string withLineEnds(std::string text, bool crlf);  // of LF lines

// LF lines of UTF-8 in the profile's charset, tabs expanded and lines wrapped as it asks. What became of
// characters is counted before a line is measured: "EUR" is three columns.
Encoded writtenText(std::string_view utf8, const Profile& profile);

// The same of a mail's text: what stands between the marks of PGP keeps its lines and its tabs.
struct WrittenBody {
    Encoded written;
    bool breaksSignature = false;  // characters of a signed text are lost or changed
};
WrittenBody writtenBody(std::string_view utf8, const Profile& profile);

// `text`, with the profile's line ends, in pieces of at most profile.textLimit bytes that joined are the
// text. Cut between lines; a line that no piece holds is cut between characters.
std::vector<std::string> textPieces(std::string_view text, const Profile& profile);

// The front of `utf8` with at most `limit` bytes that ends with a whole character and its marks; at least one
// character of a text that is not empty.
std::string_view frontOf(std::string_view utf8, std::size_t limit);

// " (not in cp437: U+4E2D U+6587 ...)": the first characters of the text that the charset lacks.
std::string lackedBy(std::string_view charset, std::string_view utf8);

}  // namespace postern::mail
