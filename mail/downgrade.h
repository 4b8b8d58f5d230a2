#pragma once
// A message rewritten for a carrier that can not take it as it is, and only as far as needed: 8-bit parts
// re-encoded, 8-bit header fields as encoded words, long lines encoded, header blocks cut to a limit
// (FORMATS.md 10; RFC 6152, 2045, 2047, 2231, 6857). What is inside multipart/signed, or opaque to us, is
// never re-encoded: a message that can not pass without that is refused. Attachments stream; memory is flat.
//
// Thread rule: pure; several threads may rewrite at once. A Downgraded refers to its source.

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/source.h"

namespace postern::mail {

// What the next system can carry. The default carries everything.
struct Carrier {
    bool eightBit = true;          // 8-bit bytes in bodies (8BITMIME)
    bool utf8Header = true;        // UTF-8 in header fields (SMTPUTF8)
    bool rawHeader = true;         // 8-bit bytes in header fields that are no UTF-8 (RFC 6532 has none)
    bool binary = true;            // NUL, bare CR and bare LF, lines of any length (BINARYMIME)
    int lineLimit = 0;             // bytes of a line without CRLF; 0: no limit
    std::int64_t headerLimit = 0;  // bytes of the header block; 0: no limit
    std::string charset = {};   // text parts are recoded to this where it holds them all; empty: as they are
    bool preferBase64 = false;  // no quoted-printable, for readers that do not know it (KB Q169678, Q182307)
};

class Downgraded {
  public:
    // Reads the message once or twice. Errc::Invalid: it can not be carried, and why; other errors are the
    // source's.
    static Result<Downgraded> make(ByteSource& source, const Carrier& carrier);
    Downgraded(Downgraded&&) noexcept;
    Downgraded& operator=(Downgraded&&) noexcept;
    ~Downgraded();

    bool unchanged() const;                         // writeTo() gives the source's bytes
    const std::vector<std::string>& notes() const;  // what was rewritten; that a DKIM signature breaks
    // What the result needs of its carrier: for BODY= and SMTPUTF8.
    bool eightBit() const;
    bool utf8Header() const;

    // Calls `sink` with the bytes in pieces: lines end with CRLF, the same bytes each time.
    Result<void> writeTo(const std::function<Result<void>(std::string_view)>& sink) const;

  private:
    struct Impl;
    explicit Downgraded(std::unique_ptr<Impl> impl);
    std::unique_ptr<Impl> impl_;
};

}  // namespace postern::mail
