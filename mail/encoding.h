#pragma once
// Content-Transfer-Encodings, decoded in pieces. Lenient as RFC 2045 asks: illegal characters are skipped
// and flagged, decoding stops at padding, truncated data gives what there is. Linear time.

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "base/source.h"

namespace postern::mail {

// Uuencode: the lines between "begin" and "end"; found in texts, see mail/uuencode.h.
enum class TransferEncoding { Identity, Base64, QuotedPrintable, Uuencode };

// Whether `line`, without its end, is one of uuencoded data: a length and at least so many characters; what
// stands behind them is ignored (KB Q175580). Blanks at the end may have been lost on the way.
bool isUuencodedLine(std::string_view line);

// Thread rule: one thread.
class TransferDecoder {
  public:
    explicit TransferDecoder(TransferEncoding encoding) : encoding_(encoding) {}

    // Appends what `encoded` decodes to. Pieces may be cut anywhere.
    void decode(std::string_view encoded, std::string& out);
    // After the last piece.
    void finish(std::string& out);
    bool damaged() const { return damaged_; }

  private:
    void base64(std::string_view encoded, std::string& out);
    void quotedPrintable(std::string_view encoded, std::string& out);
    void base64Character(char c, std::string& out);
    void endGroup(std::string& out);
    void blankHeld(char c, std::string& out);
    void escapeHeld(char c, std::string& out);
    void again(char c, std::string& out);
    void uuencode(std::string_view encoded, std::string& out);
    void uuencodedLine(std::string& out);

    TransferEncoding encoding_;
    bool damaged_ = false;
    bool ended_ = false;      // base64: padding was seen
    std::uint32_t bits_ = 0;  // base64: digits of an unfinished group of four
    int digits_ = 0;
    std::string held_;  // quoted-printable: "=", "=X" or blanks that may end a line; uuencode: a line
};

// Encoded bytes where they stand. The source outlives this.
struct EncodedRange {
    ByteSource* source = nullptr;
    std::int64_t begin = 0, end = 0;
    TransferEncoding encoding = TransferEncoding::Identity;
};

// Calls `sink` with the decoded bytes in pieces of at most 64 KiB; stops at the first error, its own or the
// source's. `damaged`, when given, is set to whether the encoding was broken.
Result<void> decodeRange(const EncodedRange& range, const std::function<Result<void>(std::string_view)>& sink,
                         bool* damaged = nullptr);

}  // namespace postern::mail
