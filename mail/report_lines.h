#pragma once
// Bytes of others made fit for the lines of a report. Internal to this room. Thread rule: pure.

#include <string>
#include <string_view>

namespace postern::mail {

bool isAscii(std::string_view bytes);

// Lines end with CRLF, hold no NUL and no bare CR or LF, and at most 998 bytes (RFC 5322 2.1.1).
bool isLines(std::string_view bytes);

// One clean line of UTF-8 without blanks around it, at most `limit` bytes.
std::string oneLine(std::string_view bytes, std::size_t limit);

// "Name: value" with CRLF, folded at blanks where it would pass 76 bytes.
std::string foldedField(std::string_view name, std::string_view value);

// As the value of an unstructured field: itself when ASCII, else encoded words (RFC 2047) with blanks
// between.
std::string encodedText(std::string_view utf8);

// Quoted-printable (RFC 2045 6.7): CRLF stays a line end, everything unusual is encoded, NUL, bare CR and
// bare LF too.
std::string quotedPrintable(std::string_view bytes);

// LF to CRLF. REQUIRES: no CR.
std::string withCrlf(std::string_view text);

}  // namespace postern::mail
