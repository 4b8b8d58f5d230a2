#pragma once
// Uuencoded files in a text that knows no MIME (KB Q175704): found by strict rules, because ordinary text has
// lines that begin with "begin" (KB Q118595). Internal to this room. Linear time, flat memory.
// Thread rule: pure.

#include <cstdint>
#include <string>
#include <vector>

#include "base/source.h"

namespace postern::mail {

struct UuencodedFile {
    std::int64_t begin = 0, end = 0;          // from the line "begin" to behind the line "end"
    std::int64_t dataBegin = 0, dataEnd = 0;  // the lines between, for TransferEncoding::Uuencode
    std::string name;                         // as written
    bool truncated = false;                   // the text ends before the line "end"
};

// The files in [begin, end) of the source, at most `most` of them. A file is "begin", three or four octal
// digits, a name, at least one line of data, only lines of data, and "end" or the end of the text.
Result<std::vector<UuencodedFile>> findUuencoded(ByteSource& source, std::int64_t begin, std::int64_t end,
                                                 std::size_t most);

}  // namespace postern::mail
