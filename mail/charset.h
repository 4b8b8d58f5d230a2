#pragma once
// Character sets: everything inside is UTF-8; other sets exist at the two edges only. Thread rule: any
// thread; the tables behind these functions are built once and never change.

#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"

namespace postern::mail {

// `bytes` in `charset` as valid UTF-8. Never fails: illegal sequences become U+FFFD; an unknown, blank or
// refused charset name (KB Q278320) counts as undeclared: UTF-8 where the bytes are valid UTF-8, windows-1252
// otherwise. iconv sees only names of our own allow-list (no UTF-7, no ISO-2022-CN-EXT). `clean`, when given,
// is set to whether nothing was replaced and the name was known (or absent and not needed).
std::string toUtf8(std::string_view bytes, std::string_view charset, bool* clean = nullptr);

class Converter;

// toUtf8() for many short pieces: opens each charset once, which costs more than the piece. Thread rule: one
// thread each.
class Decoder {
  public:
    Decoder();
    ~Decoder();
    Decoder(const Decoder&) = delete;
    Decoder& operator=(const Decoder&) = delete;
    std::string toUtf8(std::string_view bytes, std::string_view charset);

  private:
    std::map<std::string, std::unique_ptr<Converter>> converters_;  // by a name of the allow-list
};

struct Encoded {
    std::string bytes;
    int lost = 0;     // characters that became "?"
    int changed = 0;  // characters written in another way: typographic quotes, euro, accents
};

// UTF-8 to a legacy code page. What the page lacks goes through our own fallback table (typographic
// characters, ligatures, arrows, euro, Greek and Cyrillic as Latin letters, ...), then loses its accents,
// then becomes "?". Never emits control bytes but CR, LF and TAB (the escapes of ISO-2022 sets excepted), so
// no ^Z and no NUL ever. Characters are handled whole. An unknown code page is treated as US-ASCII: check the
// name with knownCodePage() at start.
Encoded fromUtf8(std::string_view utf8, std::string_view codePage);

// "cp850", "CP437", "windows-1252", "koi8-r", "shift_jis", ...: usable as a target of fromUtf8().
bool knownCodePage(std::string_view name);

// The most US-ASCII can say: fallback table and stripped accents, "?" for the rest.
std::string toAscii(std::string_view utf8);

// `text` as valid UTF-8 on one line: CR, LF, TAB and NUL become blanks, other control characters and the
// bidirectional formatting characters are dropped. For names and subjects.
std::string cleanLine(std::string_view utf8);

}  // namespace postern::mail
