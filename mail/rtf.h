#pragma once
// Rich Text Format as plain text, and the compressed form in which TNEF carries it (MS-OXRTFCP). Internal to
// this room. Linear time; nesting is counted, never recursed into. Thread rule: pure.

#include <string>
#include <string_view>

#include "base/result.h"

namespace postern::mail {

// The RTF inside of a compressed property: "LZFu" or "MELA". Errc::Invalid: it is damaged or its checksum
// is wrong; NoSpace: it would expand to more than `limit` bytes.
Result<std::string> decompressRtf(std::string_view bytes, std::size_t limit);

// The text of an RTF document: paragraphs and cells as lines and tabs; pictures, styles and hidden text are
// left out. UTF-8, LF lines, ends with LF unless empty. Any bytes are accepted.
std::string rtfToText(std::string_view rtf);

}  // namespace postern::mail
